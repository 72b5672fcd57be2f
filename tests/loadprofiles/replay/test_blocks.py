from __future__ import annotations

import pytest

from loadprofiles.replay import TraceOptions
from loadprofiles.replay.blocks import text_of_blocks
from loadprofiles.replay.recorded import Blocks
from reports.shared.tokens import TOKEN_CHARS
from tests.support.session_player import common_chars


def text(ids: list[int], scope: str = "a.jsonl", text_scope: str = "r/0", shrink: float = 8.0) -> str:
    return text_of_blocks(Blocks(scope, 512, ids), TraceOptions(shrink=shrink), text_scope, 256 * TOKEN_CHARS)


@pytest.mark.parametrize("shrink", [8.0, 15.0])
def test_equal_ids_are_equal_text_up_to_where_they_differ(shrink: float) -> None:
    common = common_chars(text([1, 2, 3], shrink=shrink), text([1, 2, 4], shrink=shrink))
    assert 0 <= common - round(2 * 512 / shrink) * TOKEN_CHARS < 4 * TOKEN_CHARS
    assert text([1, 2, 3], shrink=shrink) == text([1, 2, 3], shrink=shrink)


def test_equal_ids_in_another_file_or_text_scope_are_different_text() -> None:
    assert common_chars(text([1, 2]), text([1, 2], scope="b.jsonl")) < 4 * TOKEN_CHARS
    assert common_chars(text([1, 2]), text([1, 2], text_scope="r/1")) < 4 * TOKEN_CHARS


def test_the_text_has_the_requested_length_even_if_the_blocks_are_shorter() -> None:
    assert len(text([1])) == len(text([1, 2, 3, 4, 5])) == 256 * TOKEN_CHARS
