"""The fidelity benchmark: its short form passes, and it fails if a profile gets worse."""

from __future__ import annotations

import os
import subprocess

from brownout.children import python_words
from tests.support.paths import ROOT


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)


def test_no_error_exceeds_the_known_one() -> None:
    done = run(*python_words("-m", "bench.fidelity", "--short"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 of 7 figures within 10 %" in done.stdout


def test_a_profile_that_got_worse_fails() -> None:
    worse = (
        "from dataclasses import replace; from bench import fidelity; load = fidelity.load_hardware; "
        "fidelity.load_hardware = lambda name: replace(load(name), a_ms=1.2 * load(name).a_ms); "
        "raise SystemExit(fidelity.main(['--short']))"
    )
    done = run(*python_words("-c", worse))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "above 10 %  WORSE than the known error" in done.stdout
