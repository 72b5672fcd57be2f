"""The arrivals of a profile file: every kind as written, and every mistake with its line and remedy."""

from __future__ import annotations

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
def test_every_kind_is_read_and_survives_a_json_round_trip(tmp_path: Path, written: str, spec: ArrivalsSpec) -> None:
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
def test_a_mistake_is_reported_with_its_line_and_a_remedy(tmp_path: Path, written: str, says: str, remedy: str) -> None:
    found = complaints(tmp_path, written)
    assert {(file, line) for file, line, _, _ in found} == {("mine.yaml", 1)}
    assert any(says in what and remedy in hint for _, _, what, hint in found), found


def test_a_missing_file_of_start_times_is_reported_by_name(tmp_path: Path) -> None:
    ((file, line, what, _),) = complaints(tmp_path, "{trace: {file: nowhere.csv}}")
    assert (file, line) == ("nowhere.csv", 0)
    assert "cannot be read" in what


def test_recorded_start_times_are_divided_by_speed(tmp_path: Path) -> None:
    (tmp_path / "starts.csv").write_text("5\n45\n")
    found = arrivals(tmp_path, "{trace: {file: starts.csv, speed: 10}}")
    assert found.trace == Trace((0.5, 4.5))
    assert list(found.arrivals(Draws(1))) == [0.5, 4.5]


def test_mistakes_in_a_file_of_start_times_are_reported_with_that_file(tmp_path: Path) -> None:
    (tmp_path / "starts.csv").write_text("when,model\n1,a\n")
    ((file, line, what, remedy),) = complaints(tmp_path, "{trace: {file: starts.csv, column: wen}}")
    assert (file, line, what) == ("starts.csv", 1, 'has no column "wen"')
    assert 'did you mean "when"?' in remedy
