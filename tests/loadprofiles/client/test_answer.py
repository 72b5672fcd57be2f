from __future__ import annotations

from loadprofiles.client.answer import Answer, merge_usage
from loadprofiles.client.wire import Usage


def test_an_answer_without_finish_reason_or_end_has_no_terminal_event() -> None:
    counts = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2)]
    terminals = [Answer(finish_count=finish, end_count=end).terminals for finish, end in counts]
    assert terminals == [0, 0, 0, 1, 2, 2]


def test_a_later_count_replaces_an_earlier_one_unless_it_is_absent() -> None:
    assert merge_usage(Usage(40, 3, 1), Usage(None, None, 12)) == Usage(40, 3, 12)
    assert merge_usage(Usage(40, 3, 1), Usage(None, 0, None)) == Usage(40, 0, 1)
