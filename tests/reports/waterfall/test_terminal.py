"""Waterfalls in the terminal: what is told of a call that met a fault, at 80 columns, without colours."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from reports.history.evidence import gather
from reports.record.reader import read_record
from reports.shared import attributes as names
from reports.shared.errors import UserError
from reports.waterfall.bars import Glyphs
from reports.waterfall.calls import failovers, tell
from reports.waterfall.rows import fault_windows, rows_of, window_of
from reports.waterfall.story import Waterfall, waterfall_of
from reports.waterfall.terminal import print_waterfalls
from tests.support.record_builder import RecordBuilder, Up, add_event, good_run, migrated


def lost_pool(path: Path) -> RecordBuilder:
    """Two calls at tpu-0 when it is killed at 20 s: one goes on after 0.84 s, one never does; a third is elsewhere."""
    builder = RecordBuilder(path)
    builder.phases()
    builder.load_gauges(arrivals=3)
    builder.fault()
    ups = migrated(20.02, resumed=20.9, sent=19.5, passed_on=5)
    builder.call("saved", 2, 19.5, gaps={5: 0.84}, ups=ups)
    builder.call("gone", 0, 19.6, tokens=3, outcome="error_event", ups=[Up("tpu-0", 19.601, 20.03, "refused")])
    builder.call("well", 0, 19.7)
    for session in ("saved", "gone", "well"):
        builder.session(session, 19.0, 22.0, "lost" if session == "gone" else "succeeded")
    return builder


def decide(builder: RecordBuilder, session: str) -> None:
    """Puts the gateway's decision on the session's gateway request."""
    for span in builder.by_instance["brownout-gateway", "gateway#1"]:
        its = {pair.key: pair.value.string_value for pair in span.attributes}
        if span.name == names.SPAN_GATEWAY_REQUEST and its.get(names.CONVERSATION_ID) == session:
            about = {
                names.DECISION_CHOSEN: "gpu-1",
                names.DECISION_CONSIDERED: ["gpu-0=5000", "gpu-1=1234"],
                names.DECISION_EXCLUDED: ["tpu-0: failed this call", "tpu-1: ejected"],
                names.DECISION_WHY: "its home tpu-0 is out: p2c",
            }
            add_event(span, names.EVENT_DECISION, 20.025, about)


def drawn(builder: RecordBuilder, number: int = 0) -> Waterfall:
    evidence = gather(read_record(builder.write()))
    chosen = failovers(evidence, 10)
    faults = [{"id": f.id, "kind": f.kind, "targets": f.targets, "stages": f.stages} for f in evidence.record.faults]
    return waterfall_of(tell(evidence, chosen)[number], faults)


def printed(builder: RecordBuilder, *, width: int = 80, failover: bool = True, call: str | None = None) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False)
    assert print_waterfalls(builder.write(), failover=failover, call=call, most=5, console=console) == 0
    return out.getvalue()


def test_a_call_that_never_went_on_comes_before_one_that_did(tmp_path: Path) -> None:
    evidence = gather(read_record(lost_pool(tmp_path / "run").write()))

    assert [call.session for call, _ in failovers(evidence, 5)] == ["gone", "saved"]
    assert [call.session for call, _ in failovers(evidence, 1)] == ["gone"]


def test_the_header_says_what_the_client_felt(tmp_path: Path) -> None:
    gone, saved = (drawn(lost_pool(tmp_path / str(n)), n) for n in (0, 1))

    assert saved.key == "saved/main#2"
    assert saved.failover_s == pytest.approx(0.84, abs=0.001)
    assert (saved.tokens_before, saved.tokens_after) == (5, 6)
    assert saved.headline == "ended ok: interrupted at tpu-0, after 5 tokens of 11, went on at gpu-1 840 ms later"
    assert gone.failover_s == math.inf
    assert "never went on" in gone.headline
    assert "error_event" in gone.headline


def test_a_killed_replicas_missing_spans_are_named(tmp_path: Path) -> None:
    rows = drawn(lost_pool(tmp_path / "run"), 1).rows

    first = next(row for row in rows if row.label == "#1 tpu-0")
    assert first.died
    after = rows[rows.index(first) + 1]
    assert after.kind == "missing"
    assert after.says == "it was killed: its spans died with it"
    second = next(row for row in rows if row.label == "#2 gpu-1 (migration)")
    assert not second.died
    assert rows[rows.index(second) + 1].label == "replica gpu-1"


def test_a_refused_attempt_reached_nobody(tmp_path: Path) -> None:
    builder = lost_pool(tmp_path / "run")
    builder.call(
        "refused", 0, 25.0, ups=[Up("tpu-0", 25.001, 25.002, "refused", replica_span=False), Up("gpu-1", 25.1, 26)]
    )
    waterfall = next(w for w in (drawn(builder, n) for n in range(3)) if w.key.startswith("refused"))

    assert "the connection was refused" in [row.says for row in waterfall.rows if row.kind == "missing"]


def test_the_story_tells_decision_and_reasons_in_order(tmp_path: Path) -> None:
    builder = lost_pool(tmp_path / "run")
    decide(builder, "saved")
    story = drawn(builder, 1).story

    assert [moment.kind for moment in story] == ["sent", "fault", "died", "decision", "resumed", "end"]
    assert [moment.at_s for moment in story] == sorted(moment.at_s for moment in story)
    decision = story[3]
    assert decision.text == "the gateway chose gpu-1 of 2: its home tpu-0 is out: p2c"
    assert decision.details == (
        "considered, with their load in ms: gpu-0 5,000, gpu-1 1,234",
        "left out: tpu-0: failed this call; tpu-1: ejected",
    )
    assert story[4].text == "the next token reached the client, 840 ms after the last one before it"


def test_every_line_fits_80_columns_and_needs_no_colour(tmp_path: Path) -> None:
    builder = lost_pool(tmp_path / "run")
    decide(builder, "saved")
    text = printed(builder)

    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    assert "2 of 3 calls met a fault, 2 were interrupted" in text
    bars = {line[:20].strip(): line for line in text.split("saved/main#2")[1].splitlines()}
    assert "✗" in bars["#1 tpu-0"]
    assert "░" in next(line for head, line in bars.items() if head.startswith("fault f1"))
    assert "▒" in next(line for head, line in bars.items() if head.startswith("the client waited"))
    assert "·" in next(line for head, line in bars.items() if head.startswith("#1"))


def test_a_wide_terminal_says_more_beside_the_bars(tmp_path: Path) -> None:
    text = printed(lost_pool(tmp_path / "run"), width=150)

    assert max(cell_len(line) for line in text.splitlines()) <= 150
    saved = text.split("saved/main#2")[1].splitlines()
    assert next(line for line in saved if "#1 tpu-0 " in line).endswith("reset, 5 tokens passed on")


def test_a_terminal_without_unicode_gets_plain_characters() -> None:
    plain = Glyphs.for_encoding("ascii")

    assert all(getattr(plain, name).isascii() for name in plain.__slots__)
    assert Glyphs.for_encoding("utf-8").died == "✗"


def test_an_unknown_call_is_answered_with_near_ones(tmp_path: Path) -> None:
    folder = lost_pool(tmp_path / "run").write()

    with pytest.raises(UserError, match=r"saved/main#2"):
        print_waterfalls(folder, failover=False, call="savde/main#2", most=3)
    with pytest.raises(UserError, match=r"for example saved/main#2"):
        print_waterfalls(folder, failover=False, call="saved", most=3)


def test_one_call_is_shown_also_where_it_met_nothing(tmp_path: Path) -> None:
    text = printed(lost_pool(tmp_path / "run"), failover=False, call="well/main#0")

    assert "well/main#0" in text
    assert "saved/main#2" not in text
    assert "the client waited" not in text


def test_without_a_fault_the_answer_is_a_sentence(tmp_path: Path) -> None:
    text = printed(good_run(tmp_path / "run", sessions=2))

    assert text.startswith("This run had no fault")


def test_a_fault_that_hit_nothing_is_said_by_name(tmp_path: Path) -> None:
    builder = good_run(tmp_path / "run", sessions=2)
    builder.fault()

    assert "f1 (kill) hit nothing" in " ".join(printed(builder).split())


def test_without_a_choice_the_slowest_come_first(tmp_path: Path) -> None:
    builder = RecordBuilder(tmp_path / "run")
    builder.phases()
    for name, pause in (("quick", 0.1), ("slow", 9.0), ("middling", 3.0)):
        builder.call(name, 0, 6.0, gaps={3: pause})
    text = printed(builder, failover=False)

    assert text.index("slow/main#0") < text.index("middling/main#0") < text.index("quick/main#0")


def test_a_call_is_whole_where_the_gateway_dropped_the_trace_context(tmp_path: Path) -> None:
    whole, torn = lost_pool(tmp_path / "whole"), RecordBuilder(tmp_path / "torn", propagates=False)
    torn.phases()
    torn.fault()
    torn.call("saved", 2, 19.5, gaps={5: 0.84}, ups=migrated(20.02, resumed=20.9, sent=19.5, passed_on=5))

    labels = [row.label for row in drawn(torn).rows]
    assert sorted(labels) == sorted(row.label for row in drawn(whole, 1).rows)


def test_a_short_failover_of_a_long_call_is_enlarged() -> None:
    span = {
        "start_s": 0.0,
        "end_s": 100.0,
        "name": "chat m",
        "service": "",
        "parent": None,
        "attributes": {},
        "events": [],
    }
    told = {"sent_s": 0.0, "spans": [span], "failover_s": 0.5, "last_token_before_s": 50.0, "first_token_after_s": 50.5}

    window = window_of(told)
    assert window.zoomed
    assert (window.start_s, window.end_s) == (49.0, 52.0)
    assert window.share(0.0) == 0.0
    assert window.share(50.5) == 0.5
    assert not window_of(told | {"failover_s": 50.0}).zoomed
    assert not window_of(told | {"failover_s": math.inf}).zoomed


def test_a_fault_that_was_never_reverted_has_no_end() -> None:
    faults = [
        {"id": "f2", "kind": "freeze", "targets": ["a"], "stages": {"injected": 7.0}},
        {"id": "f1", "kind": "kill", "targets": ["a"], "stages": {"injected": 3.0, "reverted": 5.0}},
        {"id": "f0", "kind": "kill", "targets": ["a"], "stages": {"planned": 0.0}},
    ]

    assert [(fault.id, fault.end_s) for fault in fault_windows(faults)] == [("f1", 5.0), ("f2", math.inf)]


def test_a_record_without_spans_of_the_call_has_no_rows() -> None:
    assert rows_of({"spans": []}, []) == []
