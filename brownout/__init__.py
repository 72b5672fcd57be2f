"""brownout as a library: results of gates as types. Only the standard library is imported.

result   the content of `gate.json`
"""

from brownout.result import (
    Comparison,
    ExperimentResult,
    GateResult,
    InvalidResult,
    MeasureChange,
    PlayedRun,
    Result,
    Verdict,
)

__all__ = [
    "Comparison",
    "ExperimentResult",
    "GateResult",
    "InvalidResult",
    "MeasureChange",
    "PlayedRun",
    "Result",
    "Verdict",
]
