"""Reads the files of a record that have one JSON object a line: events and counters.

A record is written by brownout and read by it, perhaps after a crash, a full disk or an editor. One rule holds for
each line: it is used if it is a JSON object whose fields have the types of `docs/wire.md`, and else skipped and
counted, with the number of the first such line. Only an incomplete last line is normal: a crash leaves one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from reports.shared.phases import ALL_PHASES
from reports.shared.regular_file import open_regular

__all__ = ["EARLY_ENDS", "EVENTS", "EXERCISE_EVENTS", "LONGEST_RUN_NS", "POST", "Damage", "read_lines"]

LONGEST_RUN_NS: Final = 7 * 86_400 * 1_000_000_000
"""Times of one record are at most this far from that of its middle entry."""


EARLY_ENDS: Final = ("interrupted", "failed", "not_steady", "not_carried", "aborted")
"""The events `run` that end a run early (`aborted`: by a guardrail), the decisive one of several first."""


EXERCISE_EVENTS: Final = (
    *("opened", "entered", "started", "held", "resumed", "step", "injected", "reverted", "noticed", "belief"),
    *("operation", "undone", "action", "note", "hint", "question", "answer", "controls", "load", "branch"),
    *("finding", "warning", "guardrail", "abort", "release", "ended", "restored", "ordered"),
)
"""What a fact of a game day can be; `docs/wire.md` says when each is written."""


class _Entry(msgspec.Struct):
    at: int


class _Run(_Entry):
    event: Literal["started", "finished", "not_steady", "not_carried", "aborted", "failed", "interrupted"]
    why: str = ""


class _Phase(_Entry):
    phase: Literal[*ALL_PHASES, "end"]  # type: ignore[valid-type]


class _Fault(_Entry):
    id: str
    stage: Literal["planned", "injected", "confirmed", "lapsed", "repaired", "reverted", "verified", "failed"]
    kind: str | None = None
    targets: list[str] | None = None
    pools: list[str] | None = None
    params: dict[str, Any] | None = None
    share: float | None = None
    only: dict[str, Any] | None = None
    hits: int | None = None
    why: str | None = None
    traits: dict[str, Any] | None = None


class _Process(_Entry):
    name: str
    event: Literal["started", "ready", "exited"]
    incarnation: int | None = None
    kind: str | None = None
    status: int | None = None
    expected: bool | None = None


class _Spans(_Entry):
    instances: dict[str, dict[str, int | None]]


class _Guardrail(_Entry):
    text: str
    value: float | None = None


class _Action(_Entry):
    action: str
    text: str = ""


_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Upstream(msgspec.Struct):
    attempts: _Count | None = None
    refused: _Count | None = None
    available: bool | None = None


class _Upstreams(_Entry):
    states: dict[str, _Upstream]
    exact: bool = True


class _Refused(_Entry):
    count: _Count


class _Alert(_Entry):
    name: str
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    starts_at: int | None = None
    fingerprint: str = ""


class _AlertPort(_Entry):
    event: Literal["opened", "closed"]
    port: int | None = None
    left_out: int | None = None
    refused: int | None = None


class _Gateway(_Entry):
    name: str
    preset: str
    program: str
    version: str
    tested: str = ""


class _Exercise(_Entry):
    event: Literal[*EXERCISE_EVENTS]  # type: ignore[valid-type]
    who: str = ""
    role: str = ""
    text: str = ""
    data: dict[str, Any] | None = None


class _GatewayCpu(_Entry):
    cores: float
    busiest: float
    waiting: float = 0.0


class _Data(msgspec.Struct):
    """The fields of a snapshot that the analysis calculates with."""

    load_started: int | None = None
    running: float | None = None
    waiting: float | None = None
    kv_used: float | None = None
    kv_total: float | None = None
    prefill_tokens: float | None = None
    decoded_tokens: float | None = None
    replicas: dict[str, dict[str, Any]] | None = None


class _Post(_Entry):
    process: str
    incarnation: int
    kind: str = ""
    final: bool = False
    spans: dict[str, int] | None = None
    cpu_s: float | None = None
    loop_lag_s: float | None = None
    loop_ticks: dict[str, int] | None = None
    data: _Data | None = None


EVENTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "run": _Run,
    "phase": _Phase,
    "fault": _Fault,
    "process": _Process,
    "spans": _Spans,
    "guardrail": _Guardrail,
    "action": _Action,
    "exercise": _Exercise,
    "refused": _Refused,
    "gateway": _Gateway,
    "gateway_cpu": _GatewayCpu,
    "upstreams": _Upstreams,
    "alert": _Alert,
    "alert_port": _AlertPort,
    **dict.fromkeys(("confirmation", "copy", "machine", "probe"), _Entry),
}
"""The fields of the events that are analysed, by type. Of `_Entry` only the time is used."""

POST: Final[type[msgspec.Struct]] = _Post
"""The fields of a post of counters."""


_NOT_A_LINE: Final = (
    *(msgspec.MsgspecError, AttributeError, ValueError, RecursionError),
    *(OverflowError, SystemError),  # numbers of hundreds of digits
)


@dataclass(frozen=True, slots=True)
class Damage:
    """What a file lacks. `expected`: a crash or an early end explains it, so that the rest can be trusted."""

    text: str
    expected: bool

    def __str__(self) -> str:
        return self.text


def read_lines(
    path: Path, types: Mapping[str, type[msgspec.Struct]] | type[msgspec.Struct], damage: list[Damage]
) -> Iterator[dict[str, Any]]:
    """Yield the valid lines of a file. Appends to `damage` what else there is.

    `types`: the fields of a line, or those of each value of its field `type`.
    """
    try:
        with open_regular(path) as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        damage.append(Damage(f"{path.name} is missing", expected=False))  # a run makes it before anything else
        return
    except OSError as error:
        damage.append(Damage(f"{path.name} cannot be read: {error.strerror or error}", expected=False))
        return
    decode = msgspec.json.Decoder().decode
    wrong: list[tuple[int, str]] = []
    found: list[tuple[int, int, dict[str, Any]]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = decode(line)
            struct = _struct_of(row, types) if isinstance(types, Mapping) else types
            entry: Any = msgspec.convert(row, struct)
            found.append((number, entry.at, row))
        except _NOT_A_LINE as error:
            if number == len(lines):
                damage.append(Damage(f"the last line of {path.name} is incomplete, and was skipped", expected=True))
            else:
                wrong.append((number, _why(error)))
    middle_ns = sorted(at for _, at, _ in found)[len(found) // 2] if found else 0
    for number, at, row in found:
        if abs(at - middle_ns) > LONGEST_RUN_NS:
            days = abs(at - middle_ns) // 86_400_000_000_000
            far = f"{days:,} days" if days < 10**9 else "far"
            wrong.append((number, f"its time is {far} from that of the others"))
        else:
            yield row
    if wrong:
        first, why = min(wrong)
        rest = len(wrong) - 1
        others = f", and {rest} other line{'s' if rest > 1 else ''}" if rest else ""
        damage.append(Damage(f"line {first} of {path.name} cannot be read ({why}){others}: skipped", expected=False))


def _struct_of(row: dict[str, Any], types: Mapping[str, type[msgspec.Struct]]) -> type[msgspec.Struct]:
    its_type = row.get("type")
    if not isinstance(its_type, str) or its_type not in types:
        raise ValueError(f"its type {its_type!r} is not known")
    return types[its_type]


def _why(error: Exception) -> str:
    return "it is no JSON object" if isinstance(error, AttributeError) else str(error) or type(error).__name__
