"""The analysis of a run, in a process of its own: its libraries are too large for the runner.

It starts during the drain and loads its libraries. It begins to read when the record is closed.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from pathlib import Path

from brownout.children import python_words
from chaos.supervision.supervisor import child_environment
from reports.shared.errors import TargetFailed, UserError

__all__ = ["AnalysisChild", "signal_name"]

ANALYSIS_WITHIN_S = 600.0
LAST_LINES = 6


class AnalysisChild:
    """One `python -m reports.analysis RUN --wait`. Raises TargetFailed if it cannot be started.

    It is in a session of its own, so that Ctrl-C reaches only the runner. It ends if the runner dies: before it begins,
    because its standard input is closed then; later, because the kernel kills it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "logs" / "analysis.log"
        self._interrupted = False
        try:
            # Its output comes through a pipe: what it says about a full disk could not be read from a file there.
            self._process = subprocess.Popen(
                python_words("-m", "reports.analysis", str(folder), "--wait"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=child_environment({}),
                start_new_session=True,
            )
        except OSError as error:
            raise TargetFailed(
                f"the analysis cannot be started: {error.strerror or error}. The record is kept: when the machine has "
                f"memory and processes to spare, make the reports with brownout report {folder}"
            ) from error

    def finish(self) -> int:
        """Analyse the record, which must be closed. Returns the exit code of the verdict.

        Raises UserError if the folder holds no record of a run, TargetFailed if the analysis fails or takes too long.
        """
        report = self._folder / "report.json"
        earlier = _version(report)  # kept until there is a new one
        try:
            output, _ = self._process.communicate(b"go\n", timeout=ANALYSIS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.abandon()
            raise TargetFailed(
                f"the analysis took more than {ANALYSIS_WITHIN_S:g} s and was killed; log: {self._log}"
            ) from None
        except BaseException:
            self.abandon()
            raise
        with contextlib.suppress(OSError):
            self._log.parent.mkdir(exist_ok=True)
            self._log.write_bytes(output)
        if self._interrupted:
            raise TargetFailed(
                f"the analysis was interrupted. The record is kept: make the reports with brownout report {self._folder}"
            )
        if self._process.returncode < 0:
            how = signal_name(-self._process.returncode)
            raise TargetFailed(
                f"the analysis was killed by {how} (without free memory, the kernel does that). The record is kept: "
                f"make the reports with brownout report {self._folder}"
            )
        if _version(report) in (None, earlier):
            last = output.decode(errors="replace").strip().splitlines()[-LAST_LINES:]
            if self._process.returncode == 2:
                raise UserError("\n    ".join(last))
            raise TargetFailed(
                "\n    ".join(["the analysis wrote no report:", *last])
                + (f"\n    {report} is from an earlier analysis" if earlier is not None else "")
                + f"\n    the record is kept: make the reports with brownout report {self._folder}"
            )
        return self._process.returncode

    def interrupt(self) -> None:
        """Kill the analysis, also while another thread is in `finish`, which then raises TargetFailed."""
        self._interrupted = True
        self._process.kill()

    def abandon(self) -> None:
        """Kill the analysis: its reports are not needed."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.kill()
        self._process.wait()


def _version(path: Path) -> tuple[int, int] | None:
    """Tells one content of a file from the next, which replaces it as a whole; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns)


def signal_name(number: int) -> str:
    """The name of a signal; `signal N` of one that has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
