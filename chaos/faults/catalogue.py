"""Every kind of fault, by the name that an experiment file uses."""

from __future__ import annotations

from typing import Final

from chaos.faults.gateway.slow_scheduler import SlowScheduler
from chaos.faults.gateway.stuck_config import StuckConfig
from chaos.faults.load.heavy_tenant import HeavyTenant
from chaos.faults.load.long_reasoning import LongReasoning
from chaos.faults.load.retry_storm import RetryStorm
from chaos.faults.load.surge import Surge
from chaos.faults.process.flap import Flap
from chaos.faults.process.freeze import Freeze
from chaos.faults.process.kill import Kill
from chaos.faults.process.restart import Restart
from chaos.faults.process.terminate import Terminate
from chaos.faults.replica.corrupt import Corrupt
from chaos.faults.replica.cut import Cut
from chaos.faults.replica.duplicate import Duplicate
from chaos.faults.replica.error_event import ErrorEvent
from chaos.faults.replica.flush_cache import FlushCache
from chaos.faults.replica.http_error import HttpError
from chaos.faults.replica.latency import Latency
from chaos.faults.replica.lying_health import LyingHealth
from chaos.faults.replica.malformed import Malformed
from chaos.faults.replica.never_answer import NeverAnswer
from chaos.faults.replica.no_terminal import NoTerminal
from chaos.faults.replica.preemption_storm import PreemptionStorm
from chaos.faults.replica.shrink_batch import ShrinkBatch
from chaos.faults.replica.shrink_kv import ShrinkKv
from chaos.faults.replica.slow_decode import SlowDecode
from chaos.faults.replica.slow_headers import SlowHeaders
from chaos.faults.replica.slow_prefill import SlowPrefill
from chaos.faults.replica.slow_tokens import SlowTokens
from chaos.faults.replica.stale_metrics import StaleMetrics
from chaos.faults.replica.stall import Stall
from chaos.faults.replica.trickle import Trickle
from chaos.faults.replica.wrong_answer import WrongAnswer
from chaos.faults.spec import FaultSpec
from chaos.faults.system.exec import Exec

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
    "exec": Exec,
}
