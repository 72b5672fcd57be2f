"""Headers that are forwarded to a replica."""

from __future__ import annotations

from multidict import CIMultiDict

from targets.gateway.api.headers import for_upstream


def test_hop_by_hop_headers_are_dropped_and_all_others_forwarded() -> None:
    headers = CIMultiDict(
        [
            ("Host", "gateway"),
            ("Connection", "keep-alive, X-Secret"),
            ("X-Secret", "for the gateway only"),
            ("Content-Encoding", "gzip"),
            ("Accept-Encoding", "br"),
            ("Traceparent", "00-aa"),
            ("anthropic-beta", "one"),
            ("Anthropic-Beta", "two"),
        ]
    )
    assert for_upstream(headers) == {
        "accept-encoding": "identity",
        "traceparent": "00-aa",
        "anthropic-beta": "one, two",
    }
