"""A program in place of `brownout gate`: its experiment's name says what it does. And results as a gate writes them."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brownout.result import Comparison, ExperimentResult, GateResult, MeasureChange, PlayedRun, Result, Verdict

if TYPE_CHECKING:
    import pytest

__all__ = ["failed_result", "play_fake_gates", "result"]

CODES: dict[Verdict, int] = {"pass": 0, "fail": 1, "inconclusive": 3, "aborted": 4, "failed": 5, "interrupted": 130}


def result(verdict: Verdict = "pass", *experiments: ExperimentResult, why: tuple[str, ...] = ()) -> Result:
    """A result of one experiment without gates, or of these."""
    one = ExperimentResult("small", "A small one", "naive", verdict, CODES[verdict], why, (), (), 1.0)
    started = "2026-11-28T20:00:00Z"
    return Result(verdict, CODES[verdict], why, experiments or (one,), started, 1.0, "brownout gate small", "0.1.0")


def failed_result(folder: Path = Path("out")) -> Result:
    """A result with a failed gate, an undecided one, a regression, failed calls and two runs."""
    runs = (
        PlayedRun("small-1", "head", 7, "pass", 0, True, "", 60.0, report="small-1/report.html", command="play 7"),
        PlayedRun("small-2", "head", 8, "fail", 1, True, "", 60.0, report="small-2/report.html", command="play 8"),
    )
    gates = (
        GateResult("lost == 0", "sessions_lost", "Lost sessions", "", "==", 0, "fail", "3, not == 0", 3.0),
        GateResult(
            *("ttft_p95 < 2s", "ttft_p95", "TTFT p95", "s", "<", 2.0, "fail", "2.5 s, not < 2 s", 2.5),
            interval=(2.25, math.inf),
        ),
        GateResult("goodput >= 95%", "goodput", "Goodput", "share", ">=", 0.95, "pass", "97%, as required", 0.97),
        GateResult("itl_p99 < 1s", "itl_p99", "ITL p99", "s", "<", 1.0, "inconclusive", "too few calls", None),
    )
    change = MeasureChange(
        *("ttft_p95", "TTFT p95", "fault", "s", "lower", 2.5, 1.25, 1.0, True, 0.1, "fail", "worse by more than 10%"),
        interval=(0.8, 1.2),
    )
    same = MeasureChange(
        "goodput", "Goodput", None, "share", "higher", 0.97, 0.97, 0.0, False, 0.02, "pass", "not worse"
    )
    one = ExperimentResult(
        *("small", "A small one", "naive", "fail", 1, ("2 gates failed",), gates, runs, 120.0),
        comparison=Comparison("baseline of 2026-11-28", "baseline", 5, (1, 2), "fail", ("worse",), (change, same)),
        sentence="tpu-0 died, and its streams were cut.",
        helps="continue cut streams on another replica",
        failures=("12 calls: stream cut", "3 calls: 503", "2 calls: 429", "1 call: timeout"),
        commands=("play 8", "play 7"),
    )
    return Result(
        *("fail", 1, ("1 of 1 failed",), (one,), "2026-11-28T20:00:00Z", 121.0, "brownout gate small", "0.1.0"),
        folder=folder,
    )


def play_fake_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `brownout.run` start this module in place of `brownout gate`."""
    from brownout import client
    from brownout.children import python_words

    monkeypatch.setattr(client, "python_words", lambda *words: python_words(__file__, *words))


def _play(words: list[str]) -> int:
    """Act as the experiment is named."""
    import os
    import signal

    experiment, out = words[-1], Path(words[words.index("--out") + 1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "words.json").write_text(json.dumps([sys.flags.safe_path, words]))

    def write(verdict: Verdict, code: int) -> int:
        content: dict[str, Any] = result(verdict).to_json()
        (out / "gate.json.new").write_text(json.dumps(content))
        (out / "gate.json.new").rename(out / "gate.json")
        return code

    print(f"playing {experiment}", flush=True)
    if experiment in CODES:
        return write(experiment, CODES[experiment])
    match experiment:
        case "lie":
            return write("pass", 5)
        case "usage":
            print("brownout: my.yaml:3: no such stack", file=sys.stderr)
            return 2
        case "invalid":
            (out / "gate.json").write_text("{")
            return 0
        case "crash":
            print("\n".join(f"line {number}" for number in range(100)), file=sys.stderr)
            return 1
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait" | "stubborn":
            signals: list[int] = []
            signal.signal(signal.SIGINT, lambda *_: signals.append(1))
            (out / "ready").write_text(str(os.getpid()))
            while not signals or experiment == "stubborn":
                signal.pause()
            (out / "reverted").touch()
            print("reverted")
            return write("interrupted", 130)
    raise AssertionError(experiment)


if __name__ == "__main__":
    sys.exit(_play(sys.argv[1:]))
