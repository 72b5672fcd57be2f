"""Tables in pages of the documentation."""

from __future__ import annotations

from pathlib import Path

from bench.table import write_between


def test_the_text_is_written_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- made -->\nold\n<!-- end -->\nafter\n")
    write_between(page, "<!-- made -->", "<!-- end -->", "new")
    write_between(page, "<!-- made -->", "<!-- end -->", "newer")
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "newer" in text
    assert "old" not in text
