"""An HTTP server on a free port that responds as scripted, down to FIN and RST; one thread per connection."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from reports.shared.tokens import find_marker, token_stream

Script = Callable[[socket.socket], None]


class Received(NamedTuple):
    at_s: float
    head: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedServer:
    """Responds to the n-th request with the n-th script, and to later requests with the last script."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.scripts = list(scripts)
        self.requests: list[Received] = []
        self.connections = 0
        self.here = threading.local()
        """`here.request`: the request that this thread's script responds to."""
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._tls is not None:
                try:
                    sock = self._tls.wrap_socket(sock, server_side=True)
                except OSError:
                    continue
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        pending = b""
        try:
            while True:
                while b"\r\n\r\n" not in pending:
                    data = sock.recv(65536)
                    if not data:
                        return
                    pending += data
                head, _, pending = pending.partition(b"\r\n\r\n")
                text = head.decode("latin-1")
                length = next(
                    (
                        int(line.split(":")[1])
                        for line in text.split("\r\n")
                        if line.lower().startswith("content-length")
                    ),
                    0,
                )
                while len(pending) < length:
                    pending += sock.recv(65536)
                body, pending = pending[:length], pending[length:]
                with self._lock:
                    script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
                    self.here.request = Received(time.monotonic(), text, body)
                    self.requests.append(self.here.request)
                script(sock)
        except OSError:
            return


def whole(status: int, body: bytes = b"{}", headers: Iterable[tuple[str, str]] = ()) -> Script:
    """A complete response with a content length."""

    def run(sock: socket.socket) -> None:
        extra = "".join(f"{name}: {value}\r\n" for name, value in headers)
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        sock.sendall(head.encode() + body)

    return run


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def framed(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def streamed(events: Iterable[bytes], *, gap_s: float = 0.0, end: str = "clean", header: str = "") -> Script:
    """A chunked stream, one HTTP chunk per event. `end`: clean, fin, rst, or hang (open and silent)."""

    def run(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(HEAD[:-2] + header.encode() + HEAD[-2:])
        for event in events:
            sock.sendall(framed(event))
            if gap_s:
                time.sleep(gap_s)
        finish(sock, end)

    return run


def finish(sock: socket.socket, end: str) -> None:
    if end == "clean":
        sock.sendall(b"0\r\n\r\n")
    elif end == "fin":
        sock.shutdown(socket.SHUT_WR)
    elif end == "rst":
        reset(sock)
    elif end == "hang":
        sock.recv(1)  # until the client closes the connection


def reset(sock: socket.socket) -> None:
    """Sends RST as soon as the client has read the bytes sent before, after 2 s at the latest."""
    deadline = time.monotonic() + 2
    while _unread(sock) and time.monotonic() < deadline:
        time.sleep(0.001)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def _unread(sock: socket.socket) -> bool:
    """Whether the client, a process of this machine, has bytes of this connection to read: a queue is not empty."""
    here, there = (f"{address[1]:04X}" for address in (sock.getsockname(), sock.getpeername()))
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()  # addresses are IP:PORT, queues are SENT:RECEIVED
        sent, received = (int(count, 16) for count in queues.split(":"))
        ports = local[-4:], remote[-4:]
        if (ports == (here, there) and sent) or (ports == (there, here) and received):
            return True
    return False


def silent(sock: socket.socket) -> None:
    """No response until the client closes the connection."""
    sock.recv(1)


def prove(holder: list[ScriptedServer], *, gap_s: float = 0.0, end: str = "clean", upto: int | None = None) -> Script:
    """Responds to each request like a simulated replica: with the tokens of its last marker."""

    def run(sock: socket.socket) -> None:
        request: Received = holder[0].here.request
        marker = find_marker(request.body.decode())
        assert marker is not None
        count = request.json["max_tokens"]
        tokens = token_stream(marker.key, count)
        pieces = [tokens[i : i + 4] for i in range(0, 4 * count, 4)]
        in_tool = min(8, count // 2) if request.json.get("tool_choice") not in (None, "none") else 0
        arguments = ['{"input":"', *pieces[count - in_tool :], '"}'] if in_tool else []
        events = openai_events(
            pieces[: count - in_tool], arguments=arguments, finish="tool_calls" if in_tool else "stop"
        )
        streamed(events[:upto], gap_s=gap_s, end=end)(sock)

    return run


def openai_chunk(content: str | None = None, *, finish: str | None = None, **delta: Any) -> bytes:
    if content is not None:
        delta["content"] = content
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def openai_events(
    pieces: Iterable[str], *, finish: str | None = "stop", done: bool = True, arguments: Iterable[str] = ()
) -> list[bytes]:
    """A stream of OpenAI's API: role, pieces, finish reason, usage, end of stream."""
    events = [openai_chunk("", role="assistant"), *(openai_chunk(piece) for piece in pieces)]
    events += [
        openai_chunk(
            tool_calls=[{"index": 0, "id": "c1", "type": "function", "function": {"name": "bash", "arguments": ""}}]
        )
        for _ in list(arguments)[:1]
    ]
    events += [openai_chunk(tool_calls=[{"index": 0, "function": {"arguments": piece}}]) for piece in arguments]
    if finish is not None:
        events.append(openai_chunk(finish=finish))
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 90}}
    events.append(b"data: " + json.dumps({"choices": [], "model": "m", "usage": usage}).encode() + b"\n\n")
    return events + ([b"data: [DONE]\n\n"] if done else [])


def anthropic_event(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields}, separators=(',', ':'))}\n\n".encode()


def anthropic_events(
    pieces: Iterable[str], *, finish: str | None = "end_turn", stop: bool = True, arguments: Iterable[str] = ()
) -> list[bytes]:
    """A stream of the Messages API."""
    usage = {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 1}
    message = {"id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    events = [
        anthropic_event("message_start", message=message),
        anthropic_event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        anthropic_event("ping"),
    ]
    events += [
        anthropic_event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}) for piece in pieces
    ]
    events.append(anthropic_event("content_block_stop", index=0))
    if arguments:
        block = {"type": "tool_use", "id": "t1", "name": "bash", "input": {}}
        events.append(anthropic_event("content_block_start", index=1, content_block=block))
        events += [
            anthropic_event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": piece})
            for piece in arguments
        ]
        events.append(anthropic_event("content_block_stop", index=1))
    if finish is not None:
        events.append(anthropic_event("message_delta", delta={"stop_reason": finish}, usage={"output_tokens": 7}))
    return events + ([anthropic_event("message_stop")] if stop else [])
