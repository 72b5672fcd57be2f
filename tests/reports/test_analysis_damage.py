"""A damaged record gives a report or a message, never a traceback, and never a pass that the damage may explain."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports import analysis
from reports.analysis import analyse, main
from reports.record.reader import read_record
from reports.shared.errors import RecordError
from tests.reports.test_analysis import failing_over
from tests.support.record_builder import RecordBuilder

FILES = ("events.jsonl", "gauges.jsonl", "spans/0001.otlp")
ODD: list[Any] = [None, True, -1, 2**70, 10**400, 1e308, "", "x" * 300, [], [[]], {}, {"a": {"b": []}}, "NaN", 1e-300]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record that passes."""
    from tests.support.record_builder import good_run

    builder = good_run(tmp_path_factory.mktemp("whole") / "run")
    builder.experiment["gates"] = ["sessions_lost == 0", "session_success >= 90%"]
    path = failing_over(builder).write()
    assert analyse(path, write=False).verdict.verdict == "pass"
    return path


def judged(whole: Path, folder: Path, damage: Callable[[Path], None]) -> str:
    """The verdict of a copy of the record with this damage; "none" where it has no record any more.

    It does not use the net of `main`, which turns an unforeseen exception into a message.
    """
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy)
    damage(copy)
    try:
        verdict = analyse(copy, write=False).verdict.verdict
        damaged = bool(read_record(copy).damage)
    except RecordError:
        return "none"
    assert not (damaged and verdict == "pass"), "a pass that the damage may explain"
    return verdict


FUZZ = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@pytest.mark.parametrize("name", FILES)
@FUZZ
@given(share=st.floats(0, 1))
def test_a_file_that_ends_anywhere_is_read(whole: Path, tmp_path: Path, name: str, share: float) -> None:
    whole_bytes = len((whole / name).read_bytes())

    def cut(copy: Path) -> None:
        (copy / name).write_bytes((copy / name).read_bytes()[: int(share * whole_bytes)])

    verdict = judged(whole, tmp_path, cut)
    if name == "events.jsonl" and int(share * whole_bytes) < whole_bytes - 1:
        assert verdict in ("inconclusive", "none"), "its last line says how the run ended"


@pytest.mark.parametrize("name", FILES)
@FUZZ
@given(seed=st.integers(0, 2**32), count=st.integers(1, 20))
def test_flipped_bytes_are_read(whole: Path, tmp_path: Path, name: str, seed: int, count: int) -> None:
    def flip(copy: Path) -> None:
        data, drawn = bytearray((copy / name).read_bytes()), random.Random(seed)
        for _ in range(count):
            data[drawn.randrange(len(data))] = drawn.randrange(256)
        (copy / name).write_bytes(data)

    judged(whole, tmp_path, flip)


@pytest.mark.parametrize("name", FILES[:2])
@FUZZ
@given(seed=st.integers(0, 2**32), act=st.sampled_from(["drop", "double", "swap", "shuffle"]))
def test_lines_that_are_missing_doubled_or_out_of_order_are_read(
    whole: Path, tmp_path: Path, name: str, seed: int, act: str
) -> None:
    def change(copy: Path) -> None:
        lines, drawn = (copy / name).read_bytes().splitlines(), random.Random(seed)
        one, other = drawn.randrange(len(lines)), drawn.randrange(len(lines))
        if act == "drop":
            del lines[one]
        elif act == "double":
            lines.insert(other, lines[one])
        elif act == "swap":
            lines[one], lines[other] = lines[other], lines[one]
        else:
            drawn.shuffle(lines)
        (copy / name).write_bytes(b"\n".join(lines) + b"\n")

    judged(whole, tmp_path, change)


def put(value: Any, drawn: random.Random, odd: Any) -> Any:
    """A copy of a JSON value with one of its parts replaced."""
    if isinstance(value, dict) and value and drawn.random() < 0.85:
        key = drawn.choice(sorted(value))
        return {**value, key: put(value[key], drawn, odd)}
    if isinstance(value, list) and value and drawn.random() < 0.85:
        index = drawn.randrange(len(value))
        return [*value[:index], put(value[index], drawn, odd), *value[index + 1 :]]
    return odd


@pytest.mark.parametrize("name", FILES[:2])
@settings(FUZZ, max_examples=10)
@given(seed=st.integers(0, 2**32), odd=st.sampled_from(ODD))
def test_fields_of_any_type_are_read(whole: Path, tmp_path: Path, name: str, seed: int, odd: Any) -> None:
    def change(copy: Path) -> None:
        lines, drawn = (copy / name).read_text().splitlines(), random.Random(seed)
        for _ in range(drawn.randint(1, 3)):
            index = drawn.randrange(len(lines))
            lines[index] = json.dumps(put(json.loads(lines[index]), drawn, odd))
        (copy / name).write_text("\n".join(lines) + "\n")

    judged(whole, tmp_path, change)


@settings(FUZZ, max_examples=10)
@given(seed=st.integers(0, 2**32), odd=st.sampled_from(ODD))
def test_an_experiment_with_fields_of_any_type_is_read(whole: Path, tmp_path: Path, seed: int, odd: Any) -> None:
    import yaml

    def change(copy: Path) -> None:
        path, drawn = copy / "experiment.yaml", random.Random(seed)
        path.write_text(yaml.safe_dump(put(yaml.safe_load(path.read_text()), drawn, odd)))

    judged(whole, tmp_path, change)


def test_a_damaged_event_makes_a_passing_run_inconclusive(whole: Path, tmp_path: Path) -> None:
    def damage(copy: Path) -> None:
        lines = (copy / "events.jsonl").read_bytes().splitlines()
        lines[2] = b"garbage"
        (copy / "events.jsonl").write_bytes(b"\n".join(lines) + b"\n")

    assert judged(whole, tmp_path, damage) == "inconclusive"


def test_a_crash_of_the_analysis_is_a_message_with_its_details_in_a_file(
    good: RecordBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(record: Any) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(analysis, "gather", crash)
    path = good.write()
    assert main([str(path)]) == 5
    said = capsys.readouterr().err
    assert "this record cannot be analysed (ZeroDivisionError: nobody foresaw this)" in said
    assert "Traceback" not in said
    assert "Traceback" in (path / "logs" / "analysis-crash.log").read_text()


@pytest.mark.parametrize("name", ["spans/0002.otlp", "gauges.jsonl", "experiment.yaml"])
def test_a_pipe_in_the_place_of_a_file_is_damage_and_nothing_waits(whole: Path, tmp_path: Path, name: str) -> None:
    def put_pipe(copy: Path) -> None:
        (copy / name).unlink(missing_ok=True)
        os.mkfifo(copy / name)

    assert judged(whole, tmp_path, put_pipe) == "inconclusive"


def test_a_record_without_its_experiment_says_so_first_with_the_remedy(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "copy")
    (tmp_path / "copy" / "experiment.yaml").unlink()
    verdict = analyse(tmp_path / "copy", write=False).verdict
    assert (verdict.verdict, verdict.exit_code) == ("inconclusive", 3)
    assert verdict.why[0].startswith("the record is damaged: experiment.yaml is missing: ")


ENDINGS = {"finished": 0, "interrupted": 130, "failed": 5, "not_steady": 1, "aborted": 4}


@pytest.mark.parametrize(("event", "code"), ENDINGS.items())
def test_report_has_the_exit_code_of_the_way_the_run_ended(whole: Path, tmp_path: Path, event: str, code: int) -> None:
    shutil.copytree(whole, tmp_path / "copy")
    path = tmp_path / "copy" / "events.jsonl"
    path.write_text(path.read_text().replace('"finished", "why": ""', f'"{event}", "why": "because of that"'))
    verdict = analyse(tmp_path / "copy", write=False).verdict
    assert verdict.exit_code == code
    assert event == "finished" or "because of that" in verdict.why[0]
