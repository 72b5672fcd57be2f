"""A file is there with all of its content, or as it was before."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.shared.whole_file import write_whole
from tests.support.small_disk import fill, small_disk


def test_the_content_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("a much longer text than the new one")
    assert write_whole(path, b"new") == path
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_content_and_no_part_of_the_new_one(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / "report.json").write_text("old")
        fill(disk)
        with pytest.raises(OSError, match="No space left"):
            write_whole(disk / "report.json", b"x" * 100_000)
        assert (disk / "report.json").read_text() == "old"
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "report.json"]
