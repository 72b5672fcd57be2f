"""The report of an exercise, analysed once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from tests.support.exercise_records import exercise_run


@pytest.fixture(scope="session")
def exercise_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = exercise_run(tmp_path_factory.mktemp("exercise") / "run").write()
    analyse(path)
    return path


@pytest.fixture(scope="session")
def exercise_report(exercise_folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((exercise_folder / "report.json").read_text())
    return data
