"""Results of gates for tests: each part by itself, and whole ones that passed, failed or could not be decided.

failed_result()                                     # two gates failed, one is inconclusive
result(experiment("mine", gates=[gate("sessions_lost == 0", value=3.0, verdict="fail")]))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from brownout.result import (
    Comparison,
    ExperimentResult,
    GateResult,
    MeasureChange,
    PlayedRun,
    Result,
    Verdict,
)

__all__ = [
    "HOSTILE",
    "compared",
    "experiment",
    "failed_result",
    "gate",
    "hostile_result",
    "inconclusive_result",
    "many_results",
    "measure",
    "passed_result",
    "regression_result",
    "result",
    "run",
]

_CODES: Final = {"pass": 0, "fail": 1, "inconclusive": 3, "aborted": 4, "failed": 5, "interrupted": 130}
_SEVERITY: Final = ("interrupted", "failed", "fail", "aborted", "inconclusive", "pass")
_THREE = Literal["pass", "fail", "inconclusive"]

HOSTILE: Final = (
    "a | b `c` ``d`` </details><script>alert(1)</script> <!-- @octocat, @org/team #12 GH-7 octo/repo#3\n"
    "# head\n\n| x |\n|---|\n```\n- [link](http://evil.example) ![i](x) ~~s~~ **b** _e_ $a$ &lt; \\| "
    "www.evil.example ::error::x %0A\r\x00\x1b[31m\u202e\u2028\ud800 ::set-output name=a::b " + "long" * 2_000
)
"""Text that tries to leave the place where it is shown."""


def run(number: int = 1, **fields: Any) -> PlayedRun:
    """A run of 61.25 s that passed, in its own folder."""
    side = fields.get("side", "head")
    given: dict[str, Any] = {
        "folder": f"runs/{side}-{number}",
        "side": side,
        "seed": number,
        "verdict": "pass",
        "exit_code": 0,
        "sound": True,
        "started_at": f"2026-11-28T22:{number % 60:02d}:00.500+00:00",
        "duration_s": 61.25,
        "report": f"runs/{side}-{number}/report.html",
        "command": f"brownout run lose-tpu-pool --seed {number}",
    }
    return PlayedRun(**given | fields)


def gate(text: str = "sessions_lost == 0", verdict: _THREE = "pass", **fields: Any) -> GateResult:
    """A gate on a count; its measure is the first word of its text."""
    given: dict[str, Any] = {
        "text": text,
        "measure": text.split()[0],
        "title": "sessions lost",
        "unit": "count",
        "op": "==",
        "bound": 0.0,
        "verdict": verdict,
        "why": "0, as required (== 0)" if verdict == "pass" else "24, not == 0",
        "value": 0.0 if verdict == "pass" else 24.0,
        "runs_judged": 1,
    }
    return GateResult(**given | fields)


NOTHING: Final[dict[str, Any]] = dict.fromkeys(("here", "there", "change", "interval", "p", "spread", "detectable"))
"""The numbers of a compared measure that no run has."""


def measure(name: str = "ttft.p95", verdict: _THREE = "pass", **fields: Any) -> MeasureChange:
    """A time in the fault phase, 2 % more than the base, with 10 % accepted."""
    given: dict[str, Any] = {
        "measure": name,
        "title": "time to first token, 95th percentile",
        "phase": "fault",
        "unit": "s",
        "better": "lower",
        "here": 1.02,
        "there": 1.0,
        "change": 0.02,
        "relative": True,
        "tolerance": 0.1,
        "verdict": verdict,
        "why": "2% more, at most 5% more with 95%, which is within the accepted 10%",
        "interval": (-0.01, 0.05),
        "p": 0.001,
        "spread": 0.02,
        "detectable": 0.076,
    }
    return MeasureChange(**given | fields)


def compared(*measures: MeasureChange, **fields: Any) -> Comparison:
    """Five interleaved pairs beside `main`; the verdict is that of the measures."""
    verdicts = [one.verdict for one in measures]
    given: dict[str, Any] = {
        "base": "main",
        "source": "interleaved",
        "pairs": 5,
        "seeds": (1, 2, 3, 4, 5),
        "verdict": next((one for one in ("fail", "inconclusive") if one in verdicts), "pass"),
        "why": tuple(one.why for one in measures if one.verdict != "pass"),
        "measures": measures,
    }
    return Comparison(**given | fields)


def experiment(name: str = "lose-tpu-pool", gates: Sequence[GateResult] = (), **fields: Any) -> ExperimentResult:
    """An experiment with one run; its verdict is that of its gates and its comparison."""
    its = tuple(gates) or (gate(),)
    comparison: Comparison | None = fields.get("comparison")
    verdicts = [one.verdict for one in its] + ([comparison.verdict] if comparison else [])
    verdict: Verdict = fields.get("verdict") or ("fail" if "fail" in verdicts else "inconclusive")
    if "verdict" not in fields and set(verdicts) == {"pass"}:
        verdict = "pass"
    runs = fields.get("runs", (run(),))
    given: dict[str, Any] = {
        "name": name,
        "title": "Lose the TPU pool under load",
        "target": "multi-cloud",
        "verdict": verdict,
        "exit_code": _CODES[verdict],
        "why": tuple(f"{one.text}: {one.why}" for one in its if one.verdict != "pass") or ("all gates passed",),
        "gates": its,
        "runs": runs,
        "duration_s": sum(one.duration_s for one in runs) + 4.0,
        "sentence": "No session was lost. 80 calls met the fault kill: 42 were interrupted, and all 42 carried on.",
        "commands": (f"brownout gate {name} --seed 1",),
    }
    return ExperimentResult(**given | fields)


def result(*experiments: ExperimentResult, **fields: Any) -> Result:
    """A result over these experiments; its verdict is the most severe one."""
    verdicts = [one.verdict for one in experiments]
    verdict = fields.get("verdict") or next((one for one in _SEVERITY if one in verdicts), "inconclusive")
    given: dict[str, Any] = {
        "verdict": verdict,
        "exit_code": _CODES[verdict],
        "why": tuple(f"{one.name}: {why}" for one in experiments for why in one.why if not one.passed),
        "experiments": experiments,
        "started_at": "2026-11-28T22:00:00.500+00:00",
        "duration_s": sum(one.duration_s for one in experiments),
        "command": "brownout gate " + " ".join(one.name for one in experiments),
        "version": "0.1.0",
        "machine": "2 cores, 8 GB",
    }
    return Result(**given | fields)


def _ttft(verdict: _THREE = "pass", **fields: Any) -> GateResult:
    given: dict[str, Any] = {
        "title": "time to first token, 95th percentile",
        "unit": "s",
        "op": "<=",
        "bound": 2.0,
        "value": 1.2,
        "interval": (1.1, 1.35),
        "why": "1.2 s (95%: 1.1 s to 1.35 s), as required (<= 2 s)",
    }
    return gate("ttft.p95 in fault <= 2 s", verdict, **given | fields)


def passed_result() -> Result:
    """One experiment, two gates and one run; all passed."""
    return result(experiment(gates=[gate(headline=True), _ttft()]))


def failed_result() -> Result:
    """One experiment over three runs: two gates failed, one is inconclusive, two passed."""
    gates = [
        gate("session_success >= 90%", steady_state=True, unit="share", op=">=", bound=0.9, value=1.0, why="100%"),
        gate(verdict="fail", headline=True, values=(24.0, 19.0, 31.0), value=31.0, runs_judged=3, why="31, not == 0"),
        _ttft(
            "fail",
            value=3.1,
            interval=(2.8, 3.5),
            values=(3.0, 3.3, 3.0),
            runs_judged=3,
            why="3.1 s (95%: 2.8 s to 3.5 s), not <= 2 s",
        ),
        gate(
            "ttft.p99 in baseline <= 2 s",
            "inconclusive",
            unit="s",
            op="<=",
            bound=2.0,
            value=1.9,
            interval=(1.5, float("inf")),
            values=(1.8, 2.1, None),
            runs_judged=2,
            why="1.9 s (95%: 1.5 s or more), on both sides of 2 s; but 90 calls count as 32: too few to decide",
        ),
        gate("failover.max <= 5 s", unit="s", op="<=", bound=5.0, value=1.38, values=(1.1, 1.38, 0.9), runs_judged=3),
    ]
    runs = (
        run(1, verdict="fail", exit_code=1),
        run(2, verdict="fail", exit_code=1),
        run(3, verdict="fail", exit_code=1, doubts=("6.1% of the tokens of tpu-0 were over 20 ms late",)),
    )
    return result(
        experiment(
            gates=gates,
            target="naive",
            runs=runs,
            sentence="31 sessions lost: each of 27 was on the pool tpu when it was killed, and naive does not retry a "
            "broken stream; 4 more for another reason.",
            helps="continue started answers on another replica (migration), and retry before the first token",
            failures=(
                "27 calls, 27 sessions lost: truncated on the pool tpu in the fault phase: stream ended early",
                "4 calls, 4 sessions lost: http_5xx with status 502 on the pool tpu in the fault phase: no replica",
            ),
            commands=("brownout gate lose-tpu-pool --stack naive --seed 3", "brownout trace runs/head-3 --failover"),
        )
    )


def inconclusive_result() -> Result:
    """One experiment whose machine was too busy to decide a gate."""
    late = "9.4% of the tokens were over 20 ms late"
    gates = [
        gate(),
        _ttft(
            "inconclusive", value=2.4, interval=(2.1, 2.7), why=f"2.4 s (95%: 2.1 s to 2.7 s), not <= 2 s; but {late}"
        ),
    ]
    return result(
        experiment(
            gates=gates,
            runs=(run(7, verdict="inconclusive", exit_code=3, sound=False, doubts=(late,)),),
            sentence=f"This machine was too busy to decide one gate: {late}. Stop other programs on it.",
            stopped="the time of --within is over",
            looks=2,
        )
    )


def regression_result() -> Result:
    """One experiment whose gates passed, and which became worse than the base in one of four measures."""
    worse = measure(
        verdict="fail",
        here=1.18,
        change=0.18,
        interval=(0.12, 0.24),
        why="18% more (95%: 12% to 24% more), beyond the accepted 10%",
    )
    lost = measure(
        "sessions_lost",
        title="sessions lost",
        phase=None,
        unit="count",
        here=1.0,
        there=0.0,
        change=1.0,
        relative=False,
        tolerance=0.0,
        interval=None,
        detectable=4.0,
    )
    share = measure(
        "slo_attainment",
        "inconclusive",
        title="SLO attainment",
        unit="share",
        better="higher",
        here=0.961,
        there=0.975,
        change=-0.014,
        relative=False,
        tolerance=0.02,
        interval=(-0.031, 0.003),
        detectable=0.026,
        why="1.4 points less, on both sides of the accepted 2 points: more pairs would decide it",
    )
    pairs = tuple(run(number, side=side) for number in range(1, 6) for side in ("base", "head"))
    return result(
        experiment(
            gates=[gate(runs_judged=5, values=(0.0,) * 5), _ttft(runs_judged=5, values=(1.2, 1.1, 1.3, 1.2, 1.2))],
            comparison=compared(worse, lost, share, measure("tpot.p95", here=0.051, there=0.05)),
            runs=pairs,
            why=(f"ttft.p95 in fault: {worse.why}",),
            sentence="Time to first token in the fault phase became worse than on main.",
        )
    )


def many_results(count: int, rows: int = 4) -> Result:
    """So many experiments, each with so many gates; every third failed, and every third is inconclusive."""
    verdicts: tuple[_THREE, ...] = ("fail", "inconclusive", "pass")
    made = []
    for number in range(count):
        verdict = verdicts[number % 3]
        gates = [gate(f"calls >= {row}", why=f"{row} calls") for row in range(rows - 1)]
        name = f"experiment-{number:02d}"
        made.append(experiment(name, gates=[gate(verdict=verdict), *gates], comparison=compared(measure())))
    return result(*made)


def hostile_result() -> Result:
    """Every text of it is `HOSTILE`."""
    gates = [gate(verdict="fail", headline=True), gate(verdict="inconclusive"), gate(), gate("calls >= 1")]
    texts: dict[str, Any] = {"text": HOSTILE, "measure": HOSTILE, "title": HOSTILE, "why": HOSTILE}
    hostile_gates = [gate(verdict=one.verdict, **{k: v for k, v in texts.items() if k != "text"}) for one in gates]
    its = tuple(_with_text(one, HOSTILE + str(number)) for number, one in enumerate(hostile_gates))
    bad = measure(HOSTILE, "fail", title=HOSTILE, phase=HOSTILE, why=HOSTILE)
    unclear = measure(HOSTILE, "inconclusive", title=HOSTILE, phase=HOSTILE, why=HOSTILE)
    fields: dict[str, Any] = {
        "title": HOSTILE,
        "target": HOSTILE,
        "why": (HOSTILE,),
        "runs": (run(why=(HOSTILE,), doubts=(HOSTILE,), folder=HOSTILE, report=HOSTILE, command=HOSTILE),),
        "sentence": HOSTILE,
        "helps": HOSTILE,
        "failures": (HOSTILE, HOSTILE),
        "commands": (HOSTILE, "echo ```; echo '<b>' | cat"),
        "comparison": compared(bad, unclear, measure(HOSTILE), base=HOSTILE, note=HOSTILE, why=(HOSTILE,)),
        "stopped": HOSTILE,
    }
    failed = experiment(HOSTILE, gates=its, **fields)
    passed = experiment(HOSTILE, gates=[its[2]], **fields | {"verdict": "pass"})
    return result(failed, passed, command=HOSTILE, version=HOSTILE, machine=HOSTILE, started_at=HOSTILE)


def _with_text(one: GateResult, text: str) -> GateResult:
    fields = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return GateResult(**fields | {"text": text})
