"""What every reader must do, whatever the content of its files."""

from __future__ import annotations

import contextlib
import tempfile
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles.replay import FORMATS, open_trace, plan_trace
from loadprofiles.replay.recorded import RecordedCall, RecordedSession
from reports.shared.errors import InvalidFile, UserError
from tests.support.recordings import make_trace
from tests.support.session_player import play

LINE_FORMATS = ["mooncake", "azure", "burstgpt", "tracelab"]


FUZZ = tempfile.TemporaryDirectory(prefix="brownout-fuzz-")


SWAPS = [
    (b"512", b"-1"),
    (b"1", b"1e308"),
    (b"0", b"99999999999999999999"),
    (b"2", b"NaN"),
    (b":", b"::"),
    (b",", b",,"),
    (b'"', b"'"),
    (b"\n", b"\x00"),
    (b"[", b"{"),
    (b"5", b"[5]"),
    (b"10", b"null"),
    (b"0", b'"0"'),
]


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_an_empty_file_is_reported(tmp_path: Path, name: str) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    for skip_bad in (False, True):
        with pytest.raises(InvalidFile, match=r"empty: (contains no|is empty)"):
            open_trace(path, {"format": name, "skip_bad": skip_bad})


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_a_bom_crlf_and_blank_lines_are_accepted(tmp_path: Path, name: str) -> None:
    path = make_trace(tmp_path, name)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert len(open_trace(path, {}).recorded.sessions) == 1


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_a_line_that_is_not_utf_8_is_reported(tmp_path: Path, name: str) -> None:
    path = make_trace(tmp_path, name)
    path.write_bytes(path.read_bytes() + b"\xff\xfe\n")
    with pytest.raises(InvalidFile, match=r":3: is not UTF-8 text" if name not in ("azure", "burstgpt") else ":3: "):
        open_trace(path, {})
    assert open_trace(path, {"skip_bad": True}).recorded.skipped_count == 1


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_a_line_of_100_mb_is_reported_in_bounded_memory(tmp_path: Path, name: str) -> None:
    path = make_trace(tmp_path, name)
    good = path.read_bytes()
    with path.open("wb") as file:
        file.write(good)
        for _ in range(100):
            file.write(b"9" * (1 << 20))
        file.write(b"\n")
    tracemalloc.start()
    try:
        with pytest.raises(InvalidFile, match="the line is longer than 4 MiB") as caught:
            open_trace(path, {})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.problems[0].line == good.count(b"\n") + 1
    assert peak < 30 << 20
    assert open_trace(path, {"skip_bad": True}).recorded.skipped_count == 1


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.data())
def test_any_bytes_give_sessions_or_a_reported_mistake(name: str, data: st.DataObject) -> None:
    folder = Path(FUZZ.name)
    path = make_trace(folder, name)
    good = path.read_bytes()
    kind = data.draw(st.sampled_from(["noise", "spliced", "cut", "swapped"]))
    at = data.draw(st.integers(0, len(good)))
    noise = data.draw(st.binary(max_size=200))
    raw = {
        "noise": noise,
        "spliced": good[:at] + noise + good[at:],
        "cut": good[:at] + b"\n" + good,
        "swapped": good.replace(*data.draw(st.sampled_from(SWAPS))),
    }[kind]
    path.write_bytes(raw)
    for given_options in ({"format": name}, {"format": name, "skip_bad": True}, {}):
        with contextlib.suppress(UserError):
            trace = open_trace(path, given_options)
            assert all(isinstance(line, str) for line in trace.summary_lines())
            plans = list(islice(plan_trace(trace, 7, "r"), 2))
            if all(_tokens(trace.recorded.sessions[i]) < 100_000 for i in range(min(2, len(trace.recorded.sessions)))):
                assert all(played.succeeded for played in play(plans).values())


def _tokens(session: RecordedSession) -> int:
    calls = [step for step in session.main.steps if isinstance(step, RecordedCall)]
    return sum(call.input_tokens + call.output_tokens for call in calls)


@pytest.mark.parametrize("name", FORMATS)
def test_a_missing_file_is_reported(tmp_path: Path, name: str) -> None:
    for skip_bad in (False, True):
        with pytest.raises(InvalidFile, match="absent: cannot be read"):
            FORMATS[name].read([tmp_path / "absent"], skip_bad=skip_bad)
