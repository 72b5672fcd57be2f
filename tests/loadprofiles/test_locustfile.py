"""`locust -f loadprofiles/locustfile.py` as users run it: headless, distributed, with the web UI, and with mistakes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from brownout.children import python_words
from tests.support.paths import ROOT
from tests.support.scripted_server import Script, ScriptedServer, prove, silent, whole

REPOSITORY = ROOT
LOCUSTFILE = REPOSITORY / "loadprofiles" / "locustfile.py"

SMALL = """\
arrivals: {constant: {rate: 20}}
shared_prefix: 100
own_prefix: 50
calls: 2
appended: 40
output: 10
tool: 10ms
client: {retries: none}
"""

CHAOS_FILE = """\
import sys
sys.path[:] = [entry for entry in sys.path if entry != {here!r}] + [{here!r}]
from locust import events
from loadprofiles.player.load_config import read_load_config
from loadprofiles.player.locust_host import AgentSessions, host
import gevent, json

@events.init.add_listener
def on_init(environment, **_):
    load = host(environment, lambda: read_load_config({config!r}), chaos=True)
    def command():
        while load.snapshot()["calls"]["failed"] < 8:
            gevent.sleep(0.01)
        load.drain()
        while not load.snapshot()["done"]:
            gevent.sleep(0.01)
        print("SNAPSHOT", json.dumps(load.snapshot()), flush=True)
        load.stop()
    environment.events.test_start.add_listener(lambda **_: gevent.spawn(command))
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@contextmanager
def target(make: Callable[[list[ScriptedServer]], Script] = prove) -> Iterator[ScriptedServer]:
    holder: list[ScriptedServer] = []
    with ScriptedServer(make(holder)) as server:
        holder.append(server)
        yield server


def command(*arguments: object) -> list[str]:
    return python_words("-m", "locust", *map(str, arguments))


def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BROWNOUT_", "LOCUST_", "OTEL_"))}
    return {**kept, "HOME": str(tmp_path)}


def locust(tmp_path: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("--headless", *arguments),
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def sessions_of(server: ScriptedServer) -> list[str]:
    return [request.json["user"] for request in server.requests]


def test_headless_standalone_plays_the_profile_and_drains(tmp_path: Path, profile: Path) -> None:
    with target() as server:
        done = locust(
            tmp_path, "-f", LOCUSTFILE, "-H", server.url, "-t", "2s", "--load-profile", profile, "--run-id", "x"
        )
        assert done.returncode == 0, done.stderr
        sessions = sessions_of(server)
    played_s = server.requests[-1].at_s - server.requests[0].at_s  # longer than 2 s on a busy machine
    assert 20 <= len(set(sessions)) <= 25 * (played_s + 1)
    assert all(sessions.count(session) == 2 for session in sessions), "sessions were cut at the end"
    assert set(sessions) == {f"x-{i}" for i in range(len(set(sessions)))}
    summary = done.stderr.split("Shutting down")[1].split("Response time percentiles")[0]
    counts = dict(re.findall(r"^(POST|TTFT| +)\s.*?(\d+) +\d+\(", summary, re.MULTILINE))
    counts = {kind.strip(): int(count) for kind, count in counts.items()}
    assert counts["POST"] == counts["TTFT"] == len(sessions)
    assert counts[""] == len(sessions), "TTFT counts as requests"


def test_failed_calls_give_exit_code_1_standalone(tmp_path: Path, profile: Path) -> None:
    with target(lambda _: whole(503)) as server:
        done = locust(tmp_path, "-f", LOCUSTFILE, "-H", server.url, "-t", "1s", "--load-profile", profile)
    assert done.returncode == 1
    assert "http_5xx" in done.stderr


def test_in_a_chaos_run_failed_calls_give_exit_code_0_and_commands_work(tmp_path: Path, profile: Path) -> None:
    resolved = subprocess.run(
        python_words("-m", "loadprofiles.sessions.resolve_profile", str(profile)), capture_output=True, check=True
    ).stdout
    with target(lambda _: whole(503)) as server:
        config: dict[str, object] = {
            "url": server.url,
            "api": "openai",
            "model": "m",
            "api_key_env": None,
            "trace": None,
            "seed": 7,
        }
        config |= {"profile": json.loads(resolved), "run": "x", "horizon_s": 300, "drain_s": 30}
        config |= {"slo": {"ttft_s": 2.0, "tpot_s": 0.1}}
        (tmp_path / "config.json").write_text(json.dumps(config))
        own = tmp_path / "chaos_locustfile.py"
        own.write_text(CHAOS_FILE.format(here=str(tmp_path), config=str(tmp_path / "config.json")))
        done = locust(tmp_path, "-f", own)
    assert done.returncode == 0, done.stderr
    snapshot = json.loads(done.stdout.split("SNAPSHOT ")[1].splitlines()[0])
    assert snapshot["done"] is True
    assert snapshot["sessions"]["lost"] == snapshot["arrivals"] == snapshot["calls"]["failed"] > 5
    assert snapshot["arrivals"] <= snapshot["arrivals_planned"] <= snapshot["arrivals"] + 1


def test_another_machine_is_rejected_without_permission(tmp_path: Path, profile: Path) -> None:
    done = locust(tmp_path, "-f", LOCUSTFILE, "-H", "http://192.0.2.1:9", "-t", "5s", "--load-profile", profile)
    assert done.returncode == 2
    assert "--yes-i-may" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--load-profile", "coding-agnet"], "coding-agent"),
        (["--trace", "/nowhere"], "/nowhere"),
        (["--trace", ".", "--trace-options", "rtae=2"], "rtae"),
        (["--api-key-env", "NO_SUCH_KEY"], "NO_SUCH_KEY"),
        (["--retries", "openai"], "openai-sdk"),
    ],
)
def test_mistakes_are_reported_without_a_traceback(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = locust(tmp_path, "-f", LOCUSTFILE, "-H", "http://127.0.0.1:9", "-t", "5s", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("recorded", [False, True])
def test_workers_share_the_sessions_without_overlap(tmp_path: Path, profile: Path, recorded: bool) -> None:
    port = free_port()
    load: list[object] = ["--load-profile", profile]
    if recorded:
        rows = [f"{i},s{i // 2},1,{100 + 200 * (i % 2)},4" for i in range(20)]
        trace = tmp_path / "trace.csv"
        trace.write_text("\n".join(["Timestamp,Session ID,Elapsed time,Request tokens,Response tokens", *rows]))
        load += ["--trace", trace, "--trace-options", "rate=20,speed=1000"]
    with target() as server:
        common = ["-f", LOCUSTFILE, "--master-port", port]
        workers = [
            subprocess.Popen(
                command(*common, "--worker", "--master-host", "127.0.0.1"),
                cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            for _ in range(2)
        ]  # fmt: skip
        try:
            done = locust(
                tmp_path, "-f", LOCUSTFILE, "--master", "--master-bind-port", port, "--master-bind-host", "127.0.0.1",
                "--expect-workers", 2, "-H", server.url, "-t", "2s", "--run-id", "x", *load,
            )  # fmt: skip
            codes = [worker.wait(30) for worker in workers]
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()
        assert done.returncode == 0, done.stderr
        assert codes == [0, 0]
        sessions = sessions_of(server)
    numbers = {int(session.removeprefix("x-")) for session in sessions}
    assert all(sessions.count(session) == 2 for session in sessions), "played twice, or cut at the end"
    assert len(numbers) >= 20
    assert len(numbers) >= 0.9 * (max(numbers) + 1), "a worker's share is missing"


def test_the_web_ui_starts_and_stops_the_load(tmp_path: Path, profile: Path) -> None:
    port = free_port()
    with target() as server:
        process = subprocess.Popen(
            command("-f", LOCUSTFILE, "--web-host", "127.0.0.1", "--web-port", port, "--load-profile", profile),
            cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"

            def answers() -> bool:
                try:
                    return "Locust" in urllib.request.urlopen(url, timeout=5).read().decode()
                except OSError:
                    return False

            until(answers)
            form = urllib.parse.urlencode({"user_count": 1, "spawn_rate": 1, "host": server.url}).encode()
            urllib.request.urlopen(f"{url}/swarm", data=form, timeout=10).read()
            until(lambda: len(server.requests) > 10)
            stats = json.loads(urllib.request.urlopen(f"{url}/stats/requests", timeout=10).read())
            assert {"POST", "TTFT"} <= {row["method"] for row in stats["stats"]}
            urllib.request.urlopen(f"{url}/stop", data=b"", timeout=40).read()
            stopped_at = len(server.requests)
            sessions = sessions_of(server)
            assert all(sessions.count(session) == 2 for session in sessions)
            urllib.request.urlopen(f"{url}/swarm", data=form, timeout=10).read()
            until(lambda: len(server.requests) > stopped_at + 10)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.communicate()


def test_sigterm_ends_the_process_while_sessions_hang(tmp_path: Path, profile: Path) -> None:
    with target(lambda _: silent) as server:
        process = subprocess.Popen(
            command("--headless", "-f", LOCUSTFILE, "-H", server.url, "--load-profile", profile),
            cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            until(lambda: len(server.requests) > 3)
            process.send_signal(signal.SIGTERM)
            process.wait(8)
        finally:
            process.kill()
            process.communicate()


def test_the_process_that_plays_the_load_imports_no_analysis() -> None:
    """jinja2 is not in the list: Locust's own web UI imports it."""
    program = (
        "import sys, loadprofiles.player.locust_host, loadprofiles.player.load_config, loadprofiles.locustfile;"
        "print([name for name in ('pydantic', 'duckdb', 'scipy', 'numpy', 'bokeh') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
