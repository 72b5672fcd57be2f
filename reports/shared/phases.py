"""The phases of a run, each tuple in the order in which they happen."""

from __future__ import annotations

from typing import Final

__all__ = ["ALL_PHASES", "GATE_PHASES", "PHASES"]

ALL_PHASES: Final = ("setup", "warmup", "baseline", "fault", "recovery", "shedding", "readmission", "drain")
"""All phases of a record. `shedding` and `readmission` happen only where a run tests for metastability by shedding."""

PHASES: Final = ("warmup", "baseline", "fault", "recovery", "drain")
"""The phases of a run that a gate may name."""

GATE_PHASES: Final = ("baseline", "fault", "recovery")
"""The phases that a gate without a phase covers."""
