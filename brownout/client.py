"""`run`: plays a gate, and returns what it found.

The gate is played by the command line `brownout gate`, in a process of its own: the caller's process may have packages
that are called `reports` or `targets`, threads, and signal handlers (docs/decisions/library-in-a-child.md).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from brownout.children import python_words
from brownout.errors import GateFailed, UsageError
from brownout.gate_process import Ended, play
from brownout.search_path import own_environment

if TYPE_CHECKING:
    from brownout.result import Result

__all__ = ["gate_words", "run"]

_USAGE: Final = 2
_INTERRUPTED: Final = 130


def run(
    experiment: str | Path | Sequence[str | Path],
    *,
    stack: str | Path | None = None,
    gateway: str | None = None,
    target: str | Path | None = None,
    seed: int | None = None,
    repeat: int | None = None,
    until_decided: bool = False,
    within: str | float | None = None,
    baseline: str | Path | None = None,
    against: str | Path | None = None,
    tolerances: Mapping[str, str] | None = None,
    scale: float | str | None = None,
    short: bool = False,
    retry_inconclusive: int | None = None,
    out: str | Path | None = None,
    allow_exec: bool = False,
    allow_exposed: bool = False,
    yes_i_may: bool = False,
    timeout_s: float | None = None,
    quiet: bool = True,
    on_output: Callable[[str], None] | None = None,
    _keep_open: Sequence[int] = (),
) -> Result:
    """Play a gate and return what it found. A gate that fails raises nothing: see `Result.assert_passed`.

    The options are those of `brownout gate`; without one, its own default applies. `experiment`: a name from
    `brownout list`, a file, or several. `within`: seconds, or text such as "20m". `tolerances`: by measure, as text:
    {"ttft.p95": "10%"}. `out`: the folder of the result and the reports; without one, a new folder below the system's
    temporary folder, which is kept. `timeout_s`: after so many seconds, the gate is ended. `quiet`: no progress is
    printed. `on_output`: gets each line that the gate prints, in the thread that called `run`.

    May be called from any thread. If `run` is left early (Ctrl-C, the timeout, an error of `on_output`), the gate gets
    SIGINT, reverts its faults and ends before the exception goes on. If this process dies, the gate ends as well.

    Raises UsageError for wrong options or an invalid file, GateTimeout after `timeout_s`, and GateFailed if the gate
    left no result, or one that does not agree with its exit code.
    """
    folder = _new_folder() if out is None else Path(out).absolute()
    words = gate_words(
        [experiment] if isinstance(experiment, str | Path) else experiment,
        {
            "stack": stack,
            "gateway": gateway,
            "target": target,
            "seed": seed,
            "repeat": repeat,
            "until_decided": until_decided,
            "within": _seconds(within) if isinstance(within, int | float) else within,
            "baseline": baseline,
            "against": against,
            "tolerance": [f"{measure}={value}" for measure, value in (tolerances or {}).items()],
            "scale": scale,
            "short": short,
            "retry_inconclusive": retry_inconclusive,
            "out": folder,
            "quiet": quiet,
            "allow_exec": allow_exec,
            "allow_exposed": allow_exposed,
            "yes_i_may": yes_i_may,
        },
    )
    before = _version(folder)
    ended = play(
        python_words("-m", "brownout", "gate", *words),
        environment=own_environment(os.environ),
        timeout_s=timeout_s,
        on_output=on_output,
        keep_open=_keep_open,
        folder=folder,
    )
    return _result(folder, ended, written=_version(folder) not in (None, before))


def _seconds(value: float) -> str:
    """A time as an option takes it: digits without an exponent, `1234567s`, `0.25s`."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"


def gate_words(experiments: Sequence[str | Path], options: Mapping[str, object]) -> list[str]:
    """The words after `brownout gate`: an option that is None or False is left out, a list is given once a member."""
    words: list[str] = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, list | tuple):
            words += [word for one in value for word in (option, str(one))]
        elif value is True:
            words.append(option)
        elif value is not None and value is not False:
            words += [option, str(value)]
    return [*words, "--", *map(str, experiments)]


def _result(folder: Path, ended: Ended, *, written: bool) -> Result:
    """The result in this folder. `written`: by this gate; a result of an earlier one is never returned."""
    from brownout.result import InvalidResult, Result  # now: pytest loads this module at each start

    if ended.code == _USAGE:
        raise UsageError(ended.errors.strip().removeprefix("brownout: ") or ended.last or "wrong usage")
    tail = f"Its last output:\n{ended.last}" if ended.last else "It printed nothing."
    how = _how(ended.code)
    if not written:
        older = " The gate.json there is of an earlier gate." if (folder / "gate.json").exists() else ""
        raise GateFailed(f"the gate ended ({how}) and wrote no result to {folder}.{older} {tail}")
    try:
        result = Result.read(folder)
    except InvalidResult as error:
        raise GateFailed(f"the gate ended ({how}), and its result is invalid: {error}. {tail}") from error
    if result.exit_code != ended.code:
        raise GateFailed(
            f"the gate ended ({how}) after it had written a result that says {result.verdict} (exit code "
            f"{result.exit_code}): not to be trusted. {tail}"
        )
    return result


def _how(code: int) -> str:
    if code < 0:
        return f"its watcher was killed by signal {-code}"
    return f"killed by signal {code - 128}" if code > 128 and code != _INTERRUPTED else f"exit code {code}"


def _version(folder: Path) -> tuple[int, int, int] | None:
    """Tells one gate.json from the next; None without one."""
    try:
        found = (folder / "gate.json").stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _new_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="brownout-gate-"))
    except OSError as error:
        raise UsageError(f"no temporary folder can be made ({error.strerror}): name a folder with out=") from None
