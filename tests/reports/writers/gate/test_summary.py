"""summary.md of a gate: below 60,000 bytes, whole tables, and nothing that a text from elsewhere can do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brownout.result import Result
from reports.writers.gate.summary import gate_summary, headline, write_gate_summary
from tests.support.gate_results import (
    HOSTILE,
    experiment,
    failed_result,
    gate,
    hostile_result,
    inconclusive_result,
    many_results,
    passed_result,
    regression_result,
    result,
    run,
)

RESULTS = {
    "failed": failed_result(),
    "passed": passed_result(),
    "inconclusive": inconclusive_result(),
    "regression": regression_result(),
    "hostile": hostile_result(),
    "3": many_results(3),
    "40": many_results(40),
    "120": many_results(120, rows=12),
    "hostile 60": result(*hostile_result().experiments * 30),
    "nothing": result(why=("no experiment was played",)),
}


@pytest.mark.parametrize("made", RESULTS.values(), ids=RESULTS)
def test_the_summary_is_short_and_each_of_its_elements_is_closed(made: Result, rendered: Callable[[str], Any]) -> None:
    text = gate_summary(made)
    page = rendered(text)
    assert len(text.encode()) < 60_000
    assert (page.open, page.unbalanced) == ([], [])
    assert text.splitlines()[0] == f"## {headline(made)}"
    assert page.tags.count("details") == page.tags.count("summary")
    allowed = "details summary table thead tbody tr th td code pre p h2 h3 strong em b ul li hr"
    assert set(page.tags) <= set(allowed.split())


@pytest.mark.parametrize(
    ("made", "first"),
    [
        (failed_result(), "✗ brownout gate failed: 2 of 5 gates failed, 1 is inconclusive"),
        (passed_result(), "✓ brownout gate passed: both gates passed"),
        (inconclusive_result(), "? brownout gate inconclusive: 1 of 2 gates is inconclusive"),
        (regression_result(), "✗ brownout gate failed: 1 of 4 measures became worse; both gates passed"),
        (many_results(3), "✗ brownout gate failed: 1 of 3 experiments failed, 1 is inconclusive; 1 of 12 gates failed"),
        (
            many_results(40),
            "✗ brownout gate failed: 14 of 40 experiments failed, 13 are inconclusive; 14 of 160 gates failed",
        ),
        (
            result(experiment(verdict="aborted"), experiment(verdict="aborted"), experiment(verdict="failed")),
            "✗ brownout gate broken: 1 of 3 experiments broke, 2 were aborted",
        ),
        (result(), "? brownout gate inconclusive: nothing was judged"),
    ],
)
def test_the_first_line_is_the_verdict_with_counts(made: Result, first: str) -> None:
    assert headline(made) == first


def test_the_exit_code_is_explained_for_the_pipeline() -> None:
    assert "**Exit code 1: block the merge.** A gate is violated" in gate_summary(failed_result())
    assert "**Exit code 3: do not block by default; play it again, or ask a person.** " in gate_summary(
        inconclusive_result()
    )


def test_a_gate_that_was_stopped_between_experiments_says_why() -> None:
    text = gate_summary(result(experiment(), verdict="interrupted", why=("interrupted by SIGTERM",)))
    assert text.startswith("## ■ brownout gate interrupted: 1 gate passed\n\n**Exit code 130: play it again.** ")
    assert "- interrupted by SIGTERM" in text


def test_experiments_that_failed_come_first() -> None:
    text = gate_summary(many_results(3))
    assert text.index("### ✗ failed") < text.index("### ? inconclusive") < text.index("<b>✓ passed: experiment-02")


def test_commands_to_play_it_again_stand_in_a_block() -> None:
    assert "```sh\nbrownout gate lose-tpu-pool --stack naive --seed 3\n" in gate_summary(failed_result())


def test_a_text_that_does_not_fit_is_left_out_by_whole_sections() -> None:
    text = gate_summary(many_results(40))
    assert "Left out, because a summary must stay below 60 KB: " not in text
    text = gate_summary(many_results(120, rows=12))
    assert "Left out, because a summary must stay below 60 KB: " in text
    assert "experiments that passed (40 times)" in text
    assert "`experiment-00`" in text
    assert "more rows are in `gate.json`." in text


def test_hostile_texts_make_no_element_mention_link_or_row(rendered: Callable[[str], Any]) -> None:
    page = rendered(gate_summary(hostile_result()))
    assert not {"script", "a", "img", "del"} & set(page.tags)
    for active in ("@octocat", "@org", "#12", "GH-7", "://", "www.", "\x00", "\x1b", "\u202e"):
        assert active not in page.outside_code
    assert "</details><script>alert(1)</script>" in page.text
    gates, runs, measures_and_experiments = 4, 6, 7
    assert set(page.columns) == {gates, runs, measures_and_experiments}


def test_other_characters_than_ascii_are_cut_between_characters() -> None:
    long = "漢字🙂" * 5_000
    made = result(*(experiment(f"{n}", sentence=long, helps=long, gates=[gate(long, "fail")]) for n in range(40)))
    text = gate_summary(made)
    assert len(text.encode("utf-8")) < 60_000
    assert "…" in text
    assert "\ufffd" not in text


def test_runs_name_their_seed_duration_and_doubts() -> None:
    runs = (run(7, duration_s=754.0, doubts=("the machine was busy",)), run(8))
    text = gate_summary(result(experiment(runs=runs, verdict="inconclusive"))).replace("\u00a0", " ")
    assert "| 1 | ✓ passed | 7 | 12 min 34 s | the machine was busy | `runs/head-7/report.html` |" in text
    assert "<summary>2 runs in 13 min 39 s (seeds 7, 8)</summary>" in text


def test_summary_md_is_written_as_a_whole(tmp_path: Path) -> None:
    path = write_gate_summary(hostile_result(), tmp_path)
    assert path == tmp_path / "summary.md"
    assert path.read_text(encoding="utf-8") == gate_summary(hostile_result())
    assert HOSTILE not in path.read_text(encoding="utf-8")
