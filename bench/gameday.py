"""CPU of the server of a game day's pages with 30 viewers, one of which never reads: at most 3 % of a core.

    python -m bench.gameday [--viewers N] [--seconds N]

The server runs in a process of its own, with an exercise as large as they come: 24 replicas, charts of 150 points, 300
lines in the log. Its viewers are in this process: game masters, responders and audience. Exits 1 over a limit.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from bench.table import print_table

CPU_SHARE = 0.03
RESIDENT_GROWTH_MB = 20
WARM_UP_S = 3.0
CONNECT_S = 20.0
MASTERS, RESPONDERS = 2, 8


@dataclass(frozen=True)
class Used:
    """CPU time, wall time and resident set of the server's process so far."""

    cpu_s: float
    wall_s: float
    resident_mb: float


def serve(pipe: Connection) -> None:
    """Serve an exercise. Each message on `pipe` is answered by `Used`, until "stop"."""
    import uvloop

    from chaos.gameday.server.page_server import PageServer
    from chaos.gameday.server.serving import Serving
    from tests.support.gameday_room import LARGE_POOLS, FakeRoom
    from tests.support.gameday_server import TINY_PAGES

    def used() -> Used:
        words = Path("/proc/self/status").read_text().split()
        return Used(time.process_time(), time.monotonic(), int(words[words.index("VmRSS:") + 1]) / 1024)

    async def run() -> None:
        server = PageServer(FakeRoom(LARGE_POOLS, log_lines=300, running_s=900.0), Serving(), TINY_PAGES)
        await server.start()
        pipe.send((server.url, {role.value: link.partition("#t=")[2] for role, link in server.links.items()}))
        while await asyncio.to_thread(pipe.recv) != "stop":
            pipe.send(used())
        await server.close()

    uvloop.run(run())


class Viewers:
    """Streams that are read, and one that is not."""

    def __init__(self, url: str, tokens: dict[str, str]) -> None:
        self._url = url
        self._tokens = tokens
        self.documents = 0
        self.bytes = 0
        self.cut_off = False
        self.open = 0

    async def watch(self, count: int, seconds: float, pipe: Connection) -> tuple[Used, Used]:
        """Watch for so long. Returns what the server used before and after."""
        import aiohttp

        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            roles = ["gamemaster"] * MASTERS + ["responder"] * RESPONDERS
            roles = (roles + ["audience"] * count)[:count]
            tasks = [asyncio.create_task(self._read(client, role, number)) for number, role in enumerate(roles[:-1])]
            tasks.append(asyncio.create_task(self._never_read(await self._enter(client, roles[-1], "slow"))))
            async with asyncio.timeout(CONNECT_S):
                while self.open < len(tasks):
                    await asyncio.sleep(0.05)
            await asyncio.sleep(WARM_UP_S)
            before = await self._used(pipe)
            self.documents = self.bytes = 0
            await asyncio.sleep(seconds)
            after = await self._used(pipe)
            for task in tasks:
                task.cancel()
            failed = [found for found in await asyncio.gather(*tasks, return_exceptions=True) if found]
            if any(not isinstance(found, asyncio.CancelledError) for found in failed):
                raise RuntimeError(f"a viewer's stream ended: {failed[0]!r}")
            return before, after

    async def _used(self, pipe: Connection) -> Used:
        pipe.send("used")
        used: Used = await asyncio.to_thread(pipe.recv)
        return used

    async def _enter(self, client: object, role: str, name: str) -> str:
        """The cookie of a new session."""
        import aiohttp

        assert isinstance(client, aiohttp.ClientSession)
        entry = {"token": self._tokens[role], "name": name}
        async with client.post(f"{self._url}/api/enter", json=entry, headers={"Origin": self._url}) as answer:
            answer.raise_for_status()
            return answer.headers["Set-Cookie"].partition(";")[0]

    async def _read(self, client: object, role: str, number: int) -> None:
        import aiohttp

        assert isinstance(client, aiohttp.ClientSession)
        headers = {"Cookie": await self._enter(client, role, f"viewer {number}")}
        limit = aiohttp.ClientTimeout(total=None)
        async with client.get(f"{self._url}/api/stream", headers=headers, timeout=limit) as answer:
            answer.raise_for_status()
            self.open += 1
            async for chunk in answer.content.iter_any():
                self.documents += chunk.count(b"event: state")
                self.bytes += len(chunk)
        raise ConnectionError("the server closed a stream that is read")

    async def _never_read(self, cookie: str) -> None:
        """A browser that opens a stream, reads nothing, and comes back when it is cut off."""
        loop = asyncio.get_running_loop()
        host = self._url.partition("://")[2]
        request = f"GET /api/stream HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode()
        self.open += 1
        while True:
            with socket.socket() as peer:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                peer.setblocking(False)
                await loop.sock_connect(peer, ("127.0.0.1", int(host.rpartition(":")[2])))
                await loop.sock_sendall(peer, request)
                while not peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    await asyncio.sleep(0.5)
                self.cut_off = True


def main(argv: list[str]) -> int:
    """Print what the server used; answer whether it stays within its budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args(argv)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    url, tokens = here.recv()
    viewers = Viewers(url, tokens)
    before, after = asyncio.run(viewers.watch(options.viewers, options.seconds, here))
    here.send("stop")
    process.join(10)
    wall_s = after.wall_s - before.wall_s
    share = (after.cpu_s - before.cpu_s) / wall_s
    growth_mb = after.resident_mb - before.resident_mb
    each_s = viewers.documents / max(1, options.viewers - 1) / wall_s
    kept = 0.9 <= each_s <= 1.1
    rows = [
        ("CPU, % of a core", f"{share * 100:.2f}", f"< {CPU_SHARE * 100:g}"),
        ("documents a second and viewer", f"{each_s:.2f}", "0.9 to 1.1"),
        ("growth of the resident set, MB", f"{growth_mb:.1f}", f"<= {RESIDENT_GROWTH_MB}"),
        ("sent to viewers that read, kB/s", f"{viewers.bytes / wall_s / 1e3:.0f}", ""),
        ("the viewer that never reads was cut off", "yes" if viewers.cut_off else "not yet", ""),
    ]
    print_table((f"pages of a game day, {options.viewers} viewers, {wall_s:.0f} s", "measured", "budget"), rows)
    return 0 if share < CPU_SHARE and kept and growth_mb <= RESIDENT_GROWTH_MB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
