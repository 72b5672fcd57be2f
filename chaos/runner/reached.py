"""The first call of a run at a replica of ours: by the lines that replicas write as requests begin."""

from __future__ import annotations

from pathlib import Path

from reports.record.lines import Damage
from reports.record.requests import RequestLine, read_requests

__all__ = ["call_at_a_replica"]


def call_at_a_replica(requests: Path, session: str, began_ns: int, ended_ns: int) -> RequestLine | None:
    """The request at a replica with the marker of this session; None: there is none.

    `requests`: the folder of the replicas' lines. `began_ns`, `ended_ns`: of the call, unix nanoseconds.

    A gateway that writes the bodies anew may remove the marker. So where no request has it, one without any marker is
    taken that began while the call was open. That may be a health check that asks for tokens: then the analysis finds
    that the calls were answered elsewhere (`reports.history.served`). A request with another marker is of another
    client, and never taken.
    """
    damage: list[Damage] = []
    meanwhile = [line for line in read_requests(requests, damage) if began_ns <= line.at_ns <= ended_ns]
    its_own = [line for line in meanwhile if line.session == session]
    return next(iter(its_own or [line for line in meanwhile if line.session is None]), None)
