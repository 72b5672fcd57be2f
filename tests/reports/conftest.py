"""Records of runs that never were, for every test of the analysis."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.record_builder import RecordBuilder, good_run


@pytest.fixture
def record(tmp_path: Path) -> RecordBuilder:
    """A record with phases and nothing in them."""
    builder = RecordBuilder(tmp_path / "run")
    builder.phases()
    return builder


@pytest.fixture
def good(tmp_path: Path) -> RecordBuilder:
    """A record of a run in which all went well: 100 sessions of 3 calls, no fault."""
    return good_run(tmp_path / "run")
