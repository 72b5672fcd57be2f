"""Token streams and markers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.shared.tokens import TOKEN_CHARS, Marker, find_marker, marker_text, text_key, token_stream, tokens_in


@given(st.text(), st.integers(0, 50), st.integers(0, 50))
def test_a_shorter_stream_is_a_prefix_of_a_longer_one(key: str, first: int, second: int) -> None:
    short, long = sorted((first, second))
    assert token_stream(key, long).startswith(token_stream(key, short))
    assert len(token_stream(key, long)) == long * TOKEN_CHARS


def test_a_stream_has_the_same_tokens_in_every_process_and_version() -> None:
    assert token_stream("s1/main#0", 4) == "QzTSYTSqEQj3IMek"
    assert token_stream("s1/main#0", 0) == ""


def test_the_streams_of_two_keys_share_no_token_at_the_same_place() -> None:
    first, second = token_stream("s1/main#0", 100), token_stream("s1/main#1", 100)
    assert all(first[at : at + 4] != second[at : at + 4] for at in range(0, 400, 4))


@given(st.from_regex(r"[\w.:-]+", fullmatch=True), st.from_regex(r"[\w.:-]+", fullmatch=True), st.integers(0, 10**6))
def test_a_marker_is_found_as_it_was_written(session: str, agent: str, turn: int) -> None:
    marker = Marker(session, agent, turn)
    assert find_marker(f"read the file {marker_text(marker)}") == marker


def test_the_last_valid_marker_counts() -> None:
    text = f"{marker_text(Marker('s1', 'main', 0))} {marker_text(Marker('s1', 'main', 1))} [session broken]"
    assert find_marker(text) == Marker("s1", "main", 1)
    assert find_marker("no marker") is None


def test_the_key_of_a_text_without_marker_depends_on_the_text_alone() -> None:
    assert text_key("hello") == text_key("hello") != text_key("hello ")
    assert text_key("hello").startswith("text:")


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2)])
def test_four_characters_are_a_token_rounded_up(text: str, tokens: int) -> None:
    assert tokens_in(text) == tokens
