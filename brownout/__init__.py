"""brownout as a library: play a gate, and read what it found. Only the standard library is imported.

    result = brownout.run("lose-tpu-pool", stack="multi-cloud", repeat=3)
    result.assert_passed()

children        the command lines of Python processes
client          `run`: plays a gate in a process of its own
errors          what `run` raises
failure         the message of a gate that did not pass
gate_process    the process that plays a gate: its output, its end
machine_lock    lets one test at a time play on a machine
pytest_plugin   the fixture `brownout`
search_path     which folders Python searches, so that a user's own packages do not hide ours
result          the content of `gate.json`
watcher         a small process between the caller and the gate, which ends the gate if the caller dies

A name is loaded when it is first used, so that a process that needs one of them does not pay for all.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brownout.client import run
    from brownout.errors import GateError, GateFailed, GateTimeout, UsageError
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
    "GateError",
    "GateFailed",
    "GateResult",
    "GateTimeout",
    "InvalidResult",
    "MeasureChange",
    "PlayedRun",
    "Result",
    "UsageError",
    "Verdict",
    "run",
]

_NAMES = {"client": ("run",), "errors": ("GateError", "GateFailed", "GateTimeout", "UsageError"), "result": __all__}
"""Where a name is defined: the first module here that has it."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    home = next(module for module, names in _NAMES.items() if name in names)
    value: object = getattr(importlib.import_module(f"brownout.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
