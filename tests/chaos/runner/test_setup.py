"""Ways in which the set-up of a run fails: no gateway, a gateway that passes nothing on, a port that is taken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.experiment.model import GatewayChoice, load_experiment
from chaos.runner import setup as setup_of_runs
from chaos.runner.early_end import Ended
from chaos.runner.load_control import LoadControl
from chaos.runner.ports import check_free
from chaos.runner.probe_result import ProbeResult
from chaos.runner.record_writer import RecordFull, RunFolder
from chaos.runner.run_watch import RunWatch
from chaos.runner.setup import Setup
from chaos.testing.mock_clock import run_in_virtual_time
from reports.shared.errors import TargetFailed, UserError
from targets.adapters.base import Installation
from targets.adapters.catalogue import ADAPTERS
from tests.support.run_helpers import events, write_experiment

URL = "http://127.0.0.1:4000/v1/chat/completions"
GOOD = ProbeResult(URL, "ok", 200, usage=True, terminal=True, session="s7-probe")
DOWN = ProbeResult(URL, "refused", None, "Cannot connect to host 127.0.0.1:4000")
STARTING = ProbeResult(URL, "http_5xx", 503, "no upstream is healthy")
HTML = ProbeResult(URL, "corrupt", 200, "the body is not an event stream: Sign in (text/html)")


def experiment_on(folder: Path, target: str) -> Any:
    path = write_experiment(folder)
    path.write_text(path.read_text().replace("{stack: small-stack.yaml}", target))
    return load_experiment(path)


class Rig:
    """A set-up whose calls to the gateway are scripted; `reached` is the number of the first that gets to a replica.

    `strangers`: with each call, a request of this other session comes to a replica.
    """

    strangers = ""

    def __init__(self, folder: Path, experiment: Any, *answers: ProbeResult, reached: int | None = None) -> None:
        self.folder = RunFolder(folder / "runs", "x")
        early: Any = SimpleNamespace(ending=False)
        load = LoadControl()
        self.watch = RunWatch(experiment, self.folder, early, load, {}, lambda child: False)
        self.said: list[str] = []
        self.calls = 0
        self.answers, self.reached = answers, reached
        self.setup = Setup(
            experiment, self.folder, cast(Any, None), self.watch, early, load, self.said.append, "token", "http://c"
        )

    async def call(self, config: object) -> ProbeResult:
        self.calls += 1
        await asyncio.sleep(0.1)
        if self.strangers:
            self.line(self.strangers)
        if self.reached is not None and self.calls >= self.reached:
            self.line("s7-probe")
        return self.answers[min(self.calls, len(self.answers)) - 1]

    def line(self, session: str, model: str = "m") -> None:
        about = {"session": session, "agent": "main", "turn": 0, "model": model}
        line = {"at": time.time_ns(), "span": f"{self.calls:016x}", **about}
        with (self.folder.path / "requests" / "left-0.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def probe(self, monkeypatch: pytest.MonkeyPatch) -> Coroutine[Any, Any, None]:
        monkeypatch.setattr(Setup, "_call_once", lambda _, config: self.call(config))
        clock = SimpleNamespace(monotonic=lambda: asyncio.get_running_loop().time(), time_ns=time.time_ns)
        monkeypatch.setattr(setup_of_runs, "time", clock)
        assert self.setup.deployment is not None
        return self.setup._probe_gateway({}, self.setup.deployment)


@pytest.fixture
def first_port() -> int:
    """The first of two ports that are free now."""
    for port in random.sample(range(20_000, 30_000), 50):
        with contextlib.suppress(UserError):
            check_free(port)
            check_free(port + 1)
            return port
    raise AssertionError("hardly any port is free")


def users(folder: Path, first_port: int) -> Any:
    replicas = f"{{stack: small-stack.yaml, first_port: {first_port}}}"
    return experiment_on(folder, f"{{url: 'http://127.0.0.1:4000', model: m, replicas: {replicas}}}")


def ends(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Ended:
    async def scenario() -> Ended:
        with pytest.raises(Ended) as caught:
            await rig.probe(monkeypatch)
        return caught.value

    return run_in_virtual_time(scenario())


def test_a_gateway_of_the_users_that_is_down_ends_the_run_at_once(
    tmp_path: Path, first_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, users(tmp_path, first_port), DOWN)
    ended = ends(rig, monkeypatch)
    assert (ended.event, ended.exit_code, rig.calls) == ("failed", 5, 1)
    assert "Cannot connect to host" in ended.why
    assert "what helps: start the server" in ended.why
    upstreams = "\n".join(f"        http://127.0.0.1:{port}" for port in (first_port, first_port + 1))
    assert f"the upstreams of the gateway must be:\n{upstreams}" in ended.why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (HTML, "correct target: url:, it leads to a web page"),
        (STARTING, "no upstream is healthy"),
        (GOOD, "the gateway answered, but none of the replicas got the call"),
    ],
    ids=["HTML", "503", "other upstreams"],
)
def test_a_gateway_that_passes_nothing_on_is_asked_for_half_a_minute(
    tmp_path: Path, first_port: int, monkeypatch: pytest.MonkeyPatch, answer: ProbeResult, why: str
) -> None:
    rig = Rig(tmp_path, users(tmp_path, first_port), answer)
    ended = ends(rig, monkeypatch)
    assert ended.exit_code == 5
    assert why in ended.why
    assert f"http://127.0.0.1:{first_port + 1}" in ended.why
    assert 10 <= rig.calls <= 30


def test_a_gateway_that_finds_its_upstreams_after_a_while_is_ready(
    tmp_path: Path, first_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, users(tmp_path, first_port), STARTING, STARTING, GOOD, reached=3)
    run_in_virtual_time(rig.probe(monkeypatch))
    assert rig.calls == 3
    assert rig.said == ["waiting until the gateway passes a call on to a replica"]


@pytest.mark.parametrize(("host", "named"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_a_gateway_of_the_users_that_other_machines_can_reach_is_named(
    tmp_path: Path, first_port: int, monkeypatch: pytest.MonkeyPatch, host: str, named: bool
) -> None:
    with socket.create_server((host, 0)) as gateway:
        port = gateway.getsockname()[1]
        replicas = f"{{stack: small-stack.yaml, first_port: {first_port}}}"
        target = f"{{url: 'http://127.0.0.1:{port}', model: m, replicas: {replicas}}}"
        rig = Rig(tmp_path, experiment_on(tmp_path, target), GOOD, reached=1)
        run_in_virtual_time(rig.probe(monkeypatch))
    said = f"your gateway listens at 0.0.0.0:{port}: other machines can reach it, and the replicas by it"
    assert (said in rig.said) is named


def test_requests_of_other_clients_are_no_proof_that_the_gateway_passes_calls_on(
    tmp_path: Path, first_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, users(tmp_path, first_port), GOOD)
    rig.strangers = "s8-3"
    assert "none of the replicas got the call" in ends(rig, monkeypatch).why


def test_a_replica_that_was_reached_by_a_failed_call_is_no_proof_yet(
    tmp_path: Path, first_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, users(tmp_path, first_port), STARTING, GOOD, reached=1)
    run_in_virtual_time(rig.probe(monkeypatch))
    assert rig.calls == 2


# -- ports ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def taken(first_port: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", first_port + 1)):
        yield first_port


def test_a_port_of_a_replica_that_is_taken_is_named_with_its_holder(tmp_path: Path, taken: int) -> None:
    with pytest.raises(
        UserError, match=rf"port {taken + 1} is in use by process \d+ \(.*python.*\)\. End that process"
    ):
        Rig(tmp_path, users(tmp_path, taken))


def test_the_user_s_gateway_needs_no_port_and_no_control_port(tmp_path: Path, first_port: int) -> None:
    setup = Rig(tmp_path, users(tmp_path, first_port)).setup
    assert [address.port for address in setup.addresses.values()] == [first_port, first_port + 1]
    assert setup.gateway_control_port == 0
    assert setup.deployment is not None
    assert {spec.name for spec in setup.deployment.specs()} == {"left-0", "right-0"}


# -- a gateway that the run starts ------------------------------------------------------------------------------------


def test_a_gateway_that_is_not_installed_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_of_runs, "installation_of", lambda choice: None)
    monkeypatch.setattr("chaos.experiment.target_checks.installed", lambda adapter: None)
    experiment = load_experiment(write_experiment(tmp_path), gateway=GatewayChoice("litellm", "tuned"))
    rig = Rig(tmp_path, experiment)
    with pytest.raises(TargetFailed, match="litellm is not installed: brownout targets install litellm"):
        rig.setup._prepare_gateway()


def test_the_version_of_a_gateway_is_told_and_recorded_without_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Installation(Path("/home/somebody/bin/nginx"), "1.99.9")
    monkeypatch.setattr(setup_of_runs, "installation_of", lambda choice: other)
    rig = Rig(tmp_path, load_experiment(write_experiment(tmp_path), gateway=GatewayChoice("nginx", "tuned")))
    rig.setup._prepare_gateway()
    assert rig.said[0] == "nginx:tuned, version 1.99.9"
    assert "brownout was tested with" in rig.said[1]
    assert len(rig.said) == 2
    (event,) = events(rig.folder.path, "gateway")
    tested = ADAPTERS["nginx"].version
    assert {key: event[key] for key in ("name", "preset", "program", "version", "tested")} == {
        "name": "nginx", "preset": "tuned", "program": "nginx", "version": "1.99.9", "tested": tested,
    }  # fmt: skip
    assert "somebody" not in json.dumps(event)


class Processes:
    """Each ends with this status; with None, it goes on."""

    def __init__(self, status: int | None = None) -> None:
        self.status = status

    async def wait(self, name: str) -> int:
        if self.status is None:
            await asyncio.Event().wait()
        assert self.status is not None
        return self.status


def test_a_gateway_that_exits_as_it_starts_is_not_waited_for(tmp_path: Path) -> None:
    rig = Rig(tmp_path, load_experiment(write_experiment(tmp_path), gateway=GatewayChoice("nginx")))
    rig.folder.log("gateway").write_text("unknown directive\n")

    class Waiting:
        def spec(self) -> None: ...

        async def wait_until_ready(self) -> None:
            await asyncio.Event().wait()

    async def spawn(spec: object) -> None: ...

    async def start() -> None:
        async with asyncio.timeout(5):
            await rig.setup.start_gateway()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Setup, "spawn", lambda _, spec: spawn(spec))
        rig.setup.gateway, rig.setup.supervisor = cast(Any, Waiting()), cast(Any, Processes(1))
        with pytest.raises(Ended, match=r"gateway exited before it was ready \(exit code 1\)\n +unknown directive"):
            asyncio.run(start())


def test_a_replica_that_exits_as_it_starts_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path, load_experiment(write_experiment(tmp_path)))
    rig.setup.supervisor = cast(Any, Processes(-9))

    async def never(urls: object, on_ready: object) -> None:
        await asyncio.Event().wait()

    async def start() -> None:
        async with asyncio.timeout(5):
            await rig.setup._all_ready({})

    monkeypatch.setattr(setup_of_runs, "all_ready", never)
    with pytest.raises(Ended, match=r"exited before it was ready \(killed by signal 9\)\n +log: "):
        asyncio.run(start())


def test_an_error_while_the_stack_starts_is_no_process_that_is_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, load_experiment(write_experiment(tmp_path)))

    class Waiting:
        async def wait(self, name: str) -> int:
            await asyncio.Event().wait()
            return 0

    async def full(urls: object, on_ready: object) -> None:
        raise RecordFull("no space left")

    rig.setup.supervisor = cast(Any, Waiting())
    monkeypatch.setattr(setup_of_runs, "all_ready", full)
    with pytest.raises(RecordFull, match="no space left"):
        asyncio.run(rig.setup._all_ready({"the load generator": asyncio.Event().wait()}))


async def test_an_interrupt_while_the_stack_starts_ends_what_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[str] = []

    async def never(urls: object, on_ready: object) -> None:
        waiting.append("")
        try:
            await asyncio.Event().wait()
        finally:
            waiting.pop()

    rig = Rig(tmp_path, load_experiment(write_experiment(tmp_path)))
    monkeypatch.setattr(setup_of_runs, "all_ready", never)
    monkeypatch.setattr(setup_of_runs, "unless_ended", lambda supervisor, names, ready: ready)
    start = asyncio.ensure_future(rig.setup._all_ready({}))
    while not waiting:
        await asyncio.sleep(0)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert waiting == []


def test_a_gateway_that_does_not_serve_ends_the_run_with_the_end_of_its_log(tmp_path: Path) -> None:
    experiment = load_experiment(write_experiment(tmp_path), gateway=GatewayChoice("nginx"))
    rig = Rig(tmp_path, experiment)
    rig.folder.log("gateway").write_text("starting\nbind() to 127.0.0.1:80 failed\n")

    class Dead:
        def spec(self) -> None: ...

        async def wait_until_ready(self) -> None:
            raise TargetFailed("nginx started, and does not serve within 5 s")

    async def spawn(spec: object) -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Setup, "spawn", lambda _, spec: spawn(spec))
        rig.setup.gateway, rig.setup.supervisor = cast(Any, Dead()), cast(Any, Processes())
        with pytest.raises(Ended) as caught:
            asyncio.run(rig.setup.start_gateway())
    assert caught.value.exit_code == 5
    assert caught.value.why.startswith("nginx started, and does not serve within 5 s\n")
    assert "bind() to 127.0.0.1:80 failed" in caught.value.why
