"""The faults inside a replica, one kind a file, controlled by leases over the control port.

A behaviour is a frozen struct. Its fields are its parameters and are validated when decoded. Its methods implement
capabilities of `base`.

base              the capabilities that a behaviour can have
selector          which requests a behaviour hits
request_context   one request as the behaviours see it
activation        one active behaviour
active            all active behaviours of a replica

latency, http_error, slow_headers, never_answer, malformed   a request before its answer
stall, cut, slow_tokens, trickle, no_terminal                the flow of a stream
corrupt, error_event, duplicate, wrong_answer                the content of a stream
slow_prefill, slow_decode, shrink_batch, preemption_storm    the engine
shrink_kv, flush_cache                                       the KV cache
lying_health, stale_metrics                                  what the replica reports about itself
"""

from __future__ import annotations

from typing import Final

from targets.replica.behaviours.base import Behaviour
from targets.replica.behaviours.corrupt import Corrupt
from targets.replica.behaviours.cut import CutStream
from targets.replica.behaviours.duplicate import Duplicate
from targets.replica.behaviours.error_event import ErrorEvent
from targets.replica.behaviours.flush_cache import FlushCache
from targets.replica.behaviours.http_error import HttpError
from targets.replica.behaviours.latency import Latency
from targets.replica.behaviours.lying_health import LyingHealth
from targets.replica.behaviours.malformed import Malformed
from targets.replica.behaviours.never_answer import NeverAnswer
from targets.replica.behaviours.no_terminal import NoTerminal
from targets.replica.behaviours.preemption_storm import PreemptionStorm
from targets.replica.behaviours.shrink_batch import ShrinkBatch
from targets.replica.behaviours.shrink_kv import ShrinkKv
from targets.replica.behaviours.slow_decode import SlowDecode
from targets.replica.behaviours.slow_headers import SlowHeaders
from targets.replica.behaviours.slow_prefill import SlowPrefill
from targets.replica.behaviours.slow_tokens import SlowTokens
from targets.replica.behaviours.stale_metrics import StaleMetrics
from targets.replica.behaviours.stall import Stall
from targets.replica.behaviours.trickle import Trickle
from targets.replica.behaviours.wrong_answer import WrongAnswer

__all__ = ["BEHAVIOURS"]

BEHAVIOURS: Final[dict[str, type[Behaviour]]] = {
    "latency": Latency,
    "http_error": HttpError,
    "slow_headers": SlowHeaders,
    "never_answer": NeverAnswer,
    "malformed": Malformed,
    "stall": Stall,
    "cut": CutStream,
    "slow_tokens": SlowTokens,
    "trickle": Trickle,
    "corrupt": Corrupt,
    "error_event": ErrorEvent,
    "duplicate": Duplicate,
    "wrong_answer": WrongAnswer,
    "no_terminal": NoTerminal,
    "slow_prefill": SlowPrefill,
    "slow_decode": SlowDecode,
    "shrink_kv": ShrinkKv,
    "flush_cache": FlushCache,
    "shrink_batch": ShrinkBatch,
    "preemption_storm": PreemptionStorm,
    "lying_health": LyingHealth,
    "stale_metrics": StaleMetrics,
}
"""The behaviours by kind."""
