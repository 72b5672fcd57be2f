"""A run behind a gateway that serves three calls and then holds every other one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.port_ranges import ports_in_a_row
from tests.support.run_helpers import Run, report, write_experiment

pytestmark = pytest.mark.long

GATEWAY = """\
import asyncio, itertools, sys
from aiohttp import ClientSession, web

async def handle(request):
    body = await request.read()
    if next(count) >= 3:
        await asyncio.sleep(3600)
    async with ClientSession() as session:
        upstream = f"http://127.0.0.1:{sys.argv[2]}{request.rel_url}"
        async with session.post(upstream, data=body, headers={"Content-Type": "application/json"}) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

count = itertools.count()
app = web.Application()
app.router.add_post("/{path:.*}", handle)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A file that names the gateway and the ports of its upstreams."""
    first, port = ports_in_a_row(2), ports_in_a_row(1)
    path = tmp_path / "target.yaml"
    replicas = f"replicas: {{stack: small-stack.yaml, first_port: {first}}}"
    path.write_text(f'brownout: 1\ntarget: {{url: "http://127.0.0.1:{port}", model: m, {replicas}}}\n')
    gateway = subprocess.Popen([sys.executable, "-c", GATEWAY, str(port), str(first)])
    try:
        yield path
    finally:
        gateway.kill()
        gateway.wait()


def test_a_gateway_that_carries_too_little_ends_the_run_before_its_fault(tmp_path: Path, target: Path) -> None:
    experiment = write_experiment(tmp_path)
    text = experiment.read_text().replace("ttft: 5s", "ttft: 300ms").replace("baseline: 2s", "baseline: 5s")
    experiment.write_text(text)
    run = Run(experiment, tmp_path / "runs", "--target", str(target), "--quiet")
    assert run.end() == 3, run.output
    assert "The gateway cannot carry the load: it served 0 of " in run.output
    assert [event["stage"] for event in run.events("fault")] == ["planned"]
    assert [event["event"] for event in run.events("run")] == ["started", "not_carried"]
    assert run.events("gateway_cpu"), "its process was found by its port"
    found = json.loads((run.folder / "report.json").read_text())["carrying"]
    assert found["limit"] in ("other", "unknown")  # unknown: on a busy machine
    assert report(run.folder)[0] == 3
    run.nothing_left()
