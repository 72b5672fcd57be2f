"""Reads large request bodies without keeping them in memory."""

from __future__ import annotations

from aiohttp import web

__all__ = ["BodyError", "read_body"]


class BodyError(ValueError):
    """A body that does not match its headers: invalid compression, an invalid chunk."""


async def read_body(request: web.BaseRequest, limit_bytes: int) -> bytes:
    """Returns the decompressed body. Raises `BodyError`, and `web.HTTPRequestEntityTooLarge` above `limit_bytes`.

    aiohttp's `request.read()` keeps the body as long as the request object exists, and a keep-alive connection keeps
    its last request: fifty idle connections would keep fifty conversations in memory.
    """
    parts: list[bytes] = []
    size = 0
    try:
        while part := await request.content.readany():
            size += len(part)
            if size > limit_bytes:
                raise web.HTTPRequestEntityTooLarge(limit_bytes, size)
            parts.append(part)
    except web.RequestPayloadError as error:
        raise BodyError(f"the body cannot be read: {' '.join(str(error).split())}") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)
