"""Invalid and unusual requests: the client gets an error or a normal response, and no replica is blamed."""

from __future__ import annotations

import asyncio
import gzip

import msgspec
import pytest

from reports.shared.tokens import token_stream
from targets.gateway.api.incoming import Body, affinity_key, error_in
from targets.gateway.config import Affinity
from tests.support.gateway_harness import MARKER, request_body, rig

BAD_BODIES = [
    (b'{"model": "\xff", "messages": []}', b""),
    (b'{"messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", b""),
    (b"certainly not gzip", b"Content-Encoding: gzip\r\n"),
    (b"", b""),
]


async def raw_post(port: int, path: str, body: bytes, headers: bytes = b"") -> bytes:
    """Sends a raw HTTP request; returns the raw response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        length = b"Content-Length: %d\r\nConnection: close\r\n" % len(body)
        writer.write(b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\n" % path.encode() + headers + length + b"\r\n" + body)
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(("body", "headers"), BAD_BODIES)
async def test_an_invalid_body_is_answered_with_400_and_not_forwarded(path: str, body: bytes, headers: bytes) -> None:
    async with rig(1) as at:
        answer = await raw_post(at.gateway.port, path, body, headers)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"invalid_request_error" in answer
        assert at.served() == [0]


async def test_a_compressed_body_is_decompressed_before_it_is_forwarded() -> None:
    body = gzip.compress(msgspec.json.encode(request_body(3)))
    async with rig(2) as at:
        answer = await raw_post(at.gateway.port, "/v1/chat/completions", body, b"Content-Encoding: gzip\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert token_stream(MARKER.key, 3)[-4:].encode() in answer
        assert sum(at.served()) == 1


async def test_a_session_header_that_is_not_utf_8_works_as_affinity_key() -> None:
    async with rig(2, affinity=Affinity(placement="ring")) as at:
        body = msgspec.json.encode(request_body(3))
        for _ in range(3):
            answer = await raw_post(
                at.gateway.port, "/v1/chat/completions", body, b"X-Session-Affinity: caf\xe9\r\nContent-Type: a/b\r\n"
            )
            assert answer.startswith(b"HTTP/1.1 200 ")
        assert sorted(at.served()) == [0, 3]


def test_a_long_session_name_is_hashed_to_a_short_key() -> None:
    names = ["u" * 256, "u" * 1_000_000, "u" * 1_000_000 + "v"]
    keys = [affinity_key({}, Body(user=name), b"{}") for name in names]
    assert keys[0] == names[0]
    assert len(set(keys)) == 3
    assert max(map(len, keys)) == 256


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":{"message":"out of memory"}}', "out of memory"),
        (b'{"type":"error","error":{"type":"overloaded_error"}}', "{'type': 'overloaded_error'}"),
        (b'{"error":"no"}', "no"),
        (b'{"error":null,"choices":[]}', None),
        (b'{"choices":[{"message":{"content":"\\"error\\""}}]}', None),
        (b'["error"]', None),
    ],
)
def test_an_error_in_a_body_with_a_success_status_is_found(body: bytes, error: str | None) -> None:
    assert error_in(body) == error
