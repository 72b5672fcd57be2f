"""summary.md of a gate: for a comment on a pull request and for a job's summary, always below 60,000 bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from brownout.result import ExperimentResult, Result
from reports.shared.whole_file import write_whole
from reports.writers.gate.exit_codes import exit_code_text
from reports.writers.gate.experiment import experiment_sections
from reports.writers.gate.markdown_text import code, prose
from reports.writers.gate.sections import Rank, Section, fit
from reports.writers.gate.tables import overview_table
from reports.writers.gate.words import VERDICTS, own_verdict, regressions, time_text, verdict_text

__all__ = ["gate_summary", "headline", "write_gate_summary"]

_ORDER: Final = ("failed", "fail", "aborted", "interrupted", "inconclusive", "pass")
_REASONS: Final = 5


def write_gate_summary(result: Result, folder: Path) -> Path:
    """Write `summary.md` into `folder`, atomically. Raises OSError."""
    return write_whole(folder / "summary.md", gate_summary(result).encode("utf-8"))


def gate_summary(result: Result) -> str:
    """The summary in Markdown, below 60,000 bytes of UTF-8: what did not fit is left out by whole sections."""
    experiments = sorted(result.experiments, key=lambda one: _ORDER.index(one.verdict))
    sections = [Section(Rank.VERDICT, "the verdict", _verdict(result))]
    if len(experiments) > 1:
        sections.append(Section(Rank.OVERVIEW, "the table of experiments", overview_table(experiments)))
    for experiment in experiments:
        sections += experiment_sections(experiment, alone=len(experiments) == 1)
    sections.append(Section(Rank.VERDICT, "the version", _footer(result)))
    return fit(sections)


def headline(result: Result) -> str:
    """The verdict with counts, on one line of plain text: `✗ brownout gate failed: 2 of 6 gates failed`."""
    mark = verdict_text(result.verdict).partition(" ")[0]
    return f"{mark} brownout gate {VERDICTS[result.verdict]}: {_counts(result.experiments)}"


def _verdict(result: Result) -> str:
    action, _, meaning = exit_code_text(result.exit_code).partition(". ")
    parts = [f"## {headline(result)}", f"**{action}.** {meaning}"]
    if own_verdict(result):
        parts += [f"- {prose(why, 600)}" for why in result.why[:_REASONS]]
    return "\n\n".join(parts)


def _counts(experiments: Sequence[ExperimentResult]) -> str:
    """`1 of 3 experiments failed, 1 is inconclusive; 2 of 14 gates failed`: what did not pass first."""
    alone = len(experiments) == 1
    gates = [gate.verdict for one in experiments for gate in one.gates]
    worse = sum(len(regressions(one)) for one in experiments)
    measures = sum(len(one.comparison.measures) for one in experiments if one.comparison is not None)
    bad: list[str] = []
    good: list[str] = []
    if gates and (alone or "fail" in gates):
        (bad if set(gates) != {"pass"} else good).append(_part(gates, "gate", most=3 if alone else 1))
    if worse or (alone and measures):
        (bad if worse else good).append(f"{worse or 'none'} of {_number(measures, 'measure')} became worse")
    first = [] if alone or not experiments else [_part([one.verdict for one in experiments], "experiment")]
    return "; ".join([*first, *bad, *good]) or "nothing was judged"


def _part(verdicts: Sequence[str], noun: str, most: int = 6) -> str:
    """How many have each verdict but `pass`, the most severe first; at most so many verdicts."""
    if set(verdicts) == {"pass"}:
        return {1: f"1 {noun}", 2: f"both {noun}s"}.get(len(verdicts), f"all {len(verdicts):,} {noun}s") + " passed"
    counts = {name: verdicts.count(name) for name in _ORDER if name != "pass" and name in verdicts}
    first, *others = list(counts.items())[:most]
    texts = [f"{first[1]:,} of {_number(len(verdicts), noun)} {_became(*first)}"]
    return ", ".join([*texts, *(f"{count:,} {_became(name, count)}" for name, count in others)])


def _became(verdict: str, count: int) -> str:
    if verdict in ("inconclusive", "aborted", "interrupted"):
        verb = "is" if verdict == "inconclusive" else "was"
        return f"{verb if count == 1 else {'is': 'are', 'was': 'were'}[verb]} {verdict}"
    return "broke" if verdict == "failed" else VERDICTS[verdict]


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _footer(result: Result) -> str:
    facts = [f"brownout {prose(result.version, 40)}"]
    if result.machine:
        facts.append(f"on a machine of {prose(result.machine, 60)}")
    facts += [f"started {_minute(result.started_at)}", f"took {time_text(result.duration_s)}"]
    return f"---\n\n{', '.join(facts)}: {code(result.command, 300)}\n\nAll numbers are in `gate.json`."


def _minute(at: str) -> str:
    """`2026-11-28 22:04 UTC`; a text that is no time stays as it is."""
    try:
        return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return prose(at, 40)
