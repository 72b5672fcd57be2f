"""Whether the first call of a run came to a replica of ours: by the lines that replicas write as requests begin."""

from __future__ import annotations

from pathlib import Path

from reports.record.lines import Damage
from reports.record.requests import read_requests

__all__ = ["came_to_a_replica"]


def came_to_a_replica(requests: Path, session: str, began_ns: int, ended_ns: int) -> bool:
    """Whether a replica has a request with the marker of this session. `requests`: the folder of their lines.

    `began_ns`, `ended_ns`: of the call, unix nanoseconds. A gateway that writes the bodies anew may remove the marker.
    So a request without any marker counts, too, if it began while the call was open. That may be a health check that
    asks for tokens: then the analysis finds that the calls were answered elsewhere (`reports.history.served`). A
    request with another marker is of another client, and never counts.
    """
    damage: list[Damage] = []
    for line in read_requests(requests, damage):
        if began_ns <= line.at_ns <= ended_ns and line.session in (session, None):
            return True
    return False
