"""Error responses in the shapes of well-known servers and proxies: status, the server's words, and no key in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Dialect
from tests.support.dialects.http import response
from tests.support.dialects.play import KEY, play, problems


def says(name: str, status: int, body: Any, text: str, *headers: str, **more: Any) -> Dialect:
    """A response with an error status, and a part of the message that the record must have."""
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    outcome = Outcome.RATE_LIMITED if status == 429 else Outcome.HTTP_5XX if status >= 500 else Outcome.HTTP_4XX
    expected: dict[str, Any] = {"outcome": outcome, "status": status, "says": text} | more
    return Dialect(
        name=name, why="the target's own words", sends=(response(f"{status} X", data, *headers),), **expected
    )


SHAPES = [
    says(
        "vllm",
        400,
        {"object": "error", "message": "context is 512 tokens", "type": "BadRequestError", "param": None, "code": 400},
        "context is 512 tokens",
    ),
    says("tgi", 429, {"error": "Model is overloaded", "error_type": "overloaded"}, "Model is overloaded"),
    says(
        "tgi-list", 422, {"error": ["`max_new_tokens` is too large"], "warnings": []}, "`max_new_tokens` is too large"
    ),
    says("ollama", 404, {"error": "model 'lab-1' not found"}, "model 'lab-1' not found"),
    says(
        "google",
        429,
        {
            "error": {
                "code": 429,
                "message": "Quota is used up",
                "status": "RESOURCE_EXHAUSTED",
                "details": [{"@type": "x"}],
            }
        },
        "Quota is used up",
    ),
    says(
        "azure-filter",
        400,
        {
            "error": {
                "message": "The prompt was filtered",
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "innererror": {"code": "X"},
            }
        },
        "The prompt was filtered",
    ),
    says("bedrock", 429, {"__type": "ThrottlingException", "message": "Too many tokens"}, "Too many tokens"),
    says("bedrock-capital", 403, {"Message": "User is not allowed"}, "User is not allowed"),
    says("dashscope", 400, {"code": "InvalidParameter", "message": "bad range", "request_id": "r"}, "bad range"),
    says(
        "cloudflare",
        403,
        {"success": False, "errors": [{"code": 10000, "message": "no token"}], "messages": [], "result": None},
        "no token",
    ),
    says(
        "laravel",
        422,
        {"message": "The data is invalid", "errors": {"model": ["The model is unknown"]}},
        "The data is invalid",
    ),
    says("rails", 422, {"errors": {"model": ["is unknown"]}}, "is unknown"),
    says("graphql", 400, {"errors": [{"message": "no such field", "path": ["a"]}], "data": None}, "no such field"),
    says(
        "spring",
        500,
        {"timestamp": 1, "status": 500, "error": "Internal Server Error", "path": "/v1"},
        "Internal Server Error",
    ),
    says(
        "json-in-json",
        502,
        {"error": {"message": json.dumps({"error": {"message": "upstream says no"}})}},
        "upstream says no",
    ),
    says(
        "openrouter",
        502,
        {
            "error": {
                "message": "Provider returned error",
                "code": 502,
                "metadata": {"raw": "out of memory", "provider_name": "P"},
            }
        },
        "Provider returned error",
    ),
    says(
        "problem-with-pointers",
        422,
        {"title": "Not valid", "errors": [{"detail": "must be positive", "pointer": "#/n"}]},
        "Not valid",
    ),
    says(
        "fastapi-two",
        422,
        {"detail": [{"loc": ["body", "a"], "msg": "is missing"}, {"loc": ["body", "b"], "msg": "is wrong"}]},
        "is missing",
    ),
    says(
        "kong", 401, {"message": "No API key found in request"}, "No API key found in request", "WWW-Authenticate: Key"
    ),
    says(
        "istio",
        503,
        b"upstream connect error or disconnect/reset before headers",
        "upstream connect error",
        "Content-Type: text/plain",
    ),
    says(
        "nginx",
        504,
        b"<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n"
        b"<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n</body>\r\n</html>\r\n",
        "504 Gateway Time-out",
    ),
    says("message-a-number", 400, {"error": {"message": 42}}, "42"),
    says("code-only", 400, {"error": {"code": "1301"}}, "1301"),
    says("message-in-chinese", 400, {"error": {"message": "模型不存在"}}, "模型不存在"),
    says("message-escaped", 400, b'{"error": {"message": "caf\\u00e9 \\ud83d\\ude00 closed"}}', "café 😀 closed"),
    says("message-in-latin-1", 400, b'{"error": "d\xe9j\xe0 vu"}', "vu"),
    says("json-after-blank-lines", 500, b"\n\n\n" + b'{"error": "late failure"}', "late failure"),
    says("json-lines", 500, b'{"error": "first"}\n{"error": "second"}\n', "first"),
    says("stream-with-crlf", 503, b'event: error\r\ndata: {"error": {"message": "draining"}}\r\n\r\n', "draining"),
    says(
        "anthropic-without-error-object",
        400,
        {"type": "error", "message": "no such model"},
        "no such model",
        api="anthropic",
    ),
    says(
        "anthropic-with-request-id",
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"},
        "Overloaded",
        api="anthropic",
    ),
]

KEYS = [
    says("key-in-quotes", 401, {"error": {"message": f'Incorrect key "{KEY}".'}}, "Incorrect key"),
    says("key-with-bearer", 401, {"error": {"message": f"Bearer {KEY} is unknown"}}, "is unknown"),
    says("key-in-a-page", 401, f"<html><body>Unknown <b>{KEY}</b></body></html>".encode(), "Unknown"),
    says("key-in-plain-text", 403, f"denied: {KEY}".encode(), "denied"),
    says("key-twice", 401, {"detail": f"{KEY} {KEY} no"}, "no"),
    says("key-as-a-field-name", 401, {KEY: "no", "message": "denied"}, "denied"),
    says("key-without-a-message", 401, {"supplied": KEY}, "supplied"),
    says("key-in-the-place-of-a-redirect", 307, b"", "redirects are refused", f"Location: /login?key={KEY}"),
    says(
        "key-of-anthropic",
        401,
        {"error": {"message": "x-api-key sk-ant-api03-abcdefgh_ijk is not valid"}},
        "is not valid",
        api="anthropic",
    ),
]


@pytest.mark.parametrize("dialect", [*SHAPES, *KEYS], ids=lambda dialect: dialect.name)
def test_an_error_in_the_shape_of_a_known_server_is_named(dialect: Dialect) -> None:
    assert problems(dialect, play(dialect)) == []


@pytest.mark.parametrize("dialect", KEYS, ids=lambda dialect: dialect.name)
def test_no_message_shows_a_key(dialect: Dialect) -> None:
    message = play(dialect).message
    assert KEY not in message
    assert "abcdefgh_ijk" not in message
