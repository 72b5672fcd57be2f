"""The search for what would tell a withheld fault: what it finds, and what it leaves alone."""

from __future__ import annotations

import gzip
import zlib

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from reports.shared import attributes as names
from tests.support.otlp_values import add_event, key_values
from tests.support.telltales import Telltales

SEARCH = Telltales(
    kinds=["slow_decode", "kill"],
    ids=["h1"],
    names=["lost-pool", "The pool that went away"],
    targets=["tpu-0"],
    offered=["somebody will kill a replica"],
)


@pytest.mark.parametrize(
    "text",
    [
        *("slow_decode", "slow-decode", "slow decode", "slowDecode", "SlowDecode", "SLOW_DECODE", "slowdecode"),
        *(
            "xslow_decodes",
            "slow%20decode",
            "slow&nbsp;decode",
            r"slow\u002ddecode",
            "slow&#95;decode",
            "slow\n  decode",
        ),
    ],
)
def test_a_word_of_several_parts_is_found_in_every_spelling(text: str) -> None:
    assert [one.word for one in SEARCH.in_bytes("page", f'{{"a": "{text}"}}'.encode())]


@pytest.mark.parametrize("text", ["kill", "KILL", "kill-one", "kill_one", "kill2", "faultKill", "killOne", "a:Kill."])
def test_a_word_of_one_part_is_found_as_a_word_or_within_an_identifier(text: str) -> None:
    assert {one.word for one in SEARCH.in_bytes("page", text)} == {"kill"}


@pytest.mark.parametrize("text", ["skill", "killer whales", "overkill", "Skilled", "a slow day to decode all of it"])
def test_a_word_inside_another_one_is_left_alone(text: str) -> None:
    assert SEARCH.in_bytes("page", text) == []


@pytest.mark.parametrize("text", ['{"id":"h1"}', "s7-h1-3", "fault h1: on", "H1"])
def test_an_id_is_found_where_it_stands_alone(text: str) -> None:
    assert [one.word for one in SEARCH.in_bytes("page", text)] == ["h1"]


@pytest.mark.parametrize("text", ["<h1>Title</h1>", "<H1 class=x>", "9ah1c0", "oh1", "h12"])
def test_tags_of_html_and_parts_of_other_words_are_no_ids(text: str) -> None:
    assert SEARCH.in_bytes("page", text) == []


@pytest.mark.parametrize("text", ["Lost pool", "lost-pool.yaml", "the pool  that went away", "ThePoolThatWentAway"])
def test_names_and_titles_are_found(text: str) -> None:
    assert SEARCH.in_bytes("page", text)


def test_the_prefix_of_fault_attributes_always_tells() -> None:
    for text in ("brownout.fault", "brownout.fault.id", "brownout_fault", "BROWNOUT.FAULT.HIT"):
        assert [one.word for one in Telltales().in_bytes("metrics", text)] == ["brownout.fault"]


def test_components_tell_only_as_targets() -> None:
    assert SEARCH.in_bytes("page", '["tpu-0", {"name": "tpu-0", "state": "silent"}]') == []
    assert [one.word for one in SEARCH.in_bytes("page", '{"targets": ["tpu-0"]}')] == ["target tpu-0"]


def test_offered_phrases_are_left_alone_and_only_they() -> None:
    assert SEARCH.in_bytes("page", "Somebody will kill a replica") == []
    assert [one.word for one in SEARCH.in_bytes("page", "Somebody will kill a replica: kill")] == ["kill"]


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress])
def test_compressed_bodies_are_read(packed: object) -> None:
    body = packed(b'{"kind": "slow_decode", "more": "of the same"}')  # type: ignore[operator]
    (found,) = SEARCH.in_bytes("/api/state", body)
    assert found.where == "/api/state (decompressed)"
    assert "slow_decode" in found.text
    assert SEARCH.in_bytes("/api/state", body[:-4]), "also where the end is missing"


def test_a_check_says_each_place() -> None:
    SEARCH.check("page", b"nothing")
    with pytest.raises(AssertionError, match=r"page: 'kill' in .*\n.*page: 'h1' in"):
        SEARCH.check("page", b"kill, and h1")


def test_spans_are_searched_text_by_text_with_paths() -> None:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="A" * 64 + " x")
    span.attributes.extend(key_values({names.CONVERSATION_ID: "kill" + "y" * 70, "b": "s7-h1-3", "n": 7}))
    add_event(span, names.EVENT_FAULT_HIT, 1.0, {})
    found = SEARCH.in_spans("copy", request.SerializeToString())
    assert {(one.word, one.where) for one in found} == {
        ("h1", "copy.resource_spans.scope_spans.spans.attributes[1].value.string_value"),
        ("brownout.fault", "copy.resource_spans.scope_spans.spans.events.name"),
    }
    with pytest.raises(ValueError, match="copy is no ExportTraceServiceRequest"):
        SEARCH.in_spans("copy", b"\xff\xff")
