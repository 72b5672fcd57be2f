"""Streamed answers of both APIs, read by the client's parser."""

from __future__ import annotations

import random
from typing import Any

from loadprofiles.client.answer import Answer
from loadprofiles.client.client import WIRES
from loadprofiles.client.stream import StreamReader
from reports.shared.tokens import token_stream
from tests.support.scripted_server import anthropic_events, openai_events

TOKENS = token_stream("s-1/main#0", 40)


PIECES = [TOKENS[i : i + 4] for i in range(0, 160, 4)]


def read_stream(api: str, data: bytes, *, seed: int = 0, size: int = 10_000_000, crlf: bool = False) -> Answer:
    reader = StreamReader(WIRES[api])
    rng = random.Random(seed)
    if crlf:
        data = data.replace(b"\n", b"\r\n")
    at, now = 0, 0.0
    while at < len(data) and not reader.stopped:
        step = rng.randint(1, size)
        now += 1
        reader.feed(data[at : at + step], now)
        at += step
    return reader.finish(True)


def stream_of(api: str, **options: Any) -> bytes:
    make = openai_events if api == "openai" else anthropic_events
    return b"".join(make(PIECES, **options))
