"""Faults inside the gateway, one per file. The runner switches them on over the control port, each with a lease.

slow_scheduler   routing decisions are made one at a time, with a delay; or none for a while
stuck_config     replicas get requests whatever their health
active           the active behaviours, and their effect on a request
base             the interface of a behaviour
"""

from __future__ import annotations

from typing import Final

from targets.gateway.behaviours.base import Behaviour
from targets.gateway.behaviours.slow_scheduler import SlowScheduler
from targets.gateway.behaviours.stuck_config import StuckConfig

__all__ = ["BEHAVIOURS", "Behaviour"]

BEHAVIOURS: Final[dict[str, type[Behaviour]]] = {
    "slow_scheduler": SlowScheduler,
    "stuck_config": StuckConfig,
}
