"""What the gateway can be made to do wrong, one kind a file, driven over its control port by leases.

slow_scheduler   each decision takes time, one after another; or none is made for a while
stuck_config     what is known of a replica's health is ignored
active           what is on now, and what it does to a request
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
