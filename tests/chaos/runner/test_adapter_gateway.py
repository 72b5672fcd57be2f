"""A real gateway that a run starts: its files, its start and its statistics, with a small server in its place."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web

from chaos.runner import adapter_gateway
from chaos.runner.adapter_gateway import AdapterGateway
from chaos.runner.deployment import Deployment
from chaos.runner.record_writer import RecordFull, RunFolder
from reports.shared.errors import TargetFailed
from targets.adapters.base import AdminPage, Installation, LogFile, Site, UpstreamState
from targets.stack import load_stack
from tests.support.run_helpers import events

STACK = load_stack("naive")
PROGRAM = Installation(Path("/usr/bin/true"), "1.0", libraries=("/opt/lib",))


def page(site: Site, text: str) -> Mapping[str, UpstreamState]:
    """One number for each upstream, by name; KeyError and ValueError as a parser may raise them."""
    numbers = json.loads(text)
    return {upstream.name: UpstreamState(numbers["attempts"], numbers["refused"], None) for upstream in site.upstreams}


def logged(site: Site, text: str) -> Mapping[str, UpstreamState]:
    """Lines of one upstream's name each."""
    return {
        upstream.name: UpstreamState(sum(line == upstream.name for line in text.splitlines()), 0, None)
        for upstream in site.upstreams
    }


class Fake:
    """An adapter whose gateway is a server of the test."""

    name, ready, ready_within_s = "fake", "/ready", 0.4
    statistics: AdminPage | LogFile | None = AdminPage("/stats", page)

    def files(self, site: Site) -> Mapping[str, str]:
        return {"fake.conf": f"port {site.port}", "conf.d/upstreams": site.upstreams[0].url, "temp/": ""}

    def command(self, site: Site, installed: Installation) -> Sequence[str]:
        return [str(installed.program), site.file("fake.conf")]

    def environment(self, site: Site) -> Mapping[str, str]:
        return {"FAKE_MODEL": site.model}

    def headers(self, site: Site) -> Mapping[str, str]:
        return {"x-fake": "1"}


class Rig:
    """The gateway, and a server whose answers the test sets."""

    def __init__(self, folder: Path, adapter: Fake) -> None:
        self.folder = RunFolder(folder, "x")
        self.deployment = Deployment.plan(STACK, self.folder, "token", "http://127.0.0.1:1", 7, front="adapter")
        self.gateway = AdapterGateway.make(cast(Any, adapter), "tuned", PROGRAM, self.deployment, self.folder)
        self.status, self.body, self.seen = 200, b'{"attempts": 3, "refused": 1}', list[str]()
        self.place = self.folder.path / "gateway"

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.seen.append(request.headers.get("x-fake", ""))
        return web.Response(status=self.status, body=self.body)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        runner = web.ServerRunner(web.Server(self.answer))
        await runner.setup()
        for port in (self.deployment.gateway_port, self.deployment.admin_port):
            await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
        await runner.cleanup()

    def told(self) -> list[dict[str, Any]]:
        """The states of one replica in the events of the record; {} where the statistics could not be read."""
        name = next(iter(self.deployment.addresses))
        return [event["states"].get(name, {}) for event in events(self.folder.path, "upstreams")]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, Fake())


@pytest.fixture
def logging(tmp_path: Path) -> Rig:
    adapter = Fake()
    adapter.statistics = LogFile("calls.log", logged)
    return Rig(tmp_path, adapter)


# -- files and command ------------------------------------------------------------------------------------------------


def test_its_files_are_in_the_runs_folder_those_in_folders_too(rig: Rig) -> None:
    first = next(iter(rig.deployment.addresses))
    assert (rig.place / "fake.conf").read_text() == f"port {rig.deployment.gateway_port}"
    assert (rig.place / "conf.d" / "upstreams").read_text() == rig.deployment.replica_url(first)
    assert (rig.place / "temp").is_dir()


def test_it_is_started_in_its_folder_with_its_environment(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy")
    monkeypatch.setenv("BROWNOUT_TOKEN", "secret")
    spec = rig.gateway.spec()
    assert (spec.name, spec.kind, spec.cwd) == ("gateway", "adapter", rig.place.absolute())
    assert spec.argv == ["/usr/bin/true", str(rig.place.absolute() / "fake.conf")]
    assert (spec.env["LD_LIBRARY_PATH"], spec.env["FAKE_MODEL"]) == ("/opt/lib", STACK.model)
    assert not {"HTTP_PROXY", "BROWNOUT_TOKEN"} & spec.env.keys()
    assert rig.gateway.headers == {"x-fake": "1"}


def test_files_that_cannot_be_written_end_the_run_with_the_reason(rig: Rig) -> None:
    with pytest.raises(RecordFull, match=r"cannot write the gateway's files: .*gateway: File exists"):
        AdapterGateway.make(cast(Any, Fake()), "tuned", PROGRAM, rig.deployment, rig.folder)


# -- its start --------------------------------------------------------------------------------------------------------


async def test_it_is_ready_when_its_path_answers_200(rig: Rig) -> None:
    rig.status = 503

    async def recover() -> None:
        async with asyncio.timeout(5):
            while not rig.seen:  # it has been refused once
                await asyncio.sleep(0.01)
        rig.status = 200

    async with rig.serving():
        await asyncio.gather(rig.gateway.wait_until_ready(), recover())
    assert set(rig.seen) == {"1"}  # what clients must send


async def test_one_that_never_serves_is_named_with_what_it_said(rig: Rig) -> None:
    url = f"http://127.0.0.1:{rig.deployment.gateway_port}/ready"
    with pytest.raises(TargetFailed, match=rf"fake started, and does not serve within 0.4 s: GET {url}: .*connect"):
        await rig.gateway.wait_until_ready()
    rig.status = 500
    async with rig.serving():
        with pytest.raises(TargetFailed, match="status 500"):
            await rig.gateway.wait_until_ready()


# -- statistics -------------------------------------------------------------------------------------------------------


async def test_its_statistics_are_recorded_when_they_change(rig: Rig) -> None:
    async with rig.serving():
        await rig.gateway.read()
        await rig.gateway.read()
        rig.body = b'{"attempts": 5, "refused": 1}'
        await rig.gateway.read()
    assert rig.told() == [
        {"attempts": 3, "refused": 1, "available": None},
        {"attempts": 5, "refused": 1, "available": None},
    ]


@pytest.mark.parametrize("exact", [True, False])
async def test_the_record_says_whether_its_statistics_are_exact(tmp_path: Path, exact: bool) -> None:
    adapter = Fake()
    adapter.statistics = AdminPage("/stats", page, exact=exact)
    rig = Rig(tmp_path, adapter)
    rig.gateway.note({"tpu-0": UpstreamState(1, 0, None)})
    assert [event["exact"] for event in events(rig.folder.path, "upstreams")] == [exact]


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (200, b"\xff\xfe\x00"), (200, b"{}"), (500, b'{"attempts": 9, "refused": 9}'), (404, b"")],
)
async def test_a_page_that_cannot_be_read_is_a_gap_in_the_record(rig: Rig, status: int, body: bytes) -> None:
    async with rig.serving():
        await rig.gateway.read()
        good, rig.status, rig.body = rig.body, status, body
        await rig.gateway.read()
        await rig.gateway.read()
        rig.status, rig.body = 200, good
        await rig.gateway.read()
    told = {"attempts": 3, "refused": 1, "available": None}
    assert rig.told() == [told, {}, told]


async def test_a_gateway_that_is_gone_is_a_gap_and_no_error(rig: Rig) -> None:
    await rig.gateway.read()
    assert rig.told() == []
    async with rig.serving():
        await rig.gateway.read()
    await rig.gateway.read()
    assert rig.told()[1:] == [{}]


async def test_a_log_is_read_by_whole_lines(logging: Rig) -> None:
    name = next(iter(logging.deployment.addresses))
    await logging.gateway.read()  # there is no log yet
    log = logging.place / "calls.log"
    for more in (f"{name}\n{name[:2]}", f"{name[2:]}\n", "\xff garbage\n", f"{name}\n{name}"):
        with log.open("a", encoding="latin-1") as file:
            file.write(more)
        await logging.gateway.read()
    assert [one["attempts"] for one in logging.told()] == [1, 2, 3]


async def test_a_gateway_without_statistics_is_not_asked(tmp_path: Path) -> None:
    adapter = Fake()
    adapter.statistics = None
    rig = Rig(tmp_path, adapter)
    async with asyncio.timeout(1):
        await rig.gateway.watch()
    await rig.gateway.read()
    assert rig.told() == []


async def test_the_watch_goes_on_after_a_page_that_cannot_be_read(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_gateway, "READ_EVERY_S", 0.01)
    rig.body = b"{}"
    async with rig.serving():
        watching = asyncio.create_task(rig.gateway.watch())
        while len(rig.seen) < 3:
            await asyncio.sleep(0.01)
        rig.body = b'{"attempts": 1, "refused": 0}'
        async with asyncio.timeout(5):
            while not rig.told():
                await asyncio.sleep(0.01)
        watching.cancel()
    assert rig.told()[-1]["attempts"] == 1


async def test_a_page_that_lacks_a_replica_is_a_gap(tmp_path: Path) -> None:
    adapter = Fake()
    adapter.statistics = AdminPage("/stats", lambda site, text: dict(list(page(site, text).items())[:1]))
    rig = Rig(tmp_path, adapter)
    rig.gateway.note({"tpu-0": UpstreamState(1, 0, None)})
    async with rig.serving():
        await rig.gateway.read()
    assert [event["states"] for event in events(rig.folder.path, "upstreams")][1:] == [{}]


class Strange(Exception):
    """An error that no parser should raise."""


async def test_an_error_of_a_parser_is_a_gap_and_its_lines_make_the_counts_inexact(tmp_path: Path) -> None:
    def strict(site: Site, text: str) -> Mapping[str, UpstreamState]:
        if "broken" in text:
            raise Strange
        return logged(site, text)

    adapter = Fake()
    adapter.statistics = LogFile("calls.log", strict)
    rig = Rig(tmp_path, adapter)
    name = next(iter(rig.deployment.addresses))
    for line in (name, "broken", name):
        with (rig.place / "calls.log").open("a") as file:
            file.write(f"{line}\n")
        await rig.gateway.read()
    assert [one.get("attempts") for one in rig.told()] == [1, None, 2]
    assert [event["exact"] for event in events(rig.folder.path, "upstreams")] == [True, False, False]


async def test_a_watch_that_crashes_is_a_gap_in_the_record(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crashes(gateway: AdapterGateway) -> None:
        raise Strange

    rig.gateway.note({next(iter(rig.deployment.addresses)): UpstreamState(1, 0, None)})
    monkeypatch.setattr(AdapterGateway, "read", crashes)
    watching = rig.gateway.start_watch()
    await asyncio.wait([watching])
    await asyncio.sleep(0)  # its callback
    assert [one.get("attempts") for one in rig.told()] == [1, None]


def test_a_full_disk_loses_statistics_and_no_run(rig: Rig) -> None:
    def full(kind: str, **fields: object) -> None:
        raise RecordFull("full")

    rig.gateway.folder = cast(Any, SimpleNamespace(events=SimpleNamespace(write=full)))
    rig.gateway.note({"tpu-0": UpstreamState(1, 0, False)})
    rig.gateway.note({"tpu-0": UpstreamState(1, 0, None)})
