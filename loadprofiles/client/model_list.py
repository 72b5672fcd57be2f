"""The models that an endpoint lists at `GET /models`, for a message about a model that it does not have."""

from __future__ import annotations

import time
from typing import Final

from loadprofiles.client.connection import BrokenMessageError, ConnectionClosedError, Connections
from loadprofiles.client.error_text import one_line
from loadprofiles.client.lenient_json import NotJsonError, decode_json

__all__ = ["MODELS_PATH", "MOST_MODELS", "listed_models"]

MODELS_PATH: Final = "/models"
MOST_MODELS: Final = 20
"""Models that are returned at most."""
_MOST_BYTES: Final = 1 << 20
_MOST_CHARS: Final = 100


def listed_models(connections: Connections, head: bytes, within_s: float) -> list[str]:
    """The ids of the models, at most `MOST_MODELS`; none where the endpoint does not list them within `within_s`.

    `head`: of the request, without the empty line at its end.
    """
    until_s = time.monotonic() + within_s
    try:
        connection = connections.acquire()
    except OSError:
        return []
    try:
        connection.send(head + b"\r\n", within_s)
        body = b""
        while not connection.complete:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or len(body) > _MOST_BYTES:
                return []
            body += connection.receive(left_s)
        return _ids(decode_json(body)) if connection.status == 200 else []
    except (OSError, ConnectionClosedError, BrokenMessageError, NotJsonError):
        return []
    finally:
        connection.close()


def _ids(answer: object) -> list[str]:
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        return []
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    return [one_line(name, limit=_MOST_CHARS) for name in ids if isinstance(name, str) and name][:MOST_MODELS]
