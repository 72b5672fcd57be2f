"""The counters that each process posts, checked: the runner reads them live, so wrong types are refused on arrival."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

__all__ = ["Counters", "decode_counters"]

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Counters(msgspec.Struct):
    """One post of a process. `cpu_s`: cumulative seconds. `loop_lag_s`: the maximum since the previous post."""

    process: _Name
    incarnation: _Count
    kind: _Name
    at: _Count
    final: bool = False
    spans: dict[str, _Count] = {}
    cpu_s: _Seconds = 0.0
    loop_lag_s: _Seconds = 0.0
    loop_ticks: dict[str, _Count] = {}
    data: dict[str, Any] = {}


class _Sessions(msgspec.Struct):
    running: _Count
    succeeded: _Count
    lost: _Count


class _Calls(msgspec.Struct):
    sent: _Count
    ok: _Count
    failed: _Count


_TOGETHER: Final = ("sessions", "calls", "good_calls", "output_tokens")
"""Of a load, all of them or none."""


class _Load(msgspec.Struct):
    load_started: _Count | None = None
    done: bool = False
    sessions: _Sessions | None = None
    calls: _Calls | None = None
    good_calls: _Count | None = None
    served_calls: _Count = 0
    output_tokens: _Count | None = None
    ttft_ms_recent: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None = None
    demand: dict[str, _Count] = {}
    demand_over: dict[str, _Count] = {}

    def __post_init__(self) -> None:
        missing = [name for name in _TOGETHER if getattr(self, name) is None]
        if missing and (self.load_started is not None or len(missing) < len(_TOGETHER)):
            raise ValueError(f"`data` has no {', '.join(missing)}")


class _Replica(msgspec.Struct):
    running: _Count = 0
    waiting: _Count = 0


class _Excluded(msgspec.Struct):
    ejected: bool
    breaker: str = "closed"


class _Gateway(msgspec.Struct):
    replicas: dict[str, _Excluded] = {}


_DATA: Final[dict[str, type[msgspec.Struct]]] = {"load": _Load, "replica": _Replica, "gateway": _Gateway}
"""What the runner reads of `data`, by kind of process. The rest is for the analysis."""

_DECODER: Final = msgspec.json.Decoder(Counters)


def decode_counters(body: bytes) -> Counters:
    """Raises `msgspec.MsgspecError` if it is no JSON object of counters, or has a wrong type or an impossible number.

    Raises RecursionError if it is nested too deeply.
    """
    counters = _DECODER.decode(body)
    known = _DATA.get(counters.kind)
    if known is not None:
        msgspec.convert(counters.data, known)
        if empty := [name for name in _TOGETHER if name in counters.data and counters.data[name] is None]:
            raise msgspec.ValidationError(f"`data` has no value for {', '.join(empty)}")
    return counters
