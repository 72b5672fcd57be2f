"""GitHub: annotations of a pull request as workflow commands, and the summary of the step.

print(*gate_annotations(result), sep="\\n")
warning = write_step_summary(result, os.environ)
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

from brownout.result import ExperimentResult, Result
from reports.shared.plain_text import printable
from reports.writers.gate.summary import gate_summary, headline
from reports.writers.gate.words import (
    VERDICTS,
    change_text,
    failed_gates,
    gate_value_text,
    measure_text,
    own_verdict,
    regressions,
)

__all__ = ["ExperimentFile", "gate_annotations", "is_github", "locate_gates", "write_step_summary"]

_MOST: Final = 10
"""Annotations of a kind that GitHub shows for a step."""
_CHARACTERS: Final = 1_000
"""Of a message. GitHub shows the beginning only."""
_TITLE_CHARACTERS: Final = 200
_SUMMARY_BYTES: Final = 1024 * 1024
"""GitHub shows nothing of a step's summary that is larger."""
_FILE_BYTES: Final = 1_000_000
"""An experiment file that is larger is not searched."""
_SPACE: Final = re.compile(r"\s+")


class ExperimentFile(NamedTuple):
    """Where an experiment is written. `path`: relative to the checkout. `lines`: by a gate's text, from 1."""

    path: str
    lines: Mapping[str, int]


class _Note(NamedTuple):
    kind: Literal["error", "warning"]
    title: str
    message: str
    experiment: str
    gate: str = ""


def is_github(environment: Mapping[str, str]) -> bool:
    """Whether this is a job of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def gate_annotations(result: Result, files: Mapping[str, ExperimentFile] | None = None) -> list[str]:
    """A line for each violated gate and regression (`::error`), and for each that is not decided (`::warning`).

    At most ten of each kind: where there are more, the tenth says how many. An experiment that did not pass for another
    reason has one line for it. `files`: by the name of the experiment, see `locate_gates`. Lines have no line break.
    """
    notes = [note for experiment in result.experiments for note in _notes(experiment)]
    if own_verdict(result):
        kind: Literal["error", "warning"] = "warning" if result.verdict == "inconclusive" else "error"
        notes.insert(0, _Note(kind, "brownout gate", result.why[0] if result.why else headline(result), ""))
    lines = []
    for kind in ("error", "warning"):
        its = [note for note in notes if note.kind == kind]
        if len(its) > _MOST:
            rest = f"{len(its) - _MOST + 1} more {kind}s of this gate are in its summary"
            its = [*its[: _MOST - 1], _Note(kind, "brownout gate", rest, "")]
        lines += [_line(note, (files or {}).get(note.experiment)) for note in its]
    return lines


def locate_gates(result: Result, paths: Mapping[str, Path], checkout: Path) -> dict[str, ExperimentFile]:
    """Where the experiments of a result are written. Files that are not in the checkout or unreadable are left out.

    `paths`: the experiment's file by the name of the experiment, those that are files. Reads the files.
    """
    found = {}
    root = checkout.resolve()
    for experiment in result.experiments:
        path = paths.get(experiment.name)
        if path is None:
            continue
        try:
            inside = path.resolve().relative_to(root)
            about = path.stat()
            if not stat.S_ISREG(about.st_mode) or about.st_size > _FILE_BYTES:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError, RuntimeError):  # elsewhere, unreadable, or links in a circle
            continue
        found[experiment.name] = ExperimentFile(inside.as_posix(), _lines(text, [g.text for g in experiment.gates]))
    return found


def write_step_summary(result: Result, environment: Mapping[str, str]) -> str:
    """Append the summary to the file that `GITHUB_STEP_SUMMARY` names. Returns a warning where that did not work.

    "" where it did, and where the variable is not set. Where the file is almost full, only the verdict is appended.
    Raises nothing: the verdict of a gate does not depend on this file.
    """
    name = environment.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        return ""
    try:
        path = Path(name)
        before = path.stat().st_size if path.exists() else 0
        if path.exists() and not path.is_file():
            return f"the summary of the step was not written: {name} is no file"
        start = "\n\n" if before else ""
        for text in (gate_summary(result), f"## {headline(result)}\n"):
            content = (start + text).encode("utf-8")
            if before + len(content) <= _SUMMARY_BYTES:
                with path.open("ab") as file:
                    file.write(content)
                return ""
    except (OSError, ValueError) as error:
        return f"the summary of the step was not written: {name}: {_reason(error)}"
    return f"the summary of the step was not written: {name} already has {before:,} of 1,048,576 bytes"


def _reason(error: OSError | ValueError) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno is not None else str(error)


def _notes(experiment: ExperimentResult) -> Iterator[_Note]:
    """What an experiment has to say: first what is violated, then what is not decided."""
    name = experiment.name
    count = 0
    for gate in failed_gates(experiment):
        count += 1
        reasons = ". ".join(text.rstrip(".") for text in (gate_value_text(gate), experiment.sentence) if text)
        yield _Note("error", f"{name}: gate failed: {gate.text}", f"{reasons}.", name, gate.text)
    for measure in regressions(experiment):
        count += 1
        change, ends = change_text(measure)
        message = f"{change}{f' ({ends})' if ends else ''} compared with the base. {measure.why}"
        yield _Note("error", f"{name}: regression: {measure_text(measure)}", message, name)
    for gate in experiment.gates:
        if gate.verdict == "inconclusive":
            count += experiment.verdict == "inconclusive"
            yield _Note("warning", f"{name}: gate not decided: {gate.text}", gate.why, name, gate.text)
    for one in experiment.comparison.judged if experiment.comparison is not None else ():
        if one.verdict == "inconclusive":
            count += experiment.verdict == "inconclusive"
            yield _Note("warning", f"{name}: comparison not decided: {measure_text(one)}", one.why, name)
    if not experiment.passed and (not count or experiment.verdict in ("aborted", "failed", "interrupted")):
        word = VERDICTS[experiment.verdict]
        why = experiment.why[0] if experiment.why else experiment.sentence or word
        yield _Note("warning" if experiment.verdict == "inconclusive" else "error", f"{name}: {word}", why, name)


def _lines(text: str, gates: list[str]) -> dict[str, int]:
    """The first line that has a gate's text, whatever the white space; comments are no gates."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            continue
        flat = _flat(line)
        for gate in gates:
            if gate not in found and _flat(gate) in flat:
                found[gate] = number
    return found


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _line(note: _Note, file: ExperimentFile | None) -> str:
    properties = [f"title={_property(note.title)}"]
    if file is not None:
        properties.append(f"file={_property(file.path, _CHARACTERS)}")
        if number := file.lines.get(note.gate):
            properties.append(f"line={number}")
    return f"::{note.kind} {','.join(properties)}::{_data(note.message)}"


def _data(text: str, most: int = _CHARACTERS) -> str:
    """The escaping of GitHub's toolkit for the message of a command."""
    shown = printable(text if len(text) <= most else text[: most - 1] + "…")
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str, most: int = _TITLE_CHARACTERS) -> str:
    return _data(text, most).replace(":", "%3A").replace(",", "%2C")
