"""The files of a gate, at fixed places below its folder, and what GitHub shows of them."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TextIO

from brownout.result import Result
from reports.shared.errors import TargetFailed, UserError
from reports.writers.gate.annotations import gate_annotations, is_github, locate_gates, write_step_summary
from reports.writers.gate.gate_json import write_gate_json
from reports.writers.gate.junit import write_gate_junit
from reports.writers.gate.summary import write_gate_summary

__all__ = ["FILES", "result_folder", "rewrite_gate_json", "tell_github", "write_files"]

FILES: Final = ("gate.json", "junit.xml", "summary.md")
_LOCK: Final = ".gate.lock"


def write_files(result: Result, folder: Path) -> None:
    """Write gate.json, junit.xml and summary.md, each as a whole. Raises TargetFailed where that fails."""
    try:
        for write in (write_gate_json, write_gate_junit, write_gate_summary):
            write(result, folder)
    except OSError as error:
        raise TargetFailed(
            f"cannot write the result of the gate: {error.filename or folder}: {error.strerror}. Records of runs are "
            f"kept. Free some space, or name another folder with --out"
        ) from error


def rewrite_gate_json(result: Result, folder: Path) -> None:
    """Write gate.json again, as the other files could not be written; where that fails too, remove it.

    It must not say that a gate passed whose exit code says that it failed.
    """
    try:
        write_gate_json(result, folder)
    except OSError:
        with contextlib.suppress(OSError):
            (folder / FILES[0]).unlink(missing_ok=True)


@contextlib.contextmanager
def result_folder(out: Path | None) -> Iterator[Path | None]:
    """Claim the folder that the user named; None: none. It is made where it is missing, the files of an earlier gate
    are removed, and no other gate can write there.

    Raises UserError where it cannot be written, where another gate has it, and where a file that no gate wrote would be
    replaced.
    """
    if out is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((out / _LOCK).open("a+"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            foreign = [name for name in FILES if (out / name).exists()] if not (out / FILES[0]).exists() else []
            if foreign:
                raise UserError(f"{out / foreign[0]} is not of a gate: move it away, or name another folder with --out")
            for name in FILES[::-1]:  # gate.json last: it says that the others are of a gate
                (out / name).unlink(missing_ok=True)
        except BlockingIOError:
            raise UserError(f"another gate is writing into {out}: wait for its end, or name another folder") from None
        except OSError as error:
            raise UserError(f"cannot write into {out}: {error.strerror}. Name another folder with --out") from error
        yield out


def tell_github(result: Result, paths: Mapping[str, Path], environment: Mapping[str, str], out: TextIO) -> str:
    """On GitHub: the annotations on `out`, and the summary in the summary of the job. Nothing elsewhere.

    `paths`: the file of each experiment by its name. Returns a warning, or "".
    """
    if not is_github(environment):
        return ""
    checkout = Path(environment.get("GITHUB_WORKSPACE") or ".")
    for line in gate_annotations(result, locate_gates(result, paths, checkout)):
        print(line, file=out)
    return write_step_summary(result, environment)
