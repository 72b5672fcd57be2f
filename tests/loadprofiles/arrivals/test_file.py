"""The arrivals of a profile file: every shape as written, and every mistake with its line and remedy."""

from __future__ import annotations

from itertools import islice, takewhile
from pathlib import Path

import msgspec
import pytest

from loadprofiles.arrivals import (
    ArrivalsSpec,
    Constant,
    Diurnal,
    LaunchDay,
    Poisson,
    Ramp,
    Sawtooth,
    Shapes,
    Spike,
    Step,
    Trace,
)
from loadprofiles.draws import Draws
from loadprofiles.sessions.profile_file import load_profile
from reports.shared.errors import InvalidFile

REST = """
shared_prefix: 100
own_prefix: 50
calls: 2
appended: 20
output: 10
tool: 30ms
"""


def arrivals(folder: Path, written: str) -> ArrivalsSpec:
    path = folder / "mine.yaml"
    path.write_text(f"arrivals: {written}{REST}")
    return load_profile(path).arrivals


def complaints(folder: Path, written: str) -> list[tuple[str, int, str, str]]:
    with pytest.raises(InvalidFile) as caught:
        arrivals(folder, written)
    return [(Path(p.file).name, p.line, p.what, p.remedy) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "spec"),
    [
        ("{constant: {rate: 2}}", ArrivalsSpec(constant=Constant(2))),
        ("{ramp: {start: 1, end: 9, from: 5s, over: 1m}}", ArrivalsSpec(ramp=Ramp(1, 9, 60, 5))),
        ("{step: {start: 1, end: 9, at: 20s}}", ArrivalsSpec(step=Step(1, 9, 20))),
        ("{spike: {base: 1, peak: 9, for: 5s}}", ArrivalsSpec(spike=Spike(1, 9, 5))),
        ("{sawtooth: {low: 1, high: 9, period: 20s}}", ArrivalsSpec(sawtooth=Sawtooth(1, 9, 20))),
        ("{sawtooth: {low: 1, high: 9, period: 20s, rest: 5s}}", ArrivalsSpec(sawtooth=Sawtooth(1, 9, 20, 5))),
        ("{diurnal: {low: 1, high: 9, period: 60s}}", ArrivalsSpec(diurnal=Diurnal(1, 9, 60))),
        (
            "{launch_day: {base: 1, peak: 9, from: 15s, half_life: 10s}}",
            ArrivalsSpec(launch_day=LaunchDay(1, 9, 10, 15)),
        ),
        (
            "{poisson: {diurnal: {low: 1, high: 9, period: 60s}}}",
            ArrivalsSpec(poisson=Poisson(diurnal=Diurnal(1, 9, 60))),
        ),
        ("{gamma: {cv: 4, step: {start: 1, end: 9, at: 2s}}}", ArrivalsSpec(poisson=Poisson(step=Step(1, 9, 2), cv=4))),
        (
            "{poisson: {sum: [{constant: {rate: 1}}, {spike: {base: 0, peak: 5, for: 5s}}]}}",
            ArrivalsSpec(poisson=Poisson(sum=(Shapes(constant=Constant(1)), Shapes(spike=Spike(0, 5, 5))))),
        ),
        (
            "{sum: [{constant: {rate: 1}}, {poisson: {constant: {rate: 2}}}]}",
            ArrivalsSpec(
                sum=(ArrivalsSpec(constant=Constant(1)), ArrivalsSpec(poisson=Poisson(constant=Constant(2)))),
            ),
        ),
    ],
)
def test_every_shape_is_read_and_survives_the_way_to_the_load_generator(
    tmp_path: Path, written: str, spec: ArrivalsSpec
) -> None:
    found = arrivals(tmp_path, written)
    assert found == spec
    assert msgspec.json.decode(msgspec.json.encode(found), type=ArrivalsSpec) == spec


@pytest.mark.parametrize(
    ("written", "says", "remedy"),
    [
        ("{stpe: {start: 1, end: 2, at: 5s}}", 'unknown key "stpe"', 'did you mean "step"?'),
        ("{launch-day: {base: 1, peak: 2, half_life: 5s}}", "launch-day", 'did you mean "launch_day"?'),
        ("{sawtooth: {low: 3, high: 2, period: 5s}}", "low 3 is above high 2", "swap them"),
        (
            "{sawtooth: {low: 1, high: 2, period: 5s, rest: 5s}}",
            "rest 5 s is not below period 5 s",
            "shorter than period",
        ),
        ("{diurnal: {low: 1, high: 2, period: 0s}}", "period", ""),
        ("{launch_day: {base: 3, peak: 2, half_life: 5s}}", "base 3 is above peak 2", "swap them"),
        ("{launch_day: {base: 1, peak: 2, half_live: 5s}}", "half_live", 'did you mean "half_life"?'),
        ("{gamma: {constant: {rate: 1}}}", "cv", ""),
        ("{gamma: {cv: 40, constant: {rate: 1}}}", "cv", ""),
        ("{poisson: {poisson: {constant: {rate: 1}}}}", "poisson", ""),
        ("{poisson: {constant: {rate: 1}, step: {start: 1, end: 2, at: 5s}}}", "exactly one shape", "keep one of"),
        ("{sum: []}", "sum", ""),
        ("{sum: [{constant: {rate: 1}}, {}]}", "exactly one shape, found none", "keep one of"),
        ("{trace: {}}", "file", ""),
        ("{trace: {file: starts.txt, speed: 0}}", "speed", ""),
    ],
)
def test_a_mistake_is_answered_with_its_line_and_a_remedy(tmp_path: Path, written: str, says: str, remedy: str) -> None:
    found = complaints(tmp_path, written)
    assert {(file, line) for file, line, _, _ in found} == {("mine.yaml", 1)}
    assert any(says in what and remedy in hint for _, _, what, hint in found), found


@pytest.mark.parametrize(
    ("text", "options", "times"),
    [
        ("0.0\n0.35\n\n# a pause\n2.1\n", "", (0.0, 0.35, 2.1)),
        ("5\n45\n", ", speed: 10", (0.5, 4.5)),
        ("Timestamp,Model\n5,ChatGPT\n45,GPT-4\n", "", (5.0, 45.0)),
        ("Model,Timestamp\nChatGPT,5\nGPT-4,45\n", ", column: Timestamp", (5.0, 45.0)),
        (
            "TIMESTAMP,ContextTokens\n2023-11-16 18:17:03.9799600,374\n2023-11-16 18:17:05.0319600,396\n",
            "",
            (0.0, 1.052),
        ),
        ("\ufeff7\n", "", (7.0,)),
    ],
)
def test_recorded_start_times_are_read_as_lines_or_a_column(
    tmp_path: Path, text: str, options: str, times: tuple[float, ...]
) -> None:
    (tmp_path / "starts.csv").write_text(text)
    found = arrivals(tmp_path, f"{{trace: {{file: starts.csv{options}}}}}")
    assert found.trace is not None
    assert found.trace.times_s == pytest.approx(times)
    assert list(found.arrivals(Draws(1))) == list(found.trace.times_s)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("1\ntwo\n3\n2\n-5\n", "", [(2, '"two" is not a time'), (4, "2 is before the time"), (5, "-5 is before")]),
        ("-1\n", "", [(1, "-1 is before the load's start")]),
        ("t,model\n1,a\n,b\nnan,c\n", "", [(3, '"" is not a time'), (4, '"nan" is not a time')]),
        ("when,model\n1,a\n", ", column: wen", [(1, 'has no column "wen"')]),
        ("# nothing\n\n", "", [(0, "has no start times")]),
        ("1\n2000-01-01\n1999-01-01\n", "", [(2, "2000-01-01 is before"), (3, "1999-01-01 is before")]),
    ],
)
def test_a_file_of_start_times_that_cannot_be_is_answered_with_its_own_lines(
    tmp_path: Path, text: str, options: str, expected: list[tuple[int, str]]
) -> None:
    (tmp_path / "starts.csv").write_text(text)
    found = complaints(tmp_path, f"{{trace: {{file: starts.csv{options}}}}}")
    assert [(file, line) for file, line, _, _ in found] == [("starts.csv", line) for line, _ in expected]
    for (_, _, what, _), (_, says) in zip(found, expected, strict=True):
        assert says in what


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ((file, line, what, _),) = complaints(tmp_path, "{trace: {file: nowhere.csv}}")
    assert (file, line) == ("nowhere.csv", 0)
    assert "cannot be read" in what


def test_too_many_mistakes_are_not_all_told(tmp_path: Path) -> None:
    (tmp_path / "starts.csv").write_text("no\n" * 1000)
    assert len(complaints(tmp_path, "{trace: {file: starts.csv}}")) == 20


def test_in_a_sum_shapes_are_spread_as_one_rate_and_the_others_keep_their_times() -> None:
    chance = Poisson(constant=Constant(1.0))
    trace = Trace((0.7, 3.1))
    one, other = ArrivalsSpec(constant=Constant(1.0)), ArrivalsSpec(spike=Spike(0.0, 1.0, 10.0))
    spec = ArrivalsSpec(sum=(one, ArrivalsSpec(poisson=chance), other, ArrivalsSpec(trace=trace)))
    draws = Draws(5)
    found = list(takewhile(lambda at: at < 10, spec.arrivals(draws)))
    theirs = list(takewhile(lambda at: at < 10, chance.arrivals(draws.of("sum", 1))))
    even = [0.25 + 0.5 * i for i in range(20)]
    assert found == pytest.approx(sorted([*even, *theirs, *trace.times_s]))
    assert spec.rate(3.5) == pytest.approx(1 + 1 + 1)
    assert spec.rate(2.0) == pytest.approx(1 + 1 + 1 + 1 / 2.4)


def test_a_sum_of_shapes_alone_is_one_rate() -> None:
    spec = ArrivalsSpec(sum=(ArrivalsSpec(constant=Constant(3.0)), ArrivalsSpec(step=Step(0.0, 2.0, 10.0))))
    assert list(islice(spec.arrivals(Draws(1)), 3)) == pytest.approx([1 / 6, 1 / 2, 5 / 6])
    assert spec.curve().cumulative(20) == pytest.approx(80)
