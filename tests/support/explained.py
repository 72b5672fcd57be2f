"""Reports of records, for tests of their explanation."""

from __future__ import annotations

from typing import Any

from reports.analysis import analyse
from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Up

__all__ = ["explained", "lose", "sentence"]


def explained(record: RecordBuilder, *gates: str) -> dict[str, Any]:
    """The content of the report of a record, judged by these gates."""
    record.experiment["gates"] = list(gates or ("sessions_lost == 0",))
    return analyse(record.write(), write=False).data


def sentence(record: RecordBuilder, *gates: str) -> str:
    """The sentence of the report of a record."""
    return str(explained(record, *gates)["explanation"]["sentence"])


def lose(
    record: RecordBuilder, session: str, *, outcome: str, message: str = "", status: int | None = None, **how: Any
) -> None:
    """Adds a session whose only call, on tpu-0 from 19.5 s to 20.05 s, loses it. `how`: see `RecordBuilder.call`."""
    its = {names.ERROR_MESSAGE: message or None, names.HTTP_STATUS: status, **how.pop("its", {})}
    ups = how.pop("ups", [Up("tpu-0", 19.501, 20.05, outcome, passed_on=3)])
    record.call(session, 0, how.pop("sent", 19.5), tokens=3, outcome=outcome, ups=ups, its=its, **how)
    record.session(session, 19.0, 22.0, "lost")
