"""What a replica can be made to do wrong, one kind a file, driven over the control port by leases.

A behaviour is a frozen struct: its fields are its parameters, checked where they are decoded. What it can do, it says
by the capabilities of `base` that it has: `DelaysRequest`, `AnswersRequest`, `ActsInStream`, `SlowsEngine`.
"""

from __future__ import annotations

from typing import Final

from targets.replica.behaviours.base import Behaviour
from targets.replica.behaviours.cut import CutStream
from targets.replica.behaviours.http_error import HttpError
from targets.replica.behaviours.latency import Latency
from targets.replica.behaviours.slow_decode import SlowDecode
from targets.replica.behaviours.stall import Stall

__all__ = ["BEHAVIOURS"]

BEHAVIOURS: Final[dict[str, type[Behaviour]]] = {
    "latency": Latency,
    "http_error": HttpError,
    "stall": Stall,
    "cut": CutStream,
    "slow_decode": SlowDecode,
}
