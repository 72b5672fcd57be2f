"""The exit code for an unexpected exception."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chaos.cli import app, listing


@pytest.mark.parametrize(("error", "code"), [(KeyError("run"), 5), (OSError(28, "No space left"), 5)])
def test_an_unexpected_exception_exits_with_5_and_not_as_a_failed_gate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    def broken(what: str, *, target: Path | None, as_json: bool) -> None:
        raise error

    monkeypatch.setattr(listing, "print_list", broken)
    monkeypatch.setattr(sys, "argv", ["brownout", "list"])
    assert app.main() == code
    assert type(error).__name__ in capsys.readouterr().err
