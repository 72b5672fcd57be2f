"""Reading request bodies that may be large, without keeping them."""

from __future__ import annotations

from aiohttp import web

__all__ = ["BodyError", "read_body"]


class BodyError(ValueError):
    """A body that is not what its headers say: bad compression, a chunk that is none."""


async def read_body(request: web.BaseRequest, limit_bytes: int) -> bytes:
    """The body of a request, decompressed. Raises `web.HTTPRequestEntityTooLarge` above `limit_bytes`, and `BodyError`.

    `request.read()` of aiohttp keeps the body for as long as the request object lives, and a keep-alive connection
    keeps its last request: fifty idle connections would hold fifty conversations.
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
