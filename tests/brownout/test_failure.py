"""The message of a gate that did not pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from brownout.failure import failure_text
from brownout.result import ExperimentResult, Result
from tests.support.fake_gate import failed_result, result

FAILED = """\
brownout: fail (exit code 1)
small on naive: fail
  gate failed: lost == 0: measured 3
    3, not == 0
  gate failed: ttft_p95 < 2s: measured 2.5 s (95% interval 2.25 s to never)
    2.5 s, not < 2 s
  regression: TTFT p95 (fault)
    2.5 s here, 1.25 s in baseline of 2026-11-28: changed by 100% (interval 80% to 120%), accepted 10%
    worse by more than 10%
  what happened: tpu-0 died, and its streams were cut.
  failed calls:
    12 calls: stream cut
    3 calls: 503
    2 calls: 429
  what helps: continue cut streams on another replica
  report: out/small-2/report.html
  play it again: play 8"""


def changed(verdict: str, **fields: object) -> Result:
    """The failed result, with another verdict and other fields of its experiment."""
    whole = failed_result()
    one = replace(whole.experiments[0], verdict=verdict, **fields)  # type: ignore[arg-type]
    return replace(whole, verdict=verdict, experiments=(one,))  # type: ignore[arg-type]


def test_a_failure_says_what_failed_and_how_to_play_it_again() -> None:
    assert failure_text(failed_result()) == FAILED
    with pytest.raises(AssertionError) as caught:
        failed_result().assert_passed()
    assert str(caught.value) == FAILED


def test_a_measure_that_no_run_has_is_given_no_values() -> None:
    comparison = failed_result().experiments[0].comparison
    assert comparison is not None
    why = "ttft.p95: not measured in any run"
    one = replace(
        comparison.measures[0], verdict="inconclusive", here=None, there=None, change=None, interval=None, why=why
    )
    text = failure_text(changed("inconclusive", gates=(), comparison=replace(comparison, measures=(one,))))
    assert f"regression undecided: TTFT p95 (fault)\n    {why}\n  what happened" in text


def test_an_interval_of_another_level_says_which() -> None:
    gates = tuple(replace(gate, level=0.995) for gate in failed_result().experiments[0].gates)
    assert "measured 2.5 s (99.5% interval 2.25 s to never)" in failure_text(changed("fail", gates=gates))


def test_a_result_that_passed_raises_nothing() -> None:
    assert failure_text(result("pass")) == ""
    result("pass").assert_passed()


def test_an_inconclusive_result_passes_only_where_that_is_allowed() -> None:
    undecided = changed("inconclusive", gates=failed_result().experiments[0].gates[3:])
    text = failure_text(undecided)
    assert "gate undecided: itl_p99 < 1s: measured nothing\n    too few calls\n" in text
    with pytest.raises(AssertionError, match="small on naive: inconclusive"):
        undecided.assert_passed()
    undecided.assert_passed(allow_inconclusive=True)


@pytest.mark.parametrize("verdict", ["fail", "aborted", "failed", "interrupted"])
def test_no_other_verdict_is_ever_accepted(verdict: str) -> None:
    with pytest.raises(AssertionError, match=f"small on naive: {verdict}"):
        changed(verdict).assert_passed(allow_inconclusive=True)


def test_a_result_of_no_experiment_has_not_passed() -> None:
    nothing = replace(result("pass", why=("stopped",)), experiments=())
    assert failure_text(nothing) == "brownout: pass: no experiment was played\n  stopped"


def test_only_experiments_that_did_not_pass_are_named() -> None:
    good: ExperimentResult = replace(result("pass").experiments[0], name="good")
    text = failure_text(replace(failed_result(), experiments=(good, *failed_result().experiments)))
    assert text.startswith("brownout: fail, 1 of 2 experiments (exit code 1)\nsmall on naive: fail\n")
    assert "good" not in text


def test_an_interruption_after_experiments_that_passed_gives_its_reason() -> None:
    ended = replace(result("pass"), verdict="interrupted", exit_code=130, why=("interrupted by the user",))
    assert failure_text(ended) == "brownout: interrupted (exit code 130)\n  interrupted by the user"


def test_a_failed_experiment_contradicts_a_result_that_says_pass() -> None:
    with pytest.raises(AssertionError, match="small on naive: fail"):
        replace(failed_result(), verdict="pass").assert_passed()


def test_an_end_without_a_gate_gives_its_reasons() -> None:
    text = failure_text(changed("failed", gates=(), comparison=None, why=("the gateway exited with status 1",)))
    assert "small on naive: failed\n  the gateway exited with status 1\n" in text


@pytest.mark.parametrize(("commands", "report"), [(("play 7",), "small-1"), ((), "small-2"), (("unknown",), "small-2")])
def test_the_report_is_the_one_of_the_run_that_decided(commands: tuple[str, ...], report: str) -> None:
    whole = changed("fail", commands=commands)
    text = failure_text(replace(whole, folder=Path("/out")))
    assert f"  report: /out/{report}/report.html\n" in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.971, "share", "97.1%"),
        (2.1, "USD", "$2.10"),
        (1.05, "x", "1.05x"),
        (1234.4, "tok/s", "1,234 tok/s"),
        (0.35, "s", "350 ms"),
    ],
)
def test_values_are_shown_in_their_unit(value: float, unit: str, text: str) -> None:
    gate = replace(failed_result().experiments[0].gates[0], value=value, unit=unit)
    assert f"measured {text}\n" in failure_text(changed("fail", gates=(gate,)))


def test_doubts_that_many_gates_share_are_told_once() -> None:
    gate = failed_result().experiments[0].gates[3]
    busy = [replace(gate, why=f"{value} s, not < 1 s; but the machine was busy; and late") for value in (2, 3)]
    text = failure_text(changed("inconclusive", gates=(*busy, replace(gate, why="2 s; but the fault hit nothing"))))
    assert text.count("    undecided, because the machine was busy; and late\n") == 1
    assert text.count("    undecided, because the fault hit nothing\n") == 1
    assert text.count("gate undecided: itl_p99 < 1s: measured nothing\n") == 3
