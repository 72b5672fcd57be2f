from __future__ import annotations

from pathlib import Path

import pytest

from loadprofiles.sessions.profile_file import load_profile
from loadprofiles.sessions.resolve_profile import main, resolved_profile
from reports.shared.errors import UserError


def test_another_process_resolves_the_same_profile() -> None:
    assert resolved_profile("coding-agent-ci") == load_profile("coding-agent-ci")


def test_an_unknown_profile_is_reported_with_the_most_similar_name() -> None:
    with pytest.raises(UserError, match='did you mean "coding-agent-ci"'):
        resolved_profile("coding-agnt-ci")


def test_mistakes_end_with_exit_code_2_and_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.yaml").write_text("title: no load\n")
    assert (main([]), main([str(tmp_path / "mine.yaml")])) == (2, 2)
    errors = capsys.readouterr().err
    assert "usage: python -m loadprofiles.sessions.resolve_profile" in errors
    assert "mine.yaml" in errors
