"""Artificial records of runs for the tests of the analysis."""

from __future__ import annotations

from pathlib import Path

import pytest

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
