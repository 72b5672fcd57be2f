"""Every kind of fault, by the name that an experiment file uses."""

from __future__ import annotations

from typing import Final

from chaos.faults.corrupt import Corrupt
from chaos.faults.cut import Cut
from chaos.faults.duplicate import Duplicate
from chaos.faults.error_event import ErrorEvent
from chaos.faults.flap import Flap
from chaos.faults.flush_cache import FlushCache
from chaos.faults.freeze import Freeze
from chaos.faults.heavy_tenant import HeavyTenant
from chaos.faults.http_error import HttpError
from chaos.faults.kill import Kill
from chaos.faults.latency import Latency
from chaos.faults.long_reasoning import LongReasoning
from chaos.faults.lying_health import LyingHealth
from chaos.faults.malformed import Malformed
from chaos.faults.never_answer import NeverAnswer
from chaos.faults.no_terminal import NoTerminal
from chaos.faults.preemption_storm import PreemptionStorm
from chaos.faults.restart import Restart
from chaos.faults.retry_storm import RetryStorm
from chaos.faults.shrink_batch import ShrinkBatch
from chaos.faults.shrink_kv import ShrinkKv
from chaos.faults.slow_decode import SlowDecode
from chaos.faults.slow_headers import SlowHeaders
from chaos.faults.slow_prefill import SlowPrefill
from chaos.faults.slow_scheduler import SlowScheduler
from chaos.faults.slow_tokens import SlowTokens
from chaos.faults.spec import FaultSpec
from chaos.faults.stale_metrics import StaleMetrics
from chaos.faults.stall import Stall
from chaos.faults.stuck_config import StuckConfig
from chaos.faults.surge import Surge
from chaos.faults.terminate import Terminate
from chaos.faults.trickle import Trickle
from chaos.faults.wrong_answer import WrongAnswer

__all__ = ["KINDS"]

KINDS: Final[dict[str, type[FaultSpec]]] = {
    "kill": Kill,
    "freeze": Freeze,
    "restart": Restart,
    "terminate": Terminate,
    "flap": Flap,
    "latency": Latency,
    "http_error": HttpError,
    "slow_headers": SlowHeaders,
    "never_answer": NeverAnswer,
    "malformed": Malformed,
    "stall": Stall,
    "cut": Cut,
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
    "slow_scheduler": SlowScheduler,
    "stuck_config": StuckConfig,
    "surge": Surge,
    "heavy_tenant": HeavyTenant,
    "long_reasoning": LongReasoning,
    "retry_storm": RetryStorm,
}
