"""The analysis of a run, in a process of its own: its libraries are too large for the runner.

It starts during the drain and loads its libraries. It begins to read when the record is closed.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

from chaos.supervision.supervisor import child_environment
from reports.shared.errors import TargetFailed, UserError

__all__ = ["AnalysisChild"]

ANALYSIS_WITHIN_S = 600.0
LAST_LINES = 6


class AnalysisChild:
    """One `python -m reports.analysis RUN --wait`. Raises TargetFailed if it cannot be started.

    It is in a session of its own, so that Ctrl-C reaches only the runner. It ends if the runner dies, because its
    standard input is closed then.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "logs" / "analysis.log"
        try:
            self._log.parent.mkdir(exist_ok=True)
            with self._log.open("wb") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "reports.analysis", str(folder), "--wait"],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=child_environment({}),
                    start_new_session=True,
                )
        except OSError as error:
            raise TargetFailed(f"the analysis cannot be started: {error}") from error

    def finish(self) -> int:
        """Analyse the record, which must be closed. Returns the exit code of the verdict.

        Raises UserError if the folder holds no record of a run, TargetFailed if the analysis fails or takes too long.
        """
        report = self._folder / "report.json"
        report.unlink(missing_ok=True)
        try:
            self._process.communicate(b"go\n", timeout=ANALYSIS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.abandon()
            raise TargetFailed(
                f"the analysis took more than {ANALYSIS_WITHIN_S:g} s and was killed; log: {self._log}"
            ) from None
        except BaseException:
            self.abandon()
            raise
        if not report.is_file():
            last = self._log.read_text(errors="replace").strip().splitlines()[-LAST_LINES:]
            if self._process.returncode == 2:
                raise UserError("\n    ".join(last))
            raise TargetFailed("the analysis wrote no report:\n    " + "\n    ".join(last))
        return self._process.returncode

    def abandon(self) -> None:
        """Kill the analysis: its reports are not needed."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.kill()
        self._process.wait()
