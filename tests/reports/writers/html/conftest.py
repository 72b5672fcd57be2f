"""The report of a run in which a pool was killed, shared by the tests of the page."""

from __future__ import annotations

import pytest

from reports.analysis import analyse
from reports.report.build import Report
from tests.support.lost_pool import lost_pool_run


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of `lost_pool_run`."""
    return analyse(lost_pool_run(tmp_path_factory.mktemp("runs") / "run").write(), write=False)
