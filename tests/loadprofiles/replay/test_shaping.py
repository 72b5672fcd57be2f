from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from chaos.experiment.file import TraceFile
from loadprofiles.replay import TraceOptions
from loadprofiles.replay.recorded import RecordedAgent, RecordedCall, RecordedFork, RecordedSession
from loadprofiles.replay.shaping import count_calls, shorten


@pytest.mark.parametrize(
    "wrong", [{"rate": 0}, {"speed": -1}, {"shrink": 0}, {"max_calls": 0}, {"limit": 0}, {"max_pause_s": -1}]
)
def test_invalid_options_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TraceOptions(**wrong)


CALL = RecordedCall(100, 10, 1.0, "tool", True, True, None)


def agent(name: str, *steps: RecordedCall | RecordedFork) -> RecordedAgent:
    return RecordedAgent(name, 0, 0, steps)


def test_shorten_cuts_every_agent_and_drops_the_forks_after_its_last_call() -> None:
    fork = RecordedFork(0.0, ((0.0, agent("sub-1", CALL, CALL, CALL)),))
    whole = RecordedSession("s", agent("main", CALL, fork, CALL, fork, CALL))
    assert shorten(whole, None) is whole
    assert [count_calls(shorten(whole, n).main) for n in (1, 2, 3, 9)] == [1, 4, 9, 9]


def test_tokens_are_divided_by_shrink_and_pauses_by_speed_up_to_max_pause() -> None:
    options = TraceOptions(shrink=10, speed=4, max_pause_s=3)
    assert [options.tokens(n) for n in (0, 4, 100)] == [1, 1, 10]
    assert [options.pause_s(s) for s in (0, 8, 400)] == [0, 2, 3]


def test_the_options_of_an_experiment_are_those_of_a_replay() -> None:
    keys = {"max_pause_s" if name == "max_pause" else name for name in TraceFile.model_fields} - {"dir", "format"}
    assert keys <= set(TraceOptions.__dataclass_fields__)
    (literal, _) = get_args(TraceFile.model_fields["streaming"].annotation)
    assert get_args(literal) == get_args(get_type_hints(TraceOptions)["streaming"])
