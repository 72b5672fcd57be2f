"""For tests of shepherd and supervisor: waiting for conditions, daemons, an undo server, a runner to kill."""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.supervision.identity import Identity, identify, state_of
from chaos.supervision.supervisor import ChildSpec, child_environment
from reports.shared.control_port import TOKEN_HEADER
from tests.support.paths import ROOT


def eventually(condition: Callable[[], object], what: str, within_s: float = 10.0) -> None:
    """Wait until the condition holds; fail with `what` once the time is over."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.01)


async def eventually_async(condition: Callable[[], object], what: str, within_s: float = 10.0) -> None:
    """The same without blocking the event loop."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        await asyncio.sleep(0.01)


def spec(folder: Path, name: str, *argv: str, kind: str = "replica", **extra: str) -> ChildSpec:
    """A process that sleeps, or runs the given command."""
    return ChildSpec(name, argv or ("sleep", "600"), child_environment(extra), folder / f"{name}.log", kind)


def with_daemon(pid_file: Path) -> tuple[str, ...]:
    """A command that double-forks a sleeping daemon into a session of its own, and then sleeps itself."""
    daemon = f"echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 600"
    return ("sh", "-c", f"(setsid sh -c '{daemon}' &); exec sleep 600")


def pid_in(pid_file: Path) -> Identity:
    """Wait for a pid in this file; the process that has it."""
    eventually(pid_file.exists, f"a pid in {pid_file}")
    who = identify(int(pid_file.read_text()))
    assert who is not None
    return who


def all_gone(processes: list[Identity]) -> bool:
    """Whether all these processes have exited."""
    return all(state_of(one) == "gone" for one in processes)


@contextmanager
def undo_server() -> Iterator[tuple[str, list[tuple[str, str, str | None]]]]:
    """A loopback HTTP server: its URL, and (method, path, token) of each request. A path with `broken` gets 500."""
    got: list[tuple[str, str, str | None]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:
            got.append((self.command, self.path, self.headers[TOKEN_HEADER]))
            self.send_response(500 if "broken" in self.path else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


STAND_IN = """
import asyncio, json, os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from tests.support.shepherd_helpers import pid_in, spec, with_daemon
from chaos.supervision.supervisor import ShepherdGone, Supervisor

async def main(folder, url, lease_s):
    gone = asyncio.Event()
    supervisor = Supervisor(
        run_dir=folder, owner="stand-in", token="secret", lease_s=lease_s, on_gone=lambda error: gone.set()
    )
    try:
        async with supervisor:
            plain, frozen, parent = await asyncio.gather(
                supervisor.spawn(spec(folder, "plain")),
                supervisor.spawn(spec(folder, "frozen")),
                supervisor.spawn(spec(folder, "parent", *with_daemon(folder / "daemon.pid"))),
            )
            daemon = await asyncio.to_thread(pid_in, folder / "daemon.pid")
            undo = [{{"do": "signal", "process": "frozen", "signal": "SIGCONT"}}]
            await supervisor.arm("f1", [*undo, {{"do": "request", "method": "DELETE", "url": url + "/behaviours/f1"}}])
            await supervisor.signal("frozen", signal.SIGSTOP)
            everyone = [child.identity for child in (plain, frozen, parent)] + [daemon]
            facts = {{"shepherd": supervisor.shepherd_pid, "processes": everyone}}
            print(json.dumps(facts), flush=True)
            await gone.wait()
            try:
                await supervisor.wait("plain")
            except ShepherdGone:
                pass
    except ShepherdGone as error:
        print(json.dumps({{"gone": str(error), "not undone": supervisor.failed_undos}}), flush=True)
        sys.exit(5)

if sys.argv[4] == "uvloop":
    import uvloop
    run = uvloop.run
else:
    run = asyncio.run
run(main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
"""


class StandIn:
    """A runner in a process of its own. It has a plain, a frozen and a daemonising child, and an armed fault."""

    def __init__(self, folder: Path, url: str, lease_s: float, loop: str) -> None:
        script = folder / "stand_in.py"
        script.write_text(STAND_IN.format(tests=str(ROOT)))
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(folder), url, str(lease_s), loop],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        facts = json.loads(self.process.stdout.readline())
        shepherd = identify(facts["shepherd"])
        assert shepherd is not None
        self.shepherd = shepherd
        self.processes = [Identity(*one) for one in facts["processes"]]

    def last_message(self) -> dict[str, object]:
        """Wait for the runner's message about the exit of its shepherd."""
        assert self.process.stdout is not None
        message: dict[str, object] = json.loads(self.process.stdout.readline())
        return message

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
