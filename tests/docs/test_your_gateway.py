"""The walk through "Your gateway on trial", played as a reader would: its files and its commands, with nginx."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from targets.adapters.cache import installed
from targets.adapters.catalogue import ADAPTERS
from tests.support.paths import ROOT
from tests.support.port_ranges import ports_in_a_row
from tests.support.run_helpers import until

PAGE = (ROOT / "docs" / "your-gateway.md").read_text()
NGINX = installed(ADAPTERS["nginx"])
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: brownout targets install nginx")


def block(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.S | re.M)
    assert len(found) == 1
    return str(found[0])


def command(beginning: str) -> str:
    lines = [line.strip() for line in PAGE.splitlines() if line.startswith(f"    {beginning}")]
    assert len(lines) == 1
    return lines[0]


class Reader:
    """Somebody who follows the page, with free ports in place of its ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        gateway, first = ports_in_a_row(1), ports_in_a_row(6)
        self._ports = {str(18_101 + n): str(first + n) for n in range(6)} | {"4000": str(gateway)}
        as_root = "user root;\n" if os.geteuid() == 0 else ""  # as the page says
        self.write("nginx.conf", as_root + block("nginx"))
        self.write("my-gateway.yaml", block("yaml"))

    def ported(self, text: str) -> str:
        return re.sub(r"\b\d{4,5}\b", lambda found: self._ports.get(found[0], found[0]), text)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(self.ported(text))

    def run(self, text: str, *codes: int) -> str:
        done = subprocess.run(
            shlex.split(self.ported(text)),
            cwd=self.folder,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def started(self, text: str, ready: str) -> Iterator[subprocess.Popen[str]]:
        log = self.folder / f"{ready or 'nginx'}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                shlex.split(self.ported(text)),
                cwd=self.folder,
                env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        try:
            until(lambda: process.poll() is not None or ready in log.read_text(), f"{text}: {ready}", 30)
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


@pytest.mark.long
def test_the_walk_through_leads_from_nothing_to_a_verdict(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    said = reader.run(re.findall(r"`(brownout targets install \w+)`", PAGE)[0], 0)
    [program] = re.findall(r"^to start it by hand, add its options to: (.*)$", said, re.M)
    with reader.started(f"{program} {command('nginx -p').removeprefix('nginx ')}", "") as nginx:
        assert "lose-tpu-pool" in reader.run(command("brownout list --target"), 0)
        with reader.started(command("brownout up --replicas-only"), "trainium-1"):
            run = command("brownout run lose-tpu-pool --target")
            said = reader.run(f"{run} --short --quiet --runs runs", 0, 1, 3)
        assert nginx.poll() is None
    assert "kill on tpu-0, tpu-1" in said
    [folder] = (tmp_path / "runs").glob("*-lose-tpu-pool")
    report = json.loads((folder / "report.json").read_text())
    joins = report["proofs"]["joins"]
    assert joins["calls_by_trace"] > 50
    assert joins["calls_without_server_spans"] == 0
    assert report["faults"][0]["stages"]["verified"] > 0
    assert report["measures"]["retry_amplification"]["run"]["value"] >= 1
