"""Decoding span files, also incomplete ones."""

from __future__ import annotations

from pathlib import Path

from reports.record.reader import read_record
from reports.record.spans import SpanFiles, read_spans
from reports.shared import attributes as names
from tests.support.otlp_values import ns
from tests.support.record_builder import RecordBuilder


def test_a_span_is_decoded_as_it_was_sent(record: RecordBuilder) -> None:
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


def test_an_incomplete_last_message_ends_its_file_and_the_others_are_read(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    path = record.write() / "spans" / "0001.otlp"
    whole = len(list(read_spans(path.parent, SpanFiles())))
    data = path.read_bytes()
    for torn in (data + b"\x00\x00", data + b"\x00\x00\x01\x00abc", data + b"\xff\xff\xff\xffabc"):
        path.write_bytes(torn)
        found = SpanFiles()
        assert len(list(read_spans(path.parent, found))) == whole
        assert found.torn == 1


def test_a_torn_file_is_damage_where_the_record_was_closed(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    path = record.write() / "spans" / "0001.otlp"
    assert read_record(path.parents[1]).damage == []
    path.write_bytes(path.read_bytes() + b"\x00")
    [damage] = read_record(path.parents[1]).damage
    assert damage == "a span file ends in an incomplete message, though the record was closed"


def test_only_the_last_file_may_be_torn_where_the_run_was_killed(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    record.events = [event for event in record.events if event["type"] != "run" or event["event"] == "started"]
    path = record.write() / "spans" / "0001.otlp"
    data = path.read_bytes()
    path.write_bytes(data + b"\x00")
    assert read_record(path.parents[1]).damage == []
    path.with_name("0002.otlp").write_bytes(data)
    [damage] = read_record(path.parents[1]).damage
    assert damage == "0001.otlp ends in an incomplete message, and is not the last file"


def test_a_message_that_is_not_protobuf_is_counted_and_skipped(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    path = record.write() / "spans" / "0001.otlp"
    whole = len(list(read_spans(path.parent, SpanFiles())))
    path.write_bytes(b"\x00\x00\x00\x03\xff\xff\xff" + path.read_bytes())
    found = SpanFiles()
    assert len(list(read_spans(path.parent, found))) == whole
    assert found.undecodable == 1


def test_a_missing_folder_has_no_spans(tmp_path: Path) -> None:
    assert list(read_spans(tmp_path / "spans", SpanFiles())) == []
