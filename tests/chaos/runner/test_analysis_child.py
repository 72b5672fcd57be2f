"""The analysis as a child process."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.runner.analysis_child import AnalysisChild
from reports.shared.errors import UserError


def test_a_folder_without_a_record_of_a_run_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"\x00\xff not ours\n")
    with pytest.raises(UserError, match="has no record of a run"):
        AnalysisChild(tmp_path).finish()
