"""Spans out of length-prefixed OTLP, also out of files that a crash cut."""

from __future__ import annotations

from pathlib import Path

import duckdb

from reports.record.parquet import COLUMNS, SpanRows
from reports.record.spans import SpanFiles, read_spans
from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, ns


def test_a_span_comes_back_as_it_was_sent(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, its={"more_list": ["a", "b"]})
    found = SpanFiles()
    spans = list(read_spans(record.write() / "spans", found))
    chat = next(span for span in spans if span.name == "chat test-70b")
    post = next(span for span in spans if span.parent_id == chat.span_id)
    assert (chat.service, chat.instance, chat.start_ns) == ("brownout-loadgen", "locust#1", ns(6.0))
    assert chat.attributes[names.CALL_TTFT] == 0.5
    assert chat.attributes[names.CALL_PROVABLE] is True
    assert chat.attributes["more_list"] == ["a", "b"]
    assert isinstance(post.attributes[names.CHUNKS], bytes)
    assert not chat.error
    assert found.spans == len(spans) == sum(found.by_instance.values())


def test_a_torn_last_message_ends_its_file_and_loses_nothing_before(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    path = record.write() / "spans" / "0001.otlp"
    whole = len(list(read_spans(path.parent, SpanFiles())))
    data = path.read_bytes()
    for torn in (data + b"\x00\x00", data + b"\x00\x00\x01\x00abc", data + b"\xff\xff\xff\xffabc"):
        path.write_bytes(torn)
        found = SpanFiles()
        assert len(list(read_spans(path.parent, found))) == whole
        assert found.torn == 1


def test_a_message_that_is_no_protobuf_is_counted_and_skipped(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    path = record.write() / "spans" / "0001.otlp"
    whole = len(list(read_spans(path.parent, SpanFiles())))
    path.write_bytes(b"\x00\x00\x00\x03\xff\xff\xff" + path.read_bytes())
    found = SpanFiles()
    assert len(list(read_spans(path.parent, found))) == whole
    assert found.undecodable == 1


def test_a_missing_folder_has_no_spans(tmp_path: Path) -> None:
    assert list(read_spans(tmp_path / "spans", SpanFiles())) == []


def test_the_table_has_a_row_a_span_and_answers_sql(record: RecordBuilder, tmp_path: Path) -> None:
    for turn in range(3):
        record.call("s0", turn, 6.0 + turn, outcome="truncated" if turn == 1 else "ok")
    spans = list(read_spans(record.write() / "spans", SpanFiles()))
    target = tmp_path / "it's a run.parquet"
    with SpanRows(target) as rows:
        rows.add_all(spans)
        rows.write()
    connection = duckdb.connect()
    table = connection.read_parquet(str(target))
    assert table.columns == list(COLUMNS)
    assert table.aggregate("count(*)").fetchall() == [(len(spans),)]
    quoted = str(target).replace("'", "''")
    answer = connection.sql(
        f"select turn, outcome, attributes->>'$.\"{names.CALL_TTFT}\"' from '{quoted}'"
        " where name like 'chat %' order by turn"
    ).fetchall()
    assert answer == [(0, "ok", "0.5"), (1, "truncated", "0.5"), (2, "ok", "0.5")]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
