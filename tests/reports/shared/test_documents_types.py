"""A value keeps the type that YAML gives it: `true`, `1.0` and `"7"` are no whole numbers, and 1 is not `true`."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from chaos.experiment.file import ExperimentFile
from loadprofiles.sessions.profile_file import ProfileFile
from reports.shared.document import Document, Where
from reports.shared.documents import parse_document, read_document, validate
from reports.shared.errors import InvalidFile, Problem
from targets.stack import StackFile
from tests.support.paths import ROOT

Schema = type[ExperimentFile] | type[ProfileFile] | type[StackFile]

FOLDERS: list[tuple[str, Schema]] = [
    ("chaos/experiments", ExperimentFile),
    ("loadprofiles/profiles", ProfileFile),
    ("targets/stacks", StackFile),
]


def leaves(value: Any, path: Where = ()) -> Iterator[tuple[Where, Any]]:
    """Each value of a document that is neither a mapping nor a list."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from leaves(entry, (*path, key))
    elif isinstance(value, list):
        for at, entry in enumerate(value):
            yield from leaves(entry, (*path, at))
    else:
        yield path, value


def with_value(document: Document, path: Where, value: Any) -> Document:
    """The document with another value at `path`."""
    data = deepcopy(document.data)
    inner: Any = data
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return Document(document.file, data, document.lines)


def problems(document: Document, schema: Schema) -> list[Problem]:
    with pytest.raises(InvalidFile) as caught:
        validate(document, schema)
    return list(caught.value.problems)


def kind_of(where: Where) -> Where:
    """The key and the one above it, without the places in lists: it has one type in all files of a schema."""
    return tuple(part for part in where if isinstance(part, str))[-2:]


@pytest.mark.parametrize(("folder", "schema"), FOLDERS)
def test_no_number_of_a_shipped_file_can_be_true_and_no_boolean_a_number(folder: str, schema: Schema) -> None:
    kinds = set()
    for path in sorted((ROOT / folder).glob("*.yaml")):
        document = read_document(path)
        for where, value in leaves(document.data):
            if isinstance(value, (bool, int, float)) and kind_of(where) not in kinds:
                kinds.add(kind_of(where))
                wrong = 1 if isinstance(value, bool) else True
                found = problems(with_value(document, where, wrong), schema)
                assert [problem.line for problem in found] == [document.line(where)], (where, found)
                assert str(wrong).lower() in found[0].what, found
                assert found[0].remedy, found
    assert len(kinds) > 5


TEXT = """\
brownout: 1
name: mine
title: a hypothesis
target: {stack: multi-cloud}
load: {profile: coding-agent-ci, trace: {dir: .}}
slo: {ttft: 2s, tpot: 100ms}
timeline:
  faults:
    - {at: 0s, for: 5s, every: 9s, times: 2, stall: {pool: tpu}}
    - {for: 5s, surge: {factor: 2}}
gates: [sessions_lost == 0]
"""


@pytest.mark.parametrize(
    ("old", "new", "what", "remedy"),
    [
        ("gates:", "seed: true\ngates:", '"seed" must be a whole number, not true', "write a number"),
        ("gates:", "seed: 1.0\ngates:", '"seed" must be a whole number, not 1.0', "write 1"),
        ("gates:", "seed: 1e3\ngates:", '"seed" must be a whole number, not 1000.0', "write 1000"),
        ("gates:", "seed: '7'\ngates:", '"seed" must be a whole number, not "7"', "write it without quotes: 7"),
        ("brownout: 1", "brownout: true", '"brownout": must be 1, not true', "write brownout: 1"),
        ("brownout: 1", "brownout: 1.0", '"brownout": must be 1, not 1.0', "write brownout: 1"),
        ("{dir: .}", "{dir: ., max_calls: true}", "must be a whole number, not true", "write a number"),
        ("{dir: .}", "{dir: ., limit: 2.0}", "must be a whole number, not 2.0", "write 2"),
        ("{dir: .}", "{dir: ., speed: true}", "must be a number, not true", "write a number"),
        ("{dir: .}", "{dir: ., skip_bad: 1}", "must be true or false, not 1", "write true or false, without quotes"),
        ("{dir: .}", "{dir: ., skip_bad: 'yes'}", 'must be true or false, not "yes"', "write true or false"),
        ("times: 2", "times: true", "must be a whole number, not true", "write a number"),
        ("times: 2", "times: 2.0", "must be a whole number, not 2.0", "write 2"),
        ("{pool: tpu}", "{pool: tpu, at_most: true}", "must be a whole number, not true", "write a number"),
        ("{pool: tpu}", "{pool: tpu, share: true}", "true is not a percentage", "write a percentage"),
        ("factor: 2", "factor: true", "must be a number, not true", "write a number"),
        ("factor: 2", "factor: '2'", 'must be a number, not "2"', "write it without quotes: 2"),
        ("for: 5s, surge", "for: true, surge", "true is not a duration", "write a number with a unit"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_line_and_a_remedy(
    old: str, new: str, what: str, remedy: str
) -> None:
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    [problem] = problems(parse_document(text, "mine.yaml"), ExperimentFile)
    assert what.lower() in problem.what.lower()
    assert problem.remedy.startswith(remedy)
    assert problem.line == 1 + next(at for at, line in enumerate(text.splitlines()) if new.splitlines()[0] in line)


def test_a_whole_number_is_also_a_number() -> None:
    assert validate(parse_document(TEXT, "mine.yaml"), ExperimentFile).timeline.faults[1].specs[0].params() == {
        "factor": 2.0
    }


def test_an_escape_that_is_no_character_is_reported_with_its_line() -> None:
    with pytest.raises(InvalidFile) as caught:
        parse_document('name: a\ntitle: "\\ud800"\n', "mine.yaml")
    [problem] = caught.value.problems
    assert (problem.line, problem.what) == (2, "has an escape that is no character")
