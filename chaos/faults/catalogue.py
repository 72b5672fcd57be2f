"""Every kind of fault, by the name that an experiment file uses."""

from __future__ import annotations

from typing import Final

from chaos.faults.cut import Cut
from chaos.faults.freeze import Freeze
from chaos.faults.heavy_tenant import HeavyTenant
from chaos.faults.http_error import HttpError
from chaos.faults.kill import Kill
from chaos.faults.latency import Latency
from chaos.faults.long_reasoning import LongReasoning
from chaos.faults.restart import Restart
from chaos.faults.retry_storm import RetryStorm
from chaos.faults.slow_decode import SlowDecode
from chaos.faults.spec import FaultSpec
from chaos.faults.stall import Stall
from chaos.faults.surge import Surge

__all__ = ["KINDS"]

KINDS: Final[dict[str, type[FaultSpec]]] = {
    "kill": Kill,
    "freeze": Freeze,
    "restart": Restart,
    "latency": Latency,
    "http_error": HttpError,
    "stall": Stall,
    "cut": Cut,
    "slow_decode": SlowDecode,
    "surge": Surge,
    "heavy_tenant": HeavyTenant,
    "long_reasoning": LongReasoning,
    "retry_storm": RetryStorm,
}
