"""Artificial records of runs for the tests of the analysis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from tests.support.exercise_records import exercise_run
from tests.support.foreign_records import ForeignRecord, foreign_record
from tests.support.record_builder import RecordBuilder, good_run


@pytest.fixture
def record(tmp_path: Path) -> RecordBuilder:
    """A record with phases and no calls."""
    builder = RecordBuilder(tmp_path / "run")
    builder.phases()
    return builder


@pytest.fixture
def good(tmp_path: Path) -> RecordBuilder:
    """A record of a run without failures: 100 sessions of 3 calls, no fault."""
    return good_run(tmp_path / "run")


@pytest.fixture
def foreign(tmp_path: Path) -> ForeignRecord:
    """A record behind a gateway that is not ours, with phases and no calls."""
    return foreign_record(tmp_path / "run")


@pytest.fixture(scope="session")
def exercise_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an exercise that was analysed."""
    path = exercise_run(tmp_path_factory.mktemp("exercise") / "run").write()
    analyse(path)
    return path


@pytest.fixture(scope="session")
def exercise_report(exercise_folder: Path) -> dict[str, Any]:
    """Its report.json. Not to be changed."""
    data: dict[str, Any] = json.loads((exercise_folder / "report.json").read_text())
    return data
