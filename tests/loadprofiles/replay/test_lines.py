from __future__ import annotations

from pathlib import Path

import pytest

from loadprofiles.replay.lines import read_lines
from loadprofiles.replay.mistakes import Mistakes


def test_reading_continues_after_a_line_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadprofiles.replay.lines.MAX_LINE_BYTES", 8)
    path = tmp_path / "x"
    path.write_bytes(b"one\n12345678\n1234567\nno end to it at all\n\nlast")
    mistakes = Mistakes()
    assert list(read_lines(path, mistakes)) == [(1, "one"), (3, "1234567"), (6, "last")]
    assert [problem.line for problem in mistakes.first] == [2, 4]
