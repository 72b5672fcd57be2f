"""The phases of a run, in their order."""

from __future__ import annotations

from typing import Final

__all__ = ["GATE_PHASES", "PHASES"]

PHASES: Final = ("warmup", "baseline", "fault", "recovery", "drain")
"""The phases of a run that a gate may name."""

GATE_PHASES: Final = ("baseline", "fault", "recovery")
"""The phases that a gate without a phase covers."""
