from __future__ import annotations

import contextlib
import tempfile
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles.replay import FORMATS, TraceOptions, open_trace, plan_trace, replay_sessions
from loadprofiles.replay.formats import format_of
from loadprofiles.replay.lines import read_lines
from loadprofiles.replay.mistakes import SHOWN, Mistakes
from loadprofiles.replay.recorded import RecordedCall, RecordedSession
from loadprofiles.sessions.session import share_of_worker
from reports.shared.errors import InvalidFile, UserError
from tests.support.recordings import DATA, lines, mooncake, request, session, tracelab, write
from tests.support.session_player import play

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"
FUZZ = tempfile.TemporaryDirectory(prefix="brownout-fuzz-")
BURST = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,x\n"


def make(folder: Path, name: str) -> Path:
    """A good file of each format."""
    if name == "claude-code":
        return write(folder, session([request([1, 2]), request([1, 2, 3])]), f"{name}.json")
    if name == "mooncake":
        return lines(folder, f"{name}.jsonl", [mooncake([0, 1, 2]), mooncake([0, 1, 3, 4], 50)])
    if name == "tracelab":
        return lines(folder, f"{name}.jsonl", [tracelab(0, 5, 5), tracelab(1, 10, 5)])
    path = folder / f"{name}.csv"
    path.write_text(AZURE if name == "azure" else BURST)
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_known_by_what_is_in_the_file_or_the_folder(tmp_path: Path, name: str) -> None:
    path = make(tmp_path, name)
    (tmp_path / "README.md").write_text("about it")
    assert format_of(path) == (name, [path])
    assert format_of(tmp_path) == (name, [path])
    bare = path.rename(tmp_path / "trace")
    assert format_of(bare) == (name, [bare])
    assert open_trace(bare, {"format": name}).summary_lines()[0].startswith(f"{name}: 1 sessions")


def test_the_registry_names_each_format_as_it_names_itself_and_its_defaults_are_options() -> None:
    for name, known in FORMATS.items():
        assert known.name == name
        assert set(known.defaults) <= set(TraceOptions.__dataclass_fields__)


def test_an_unknown_format_is_answered_with_what_was_seen_and_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"prompt": "hello"}\n')
    with pytest.raises(InvalidFile) as caught:
        format_of(tmp_path)
    said = str(caught.value)
    assert 'x.jsonl:1: has no known format: it begins with \'{"prompt": "hello"}' in said
    assert all(name in said for name in FORMATS)
    assert "--trace-format" in said


def test_a_forced_format_answers_for_the_lines_that_are_not_its_own(tmp_path: Path) -> None:
    make(tmp_path, "tracelab")
    with pytest.raises(InvalidFile, match=r"tracelab\.jsonl:1: is not a Mooncake request"):
        open_trace(tmp_path, {"format": "mooncake"})
    with pytest.raises(UserError, match='trace format moncake: unknown; did you mean "mooncake"'):
        open_trace(tmp_path, {"format": "moncake"})
    with pytest.raises(InvalidFile, match="contains no file of azure"):
        open_trace(tmp_path, {"format": "azure"})


def test_a_folder_with_several_formats_is_answered_with_their_files(tmp_path: Path) -> None:
    make(tmp_path, "azure")
    make(tmp_path, "mooncake")
    with pytest.raises(InvalidFile, match=r"several formats: azure \(azure\.csv\), mooncake \(mooncake\.jsonl\)"):
        format_of(tmp_path)


def test_nothing_to_read_is_answered(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="contains no file"):
        format_of(tmp_path)
    with pytest.raises(InvalidFile, match="is neither a folder nor a file"):
        format_of(tmp_path / "absent")
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(InvalidFile, match=r"contains no recordings \(only notes\.md\)"):
        format_of(tmp_path)
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(InvalidFile, match=r"a\.csv: has no known format: it is empty"):
        format_of(tmp_path)


def test_an_unreadable_line_first_does_not_hide_the_format(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.jsonl", ["{broken", mooncake([0, 1])])
    with pytest.raises(InvalidFile, match=r"a\.jsonl:1: is not a Mooncake request"):
        open_trace(path, {})


def test_what_was_passed_over_is_told(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.jsonl", [mooncake([0, 1]), "{", mooncake([0, 2]), "{"])
    told = open_trace(path, {"skip_bad": True}).summary_lines()
    assert told[0] == "mooncake: 2 sessions"
    assert told[1].startswith(f"2 mistakes were skipped, the first: {path}:2: is not a Mooncake request")


@pytest.mark.parametrize("name", ["mooncake", "azure", "burstgpt", "tracelab"])
def test_an_empty_file_is_answered(tmp_path: Path, name: str) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    for skip_bad in (False, True):
        with pytest.raises(InvalidFile, match=r"empty: (contains no|is empty)"):
            open_trace(path, {"format": name, "skip_bad": skip_bad})


@pytest.mark.parametrize("name", ["mooncake", "azure", "burstgpt", "tracelab"])
def test_a_bom_crlf_and_blank_lines_are_no_mistakes(tmp_path: Path, name: str) -> None:
    path = make(tmp_path, name)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert len(open_trace(path, {}).recorded.sessions) == 1


@pytest.mark.parametrize("name", ["mooncake", "azure", "burstgpt", "tracelab"])
def test_a_line_that_is_not_utf_8_is_answered(tmp_path: Path, name: str) -> None:
    path = make(tmp_path, name)
    path.write_bytes(path.read_bytes() + b"\xff\xfe\n")
    with pytest.raises(InvalidFile, match=r":3: is not UTF-8 text" if name not in ("azure", "burstgpt") else ":3: "):
        open_trace(path, {})
    assert open_trace(path, {"skip_bad": True}).recorded.skipped_count == 1


@pytest.mark.parametrize("name", ["mooncake", "azure", "burstgpt", "tracelab"])
def test_a_line_of_a_hundred_megabytes_is_answered_in_little_memory(tmp_path: Path, name: str) -> None:
    path = make(tmp_path, name)
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


def test_lines_go_on_after_one_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadprofiles.replay.lines.MAX_LINE_BYTES", 8)
    path = tmp_path / "x"
    path.write_bytes(b"one\n12345678\n1234567\nno end to it at all\n\nlast")
    mistakes = Mistakes()
    assert list(read_lines(path, mistakes)) == [(1, "one"), (3, "1234567"), (6, "last")]
    assert [problem.line for problem in mistakes.first] == [2, 4]


def test_many_mistakes_are_told_in_part_and_counted_whole() -> None:
    mistakes = Mistakes()
    for line in range(1, 1001):
        mistakes.add("a.csv", line, "is wrong")
    assert (mistakes.count, len(mistakes.first)) == (1000, SHOWN)
    with pytest.raises(InvalidFile) as caught:
        mistakes.raise_if_any(skip_bad=False, good=5)
    assert caught.value.problems[-1].line == SHOWN + 1
    assert caught.value.problems[-1].what == f"is wrong; and {1000 - SHOWN - 1} more mistakes"
    mistakes.raise_if_any(skip_bad=True, good=1)


@pytest.mark.parametrize(
    ("given", "says"),
    [({"sped": 2}, "unknown sped; options are dir, format, rate"), ({"speed": 0}, "speed"), ({"rate": "fast"}, "rate")],
)
def test_options_that_cannot_be_are_refused(tmp_path: Path, given: dict, says: str) -> None:
    with pytest.raises(UserError, match=says):
        open_trace(make(tmp_path, "azure"), given)


@pytest.mark.parametrize("name", ["claude-code", "tracelab"])
def test_recorded_arrivals_need_a_format_that_has_them(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"{name} does not record when sessions began"):
        open_trace(make(tmp_path, name), {"rate": "recorded"})


@pytest.mark.parametrize("name", FORMATS)
def test_worker_k_of_n_replays_the_sessions_that_are_k_modulo_n(tmp_path: Path, name: str) -> None:
    make(tmp_path, name)

    def plans(worker: int, workers: int, count: int) -> list:
        whole = replay_sessions(tmp_path, {}, 7, "r")
        return list(islice(share_of_worker(whole, worker, workers), count))

    alone = plans(0, 1, 12)
    together = sorted((plan for k in range(3) for plan in plans(k, 3, 4)), key=lambda plan: plan.index)
    assert [(p.id, p.start_at_s, p.calls_planned) for p in together] == [
        (p.id, p.start_at_s, p.calls_planned) for p in alone
    ]
    assert play(together) == play(alone)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.data())
def test_whatever_the_bytes_a_reader_answers_with_sessions_or_a_mistake(name: str, data: st.DataObject) -> None:
    folder = Path(FUZZ.name)
    path = make(folder, name)
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


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no recordings in {DATA}")
@pytest.mark.parametrize(
    ("folder", "name"),
    [("claude-code-sessions", "claude-code"), ("mooncake", "mooncake"), ("azure", "azure"), ("tracelab", "tracelab")],
)
def test_the_real_recordings_are_known_and_the_defaults_make_a_load_for_a_minute(folder: str, name: str) -> None:
    assert format_of(DATA / folder)[0] == name
    plans = []
    for plan in replay_sessions(DATA / folder, {}, 7, "r"):
        if plan.start_at_s >= 55:
            break
        plans.append(plan)
    assert 150 < len(plans) < 800
    calls = sum(plan.calls_planned for plan in plans)
    assert 400 < calls < 2000
