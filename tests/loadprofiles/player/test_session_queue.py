from __future__ import annotations

from loadprofiles.player.session_queue import SessionQueue
from tests.support.player_rig import plan


def test_sessions_come_due_at_their_start_and_stay_until_taken() -> None:
    queue = SessionQueue(iter([plan(i, float(i)) for i in range(5)]), horizon_s=3.0)
    queue.pull(0.5)
    assert ([one.index for one in queue.due], queue.pulled, queue.next_at_s) == ([0], 1, 1.0)
    queue.due.popleft()
    queue.pull(2.0)
    assert ([one.index for one in queue.due], queue.pulled, queue.next_at_s) == ([1, 2], 3, 3.0)


def test_no_session_comes_due_after_the_horizon() -> None:
    queue = SessionQueue(iter([plan(i, float(i)) for i in range(5)]), horizon_s=3.0)
    queue.pull(100.0)
    assert (queue.pulled, queue.next_at_s) == (4, None)
    queue.pull(200.0)
    assert queue.pulled == 4
