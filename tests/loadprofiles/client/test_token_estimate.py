from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.client.token_estimate import TokenCounter, weight_of


def test_four_characters_are_a_token_and_wide_characters_are_one_each() -> None:
    assert [weight_of(text) for text in ("abcd", "港口", "Übe", "")] == [4, 8, 3, 0]


def test_small_chunks_have_at_least_one_token_each() -> None:
    counter = TokenCounter()
    assert [counter.add(weight) for weight in (1, 1, 1, 0, 40)] == [1, 1, 1, 0, 8]


@given(st.lists(st.integers(1, 400)))
def test_chunks_add_up_to_the_total_rounded_up_or_one_for_each(weights: list[int]) -> None:
    counter = TokenCounter()
    total = sum(counter.add(weight) for weight in weights)
    assert max(len(weights), -(-sum(weights) // 4)) <= total <= len(weights) + -(-sum(weights) // 4)
