"""What each path answers: pages, entry, state, stream, actions, the post-mortem.

Each request is checked in this order: Host, Origin and Sec-Fetch-Site; path and method; session; size and form.
A connection without a session ends with its answer.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.http import HttpVersion10, HttpVersion11

from chaos.gameday.core.roles import NotAllowed, NotNow, Role
from chaos.gameday.server import answers
from chaos.gameday.server.access import Access, Session
from chaos.gameday.server.once import Answer
from chaos.gameday.server.origins import Origins
from chaos.gameday.server.pages import Pages, StaticFile
from chaos.gameday.server.room import Room
from chaos.gameday.server.streams import DRAIN_S, Pushes, bound_buffers
from reports.shared.bounded_server import BoundedConnection, final
from reports.shared.control_server import Refused, decode_json, read_body
from reports.shared.errors import TargetFailed, UserError

__all__ = ["PAGE_OF", "Routes"]

PAGE_OF: Final[Mapping[Role, str]] = {
    Role.GAMEMASTER: "/controls",
    Role.RESPONDER: "/respond",
    Role.AUDIENCE: "/wall",
}
BODY_BYTES: Final = 64 * 1024
ENTRY_BYTES: Final = 4 * 1024
_KEY: Final = re.compile(r"[0-9A-Za-z-]{8,64}", re.ASCII)
_DO: Final = re.compile(r"[a-z_]{1,32}", re.ASCII)
_LOG: Final = logging.getLogger(__name__)
_ENTER: Final = "send {token, name}: both are texts"
_DEFECT: Final = "this is a defect of brownout; the text is in its terminal"


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    name: str


_Handler = Callable[[web.BaseRequest, Session | None], Awaitable[web.StreamResponse]]


class Routes:
    """The answers of one game day."""

    def __init__(
        self, room: Room, pages: Pages, access: Access, origins: Origins, pushes: Pushes, drain_s: float = DRAIN_S
    ) -> None:
        self._room = room
        self._pages = pages
        self._access = access
        self._origins = origins
        self._pushes = pushes
        self._drain_s = drain_s
        self._actions: set[asyncio.Task[Answer]] = set()
        self._now_s = asyncio.get_running_loop().time
        self._routes: dict[str, tuple[str, _Handler]] = {
            "/api/enter": ("POST", self._enter),
            "/api/leave": ("POST", self._leave),
            "/api/state": ("GET", self._state),
            "/api/stream": ("GET", self._stream),
            "/api/action": ("POST", self._action),
            "/review/postmortem.html": ("GET", self._review),
            "/review/postmortem.md": ("GET", self._review),
        }

    async def close(self) -> None:
        """Cancel the actions that are still under way."""
        for task in self._actions:
            task.cancel()
        await asyncio.gather(*self._actions, return_exceptions=True)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request; never raises, apart from the end of the connection."""
        connection = request.protocol
        assert isinstance(connection, BoundedConnection)
        session = None
        try:
            self._check_origin(request)
            session = self._session(request)
            if session is not None:
                connection.trust()
            response = await self._route(request, session)
        except Refused as refused:
            response = answers.failed(refused.status, refused.why, _headers(refused.response))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            _LOG.exception("a defect: %s %r", request.method, request.path)
            response = answers.failed(500, _DEFECT)
        if session is None or not request.content.is_eof():
            final(connection, response)
        return response

    def _check_origin(self, request: web.BaseRequest) -> None:
        values = request.headers.getall
        why = self._origins.refusal(
            values("Host", []),
            values("Origin", []),
            values("Sec-Fetch-Site", []),
            post=request.method not in ("GET", "HEAD"),
            data=request.path in self._routes,
        )
        if why is not None:
            raise Refused(403, why)
        if request.version not in (HttpVersion10, HttpVersion11):
            raise Refused(400, "use HTTP/1.1")

    def _session(self, request: web.BaseRequest) -> Session | None:
        wanted = self._origins.cookie(request.headers["Host"])
        for header in request.headers.getall("Cookie", []):
            for pair in header.split(";"):
                name, _, value = pair.strip().partition("=")
                if name == wanted and (session := self._access.session(value, self._now_s())) is not None:
                    return session
        return None

    async def _route(self, request: web.BaseRequest, session: Session | None) -> web.StreamResponse:
        file = self._pages.find(request.path)
        if file is not None:
            method, handler = "GET", _static(file)
        elif request.path in self._routes:
            method, handler = self._routes[request.path]
        else:
            raise Refused(404, "there is nothing at this path; the entry is at /")
        if request.method != method:
            raise Refused(405, f"this path answers {method} only", {"Allow": method})
        return await handler(request, session)

    async def _enter(self, request: web.BaseRequest, session: Session | None) -> web.StreamResponse:
        body = await read_body(request, ENTRY_BYTES, "application/json")
        try:
            entry: _Entry = decode_json(body, msgspec.json.Decoder(_Entry).decode)
        except Refused:
            raise Refused(400, _ENTER) from None  # the decoder's text could show a part of the token
        secret, entered = self._access.enter(entry.token, entry.name, self._now_s())
        if session is not None:
            self._forget(session)
        person = entered.person
        self._room.entered(person)
        response = answers.data({"role": person.role.value, "name": person.name, "page": PAGE_OF[person.role]})
        self._set_cookie(response, request, secret)
        return response

    async def _leave(self, request: web.BaseRequest, session: Session | None) -> web.StreamResponse:
        await read_body(request, ENTRY_BYTES, "application/json")
        if session is not None:
            self._forget(session)
        response = answers.data({"ok": True, "text": "you have left"})
        self._set_cookie(response, request, "", "; Max-Age=0")
        return response

    async def _state(self, request: web.BaseRequest, session: Session | None) -> web.StreamResponse:
        session = _required(session)
        _limit(session.looks.wait_s(self._now_s()))
        return answers.body(200, self._pushes.document(session.person.role))

    async def _stream(self, request: web.BaseRequest, session: Session | None) -> web.StreamResponse:
        session = _required(session)
        _limit(session.openings.wait_s(self._now_s()))
        connection = request.protocol
        assert isinstance(connection, BoundedConnection)
        stream, begin = self._pushes.open(session, connection.renew)
        try:
            response = web.StreamResponse(headers={"Content-Type": answers.EVENT_STREAM, "X-Accel-Buffering": "no"})
            answers.protect(response)
            bound_buffers(request.transport)
            await response.prepare(request)
            frame: bytes | None = begin
            while frame is not None:
                await self._send(connection, request, response, frame)
                frame = await stream.next()
        finally:
            self._pushes.closed(stream)
        response.force_close()
        return response

    async def _send(
        self, connection: BoundedConnection, request: web.BaseRequest, response: web.StreamResponse, frame: bytes
    ) -> None:
        try:
            async with asyncio.timeout(self._drain_s):
                await response.write(frame)
                await request.writer.drain()
        except TimeoutError:
            connection.drop()
            raise ConnectionResetError("the browser does not read its stream") from None

    async def _action(self, request: web.BaseRequest, session: Session | None) -> web.StreamResponse:
        session = _required(session)
        _limit(session.actions.wait_s(self._now_s()))
        arguments = decode_json(await read_body(request, BODY_BYTES, "application/json"), msgspec.json.decode)
        if not isinstance(arguments, dict):
            raise Refused(400, "send a JSON object: {key, do, ...}")
        key, do = arguments.pop("key", None), arguments.pop("do", None)
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise Refused(400, "key: a text of 8 to 64 letters, digits and hyphens, a new one for each action (a UUID)")
        if not isinstance(do, str) or not _DO.fullmatch(do):
            raise Refused(400, "do: the name of an action, such as note")
        connection = request.protocol
        assert isinstance(connection, BoundedConnection)
        connection.received_whole()
        answer = await session.once.answer(key, lambda: self._begin(session, do, arguments))
        return answers.body(answer.status, answer.body)

    def _begin(self, session: Session, do: str, arguments: dict[str, Any]) -> asyncio.Task[Answer]:
        task = asyncio.ensure_future(self._act(session, do, arguments))
        self._actions.add(task)
        task.add_done_callback(self._actions.discard)
        return task

    async def _act(self, session: Session, do: str, arguments: dict[str, Any]) -> Answer:
        try:
            found = await self._room.act(session.person, do, arguments)
        except NotAllowed as error:
            return _failed(403, error)
        except (NotNow, TargetFailed) as error:
            return _failed(409, error)
        except UserError as error:
            return _failed(400, error)
        except Exception:
            _LOG.exception("a defect: action %s", do)
            return Answer(500, answers.encode({"ok": False, "error": _DEFECT}))
        return Answer(200, answers.encode({"ok": True, **found}))

    async def _review(self, request: web.BaseRequest, session: Session | None) -> web.StreamResponse:
        _required(session)
        name = request.path.rpartition("/")[2]
        content = self._room.file(name)
        if content is None:
            raise Refused(404, "the post-mortem is there when the exercise is over")
        if name.endswith(".html"):
            policy = {"Content-Security-Policy": answers.REVIEW_POLICY, "Cache-Control": "no-store"}
            return answers.static(content, "text/html; charset=utf-8", policy)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return answers.static(content, "text/markdown; charset=utf-8", headers)

    def _forget(self, session: Session) -> None:
        self._access.leave(session)
        self._pushes.end(session)

    def _set_cookie(self, response: web.Response, request: web.BaseRequest, value: str, more: str = "") -> None:
        secure = "; Secure" if self._origins.secure else ""
        name = self._origins.cookie(request.headers["Host"])
        response.headers["Set-Cookie"] = f"{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}"


def _static(file: StaticFile) -> _Handler:
    async def handler(request: web.BaseRequest, session: Session | None) -> web.StreamResponse:
        headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
        if file.tag in request.headers.get("If-None-Match", ""):
            response = web.Response(status=304, headers=headers)
            answers.protect(response)
            return response
        return answers.static(file.content, file.content_type, headers)

    return handler


def _required(session: Session | None) -> Session:
    if session is None:
        raise Refused(401, "you have not entered, or the game day has begun anew: open your link again")
    return session


def _limit(wait_s: int) -> None:
    if wait_s:
        raise Refused(429, "that is too much at once; try again in a moment", {"Retry-After": str(wait_s)})


def _failed(status: int, error: Exception) -> Answer:
    return Answer(status, answers.encode({"ok": False, "error": str(error)}))


def _headers(response: web.Response) -> dict[str, str]:
    """The headers of a refusal that are not those of its body."""
    return {name: value for name, value in response.headers.items() if name in ("Allow", "Retry-After")}
