"""Whatever stands in an experiment file: it is accepted, or refused with its line and a remedy, never a traceback."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.experiment.model import load_experiment
from chaos.faults.catalogue import KINDS
from loadprofiles.sessions.profile_file import load_profile
from reports.shared.errors import InvalidFile, UserError
from targets.stack import load_stack
from tests.support.paths import ROOT

SHIPPED = [
    *sorted((ROOT / "chaos" / "experiments").glob("*.yaml")),
    *sorted((ROOT / "targets" / "stacks").glob("*.yaml")),
    *sorted((ROOT / "loadprofiles" / "profiles").glob("*.yaml")),
]
ODD: list[Any] = [
    *(None, True, 0, -1, 10**30, 1e308, float("nan"), float("inf"), 1e-9, "", "x", "150%", "-5s", "0.1ms", "1e3"),
    *([], [[]], {}, [None], {"a": 1}, {"pool": "tpu"}, "x" * 2000, "30%", "1ms", "\u202e", {"": ""}),
]
TEXT = """brownout: 1
name: x
title: x
target: {{stack: multi-cloud}}
load: {{profile: coding-agent-ci}}
slo: {{ttft: 2s, tpot: 100ms}}
timeline:
  baseline: {baseline}
  faults:
    - {{at: 0s, {times}, {fault}}}
gates: [sessions_lost == 0]
"""


def problems(
    folder: Path, *, baseline: str = "15s", times: str = "for: 8s", fault: str = "latency: {pool: tpu, delay: 5ms}"
) -> list[tuple[int, str, str]]:
    """Line, problem and remedy of each mistake in a file with these parts; empty: accepted."""
    path = folder / "x.yaml"
    path.write_text(TEXT.format(baseline=baseline, times=times, fault=fault))
    try:
        load_experiment(path)
    except InvalidFile as error:
        return [(problem.line, problem.what, problem.remedy) for problem in error.problems]
    return []


@pytest.mark.parametrize("value", ["null"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_without_a_value_is_refused_with_line_and_remedy(tmp_path: Path, kind: str, value: str) -> None:
    [(line, what, remedy), *_] = problems(tmp_path, fault=f"{kind}: {value}")
    assert line == 10
    assert "has no value" in what
    assert remedy == f"write what it acts on in braces: {kind}: {{...}}, or remove the key"


@pytest.mark.parametrize("value", ["5", "[{}]", "{pool: null}"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_with_a_value_of_another_type_is_no_traceback(tmp_path: Path, kind: str, value: str) -> None:
    for line, what, _ in problems(tmp_path, fault=f"{kind}: {value}"):
        assert line == 10, what


@pytest.mark.parametrize(
    ("baseline", "what"),
    [("0.1ms", "0.1 ms is too short for a phase"), ("1e-9", "is too short for a phase"), ("0s", "more than 0 s")],
)
def test_a_phase_that_is_too_short_is_refused(tmp_path: Path, baseline: str, what: str) -> None:
    [(line, found, remedy)] = problems(tmp_path, baseline=baseline)
    assert (line, what in found, bool(remedy)) == (8, True, True)


@pytest.mark.parametrize("length", ["1ms", "3ms", "7ms", "0.1s", "0.3s", "0.7s", "1.1s", "2.3s"])
@pytest.mark.parametrize("schedule", ["every: {0}, times: 9", "random: 60s, times: 9", "random: {0}, times: 1"])
def test_a_schedule_without_gaps_is_not_refused_for_rounding(tmp_path: Path, length: str, schedule: str) -> None:
    times = f"at: 0.1s, for: {length}, {schedule.format(length)}".replace("at: 0.1s, ", "")
    assert problems(tmp_path, times=times) == []


def test_a_schedule_that_overlaps_by_a_millisecond_is_refused(tmp_path: Path) -> None:
    [(_, what, _)] = problems(tmp_path, times="for: 101ms, every: 100ms, times: 3")
    assert "needs 101 ms to end" in what


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "is empty"),
        ("  \n\n", 1, "is empty"),
        ("# only\n# comments\n", 1, "has nothing but comments"),
        ("a: 1\nb: " + "[" * 3000 + "]" * 3000, 2, "is nested too deeply"),
        ("a: 1\nb: " + "{c: " * 3000 + "}" * 3000, 2, "is nested too deeply"),
    ],
)
def test_an_empty_or_deeply_nested_file_is_named_with_line_and_remedy(
    tmp_path: Path, text: str, line: int, what: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile) as refused:
        load_experiment(path)
    [problem] = refused.value.problems
    assert (problem.line, problem.what) == (line, what)
    assert problem.remedy


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each part of a document."""
    if isinstance(value, dict):
        return [path, *(one for key in value for one in paths(value[key], (*path, key)))]
    if isinstance(value, list):
        return [path, *(one for index, item in enumerate(value) for one in paths(item, (*path, index)))]
    return [path]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), odd=st.sampled_from(ODD))
def test_a_shipped_file_with_any_part_replaced_is_accepted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int, odd: Any
) -> None:
    drawn = random.Random(seed)
    shipped = drawn.choice(SHIPPED)
    document = yaml.safe_load(shipped.read_text())
    *above, last = drawn.choice([path for path in paths(document) if path])
    part = document
    for key in above:
        part = part[key]
    part[last] = copy.deepcopy(odd)
    path = tmp_path_factory.mktemp("fuzz") / shipped.name
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    try:
        if shipped.parent.name == "experiments":
            load_experiment(path)
        elif shipped.parent.name == "stacks":
            load_stack(str(path))
        else:
            load_profile(str(path))
    except InvalidFile as error:
        for problem in error.problems:
            assert problem.line > 0, problem
    except UserError:
        pass  # a name or a file that does not exist
