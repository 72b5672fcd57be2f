"""Answers and their headers."""

from __future__ import annotations

import json

from chaos.gameday.server.answers import PAGE_POLICY, encode, failed, static


def test_every_answer_has_the_headers_that_protect_it() -> None:
    for answer in (failed(403, "no"), static(b"", "text/css", {"Cache-Control": "no-cache"})):
        assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Server"] == "brownout"
    assert failed(403, "no").headers["Cache-Control"] == "no-store"


def test_the_policy_of_pages_allows_nothing_inline_and_no_other_server() -> None:
    assert "unsafe" not in PAGE_POLICY
    assert "http" not in PAGE_POLICY
    assert "default-src 'none'" in PAGE_POLICY


def test_a_refusal_is_short_json_whatever_the_text() -> None:
    for why in ("</script>", "a" * 5000, "\ud800"):
        body = failed(400, why).body
        assert isinstance(body, bytes)
        found = json.loads(body)
        assert found["ok"] is False
        assert len(found["error"]) <= 503


def test_a_document_with_characters_that_utf8_lacks_is_still_sent() -> None:
    assert json.loads(encode({"a": ["\ud800", {"\udfff": 1, "b": ("x", 2.5, None)}]})) == {
        "a": ["?", {"?": 1, "b": ["x", 2.5, None]}]
    }
