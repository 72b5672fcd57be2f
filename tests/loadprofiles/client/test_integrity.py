"""Comparisons with the expected token stream count exactly what happened."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles.client.integrity import compare
from reports.shared.tokens import token_stream

KEY = "r-1/main#3"
FULL = token_stream(KEY, 20)


def tokens(text: str) -> list[str]:
    return [text[i : i + 4] for i in range(0, len(text), 4)]


def test_the_expected_stream_is_exact() -> None:
    found = compare(FULL, FULL)
    assert found.exact
    assert (found.expected, found.received) == (20, 20)


def test_a_cut_answer_lacks_its_tail_and_is_a_prefix() -> None:
    found = compare(FULL, FULL[:28])
    assert (found.missing_tail, found.holes, found.exact, found.is_prefix) == (13, 0, False, True)


def test_missing_tokens_in_the_middle_are_holes() -> None:
    found = compare(FULL, FULL[:20] + FULL[32:])
    assert (found.holes, found.missing_tail, found.duplicated, found.spliced) == (3, 0, 0, 0)


def test_repeated_tokens_are_duplicated() -> None:
    found = compare(FULL, FULL[:20] + FULL[12:])
    assert (found.holes, found.missing_tail, found.duplicated, found.spliced) == (0, 0, 2, 0)


def test_tokens_of_another_answer_are_spliced() -> None:
    other = token_stream("r-2/main#3", 20)
    found = compare(FULL, FULL[:20] + other[20:])
    assert (found.spliced, found.missing_tail) == (15, 15)
    assert compare(FULL, other).spliced == 20


def test_a_lost_character_affects_only_its_token() -> None:
    found = compare(FULL, FULL[:21] + FULL[22:])
    assert (found.holes, found.missing_tail, found.spliced, found.duplicated) == (1, 0, 1, 0)


def test_tokens_after_the_expected_end_are_spliced() -> None:
    found = compare(FULL, token_stream(KEY, 24))
    assert (found.spliced, found.missing_tail, found.is_prefix) == (4, 0, False)


@settings(deadline=None)
@given(st.lists(st.integers(0, 19), max_size=30))
def test_every_received_and_every_missing_token_is_counted(picks: list[int]) -> None:
    all_tokens = tokens(FULL)
    found = compare(FULL, "".join(all_tokens[pick] for pick in picks))
    assert found.received == len(picks)
    assert found.duplicated == len(picks) - len(set(picks))
    assert found.holes + found.missing_tail == 20 - len(set(picks))
