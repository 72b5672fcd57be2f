"""The sections of one experiment in a gate's summary: what broke and why, tables, runs, how to play it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from brownout.result import Comparison, ExperimentResult, MeasureChange
from reports.explanation.words import undecided_notes
from reports.writers.gate.markdown_text import code, details, html_text, prose, shell_block
from reports.writers.gate.sections import Rank, Section
from reports.writers.gate.tables import gates_table, measures_table, runs_table
from reports.writers.gate.words import deciding_text, other_reasons, seeds_text, time_text, verdict_text

__all__ = ["experiment_sections"]

_REASONS: Final = 5
"""Reasons, notes and groups of failed calls that are listed."""
_COMMANDS: Final = 5
_CAN_FIND: Final = "*can find*: the smallest worsening that so many pairs find with a probability of 99%."


def experiment_sections(experiment: ExperimentResult, alone: bool = False) -> Iterator[Section]:
    """The sections of an experiment. One that passed is a single section, closed until the reader opens it.

    `alone`: it is the only one of the gate, so its first lines are open, also where it passed.
    """
    if experiment.passed:
        yield _passed(experiment, alone)
        return
    yield Section(Rank.BROKEN, "what broke in an experiment", _head(experiment))
    open_gates = [gate for gate in experiment.gates if gate.verdict != "pass"]
    if open_gates:
        notes = _listed(undecided_notes([asdict(gate) for gate in open_gates]), 600)
        yield Section(Rank.TABLE, "gates that did not pass", _joined(gates_table(open_gates), notes))
    passed = [gate for gate in experiment.gates if gate.verdict == "pass"]
    if passed:
        yield Section(Rank.PASSED, "passed gates", details(_count(len(passed), "gate passed"), gates_table(passed)))
    yield from _compared(experiment)
    if experiment.failures:
        calls = _joined("Failed calls, by reason:", _listed(list(experiment.failures), 400))
        yield Section(Rank.CALLS, "failed calls", calls)
    if experiment.commands:
        yield Section(Rank.AGAIN, "commands to play it again", _again(experiment))
    if experiment.runs:
        yield Section(Rank.RUNS, "runs", details(_runs_line(experiment), runs_table(experiment.runs)))


def _heading(experiment: ExperimentResult) -> str:
    title = prose(experiment.title, 120)
    name = f"{code(experiment.name, 80)} on {prose(experiment.target, 80)}"
    return f"{title} ({name})" if title else name


def _head(experiment: ExperimentResult) -> str:
    """What broke, by which gate, and what helps."""
    parts = [f"### {verdict_text(experiment.verdict)}: {_heading(experiment)}", prose(experiment.sentence, 1_000)]
    what, value = deciding_text(experiment)
    if what:
        label = "Not decided" if experiment.verdict == "inconclusive" else "Decided by"
        parts.append(f"**{label}** {code(what)}: {prose(value)}.")
    if experiment.helps:
        parts.append(f"**What helps:** {prose(experiment.helps, 1_000)}")
    parts += [_listed(other_reasons(experiment), 600)]
    if experiment.stopped:
        parts.append(f"No further run was played: {prose(experiment.stopped, 300)}")
    return _joined(*parts)


def _compared(experiment: ExperimentResult) -> Iterator[Section]:
    found = experiment.comparison
    if found is None:
        return
    worse = [measure for measure in found.judged if measure.verdict != "pass"]
    if worse or found.note or found.verdict != "pass":
        notes = _listed(_undecided_measures(worse), 600)
        tables = measures_table(worse) if worse else ""
        can_find = _CAN_FIND if worse else ""
        yield Section(Rank.TABLE, "compared measures", _joined(_compared_line(found), tables, can_find, notes))
    if same := [measure for measure in found.judged if measure.verdict == "pass"]:
        line = f"{_count(len(same), 'measure')} not worse than {html_text(found.base, 80)}"
        yield Section(Rank.PASSED, "measures that are not worse", details(line, measures_table(same)))
    if found.shown:
        line = (
            f"{_count(len(found.shown), 'measure')} that {'is' if len(found.shown) == 1 else 'are'} shown, not judged"
        )
        yield Section(Rank.PASSED, "measures that are not judged", details(line, measures_table(found.shown)))


def _undecided_measures(measures: list[MeasureChange]) -> list[str]:
    undecided = [measure for measure in measures if measure.verdict == "inconclusive" and measure.why]
    reasons = dict.fromkeys(measure.why for measure in undecided)
    return [
        f"not decided: {'; '.join(one.measure for one in undecided if one.why == reason)}: {reason}"
        for reason in reasons
    ]


def _compared_line(found: Comparison) -> str:
    pairs = f"{found.pairs} {'pair' if found.pairs == 1 else 'pairs'} of runs of the same seed"
    how = "stored runs" if found.source == "baseline" else "both sides played in turn"
    worse = sum(measure.verdict == "fail" for measure in found.judged)
    result = f"{worse} of {len(found.judged)} measures became worse" if worse else verdict_text(found.verdict)
    note = f" {prose(found.note)}" if found.note else ""
    return f"**Compared with** {code(found.base, 80)} ({how}, {pairs}): {result}.{note}"


def _again(experiment: ExperimentResult) -> str:
    more = len(experiment.commands) - _COMMANDS
    note = f"{more} more commands are in `gate.json`." if more > 0 else ""
    return _joined("**Play it again:**", shell_block(experiment.commands[:_COMMANDS]), note)


def _runs_line(experiment: ExperimentResult) -> str:
    seeds = seeds_text(experiment.runs)
    looks = f", judged {experiment.looks} times" if experiment.looks > 1 else ""
    plural = "seed" if "," not in seeds else "seeds"
    return f"{_count(len(experiment.runs), 'run')} in {time_text(experiment.duration_s)} ({plural} {seeds}){looks}"


def _passed(experiment: ExperimentResult, alone: bool) -> Section:
    sentence = prose(experiment.sentence, 1_000)
    parts = [gates_table(experiment.gates) if experiment.gates else ""]
    if experiment.comparison is not None:
        measures = experiment.comparison.judged
        parts += [_compared_line(experiment.comparison), measures_table(measures) if measures else ""]
        parts.append(_CAN_FIND if measures else "")
    if experiment.runs:
        parts += [f"{_runs_line(experiment)}:", runs_table(experiment.runs)]
    if experiment.commands:
        parts.append(_again(experiment))
    passed = _count(len(experiment.gates), "gate passed") if experiment.gates else "no gates"
    mark = verdict_text("pass")
    if alone:
        head = f"### {mark}: {_heading(experiment)}"
        text = _joined(head, sentence, details(f"{passed}, {_runs_line(experiment)}", _joined(*parts)))
        return Section(Rank.BROKEN, "the experiment", text)
    name = f"{html_text(experiment.name, 80)} on {html_text(experiment.target, 80)}"
    text = details(f"<b>{mark}: {name}</b>: {passed}", _joined(sentence, *parts))
    return Section(Rank.OTHERS, "experiments that passed", text)


def _count(number: int, what: str) -> str:
    """`1 gate passed`, `3 gates passed`: the first word in the plural."""
    noun, _, rest = what.partition(" ")
    return f"{number:,} {noun}{'' if number == 1 else 's'}{' ' if rest else ''}{rest}"


def _listed(texts: list[str], limit: int) -> str:
    lines = [f"- {prose(text, limit)}" for text in texts[:_REASONS]]
    if len(texts) > _REASONS:
        lines.append(f"- {len(texts) - _REASONS} more are in `gate.json`")
    return "\n".join(lines)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
