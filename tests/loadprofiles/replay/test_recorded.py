from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from loadprofiles.replay import FORMATS, open_trace
from loadprofiles.replay.recorded import RecordedCall
from loadprofiles.sessions.session import Pause
from tests.support.recordings import make_trace


@pytest.mark.parametrize("name", FORMATS)
def test_a_common_prefix_refers_to_an_earlier_call_and_a_wait_is_not_negative(tmp_path: Path, name: str) -> None:
    recorded = open_trace(make_trace(tmp_path, name), {"format": name}).recorded
    for i in range(len(recorded.sessions)):
        for turn, step in enumerate(recorded.sessions[i].main.steps):
            assert isinstance(step, RecordedCall)
            assert step.wait_s >= 0
            assert step.common is None or step.common.call < turn


def test_the_reasons_of_a_wait_are_those_of_a_pause() -> None:
    reasons = get_args(get_type_hints(RecordedCall)["wait_why"])
    assert reasons == get_args(get_type_hints(Pause)["why"])
