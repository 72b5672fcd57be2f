"""The experiment of a record: read as it was played, or refused where it was changed to something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reports.record.experiment_file import read_experiment
from reports.shared.errors import RecordError


def test_fields_that_are_not_checked_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text("name: x\ngates: [sessions_lost == 0, {gate: a, on_inconclusive: fail}]\nown: {a: 1}\n")
    notes: list[str] = []
    assert read_experiment(path, notes)["own"] == {"a": 1}
    assert notes == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("gates: yes", "$.gates"),
        ("stack: {replicas: [1]}", "$.stack.replicas[0]"),
        ("slo: 3", "$.slo"),
        ("[]", "object"),
    ],
)
def test_a_field_of_another_type_is_refused_with_its_place(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text(text)
    with pytest.raises(RecordError) as refused:
        read_experiment(path, [])
    assert str(refused.value).startswith(f"{path} was changed after the run: ")
    assert where in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [b"a: [", b"\xff\xfe\x00", b"[" * 50_000, b"a: !!bool x", b"a: !!timestamp x", b"a: !!int ''"],
    ids=["open", "no-text", "deep", "bool", "timestamp", "int"],
)
def test_one_that_cannot_be_read_is_damage_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_bytes(content)
    damage: list[str] = []
    assert read_experiment(path, damage) == {}
    assert damage[0].startswith("experiment.yaml cannot be read")
    assert damage[0].endswith("restore it, or play the experiment again")


def test_one_that_is_missing_empty_or_a_pipe_is_damage(tmp_path: Path) -> None:
    damage: list[str] = []
    assert read_experiment(tmp_path / "experiment.yaml", damage) == {}
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    assert read_experiment(tmp_path / "empty", damage) == read_experiment(tmp_path / "pipe", damage) == {}
    assert damage[0].startswith("experiment.yaml is missing: ")
    assert damage[1].startswith("experiment.yaml is empty: ")
    assert damage[2].startswith("experiment.yaml cannot be read (not a regular file): ")
