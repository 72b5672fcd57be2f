from __future__ import annotations

import pytest

from loadprofiles.replay.mistakes import SHOWN, Mistakes
from reports.shared.errors import InvalidFile


def test_the_first_50_mistakes_are_kept_in_full_and_all_are_counted() -> None:
    mistakes = Mistakes()
    for line in range(1, 1001):
        mistakes.add("a.csv", line, "is wrong")
    assert (mistakes.count, len(mistakes.first)) == (1000, SHOWN)
    with pytest.raises(InvalidFile) as caught:
        mistakes.raise_if_any(skip_bad=False, good=5)
    assert caught.value.problems[-1].line == SHOWN + 1
    assert caught.value.problems[-1].what == f"is wrong; and {1000 - SHOWN - 1} more mistakes"
    mistakes.raise_if_any(skip_bad=True, good=1)
