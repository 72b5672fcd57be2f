"""A `brownout gameday` in a process of its own, and people who use its pages over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import uuid
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from brownout.children import python_words
from tests.support.run_helpers import events, of_run, until

__all__ = ["GameDayProcess", "Participant", "write_scenario"]

_LINK = re.compile(r"^\s+(game master|responders|audience \(wall\))\s+(\S+)$", re.MULTILINE)
_ROLES = {"gamemaster": "game master", "responder": "responders", "audience": "audience (wall)"}

STACK = """\
brownout: 1
name: two-pools
model: llama-3.3-70b
pools:
  alpha: {cloud: gcp, hardware: llama-70b-tpu-v6e-8, replicas: 1}
  beta: {cloud: aws, hardware: llama-70b-trn2-16, replicas: 1}
gateway: {policies: {balancing: {kind: round_robin}}}
"""

PROFILE = """\
title: a few small sessions
arrivals: {constant: {rate: 2}}
shared_prefix: 200
own_prefix: {median: 200, sigma: 0.1, min: 50, max: 400}
calls: {min: 1, max: 2}
tool: {min: 50ms, max: 200ms}
appended: {median: 20, sigma: 0.1, min: 5, max: 40}
output: {median: 12, sigma: 0.1, min: 4, max: 24}
"""

SCENARIO = """\
brownout: 1
scenario: quiet-throttle
title: The accelerator of beta is throttled in silence
family: grey-failure
description: Only the game master reads that the accelerator is throttled.
briefing: You are on call for two pools. Say when you see something.
target: {stack: stack.yaml}
load: {profile: profile.yaml}
slo: {ttft: 2s, tpot: 100ms}
length: 10m
faults:
  - id: throttled
    at: 1s
    slow_decode: {replica: beta-0, factor: 7}
    repair: [{restart: beta-0}, {drain: beta}]
hints:
  - {after: 5m, text: Compare the replicas., unless: noticed}
events:
  - {at: 2s, who: A customer, text: "Is it you or us?", answer_within: 2m}
findings: [Somebody may take a replica out of service.]
"""


def write_scenario(folder: Path, scenario: str = SCENARIO) -> Path:
    """A scenario on a small stack of its own."""
    (folder / "stack.yaml").write_text(STACK)
    (folder / "profile.yaml").write_text(PROFILE)
    path = folder / "scenario.yaml"
    path.write_text(scenario)
    return path


class Participant:
    """Somebody who entered with a link. Keeps every byte that came back; `stream` begins to read the pushes too."""

    def __init__(self, link: str, name: str) -> None:
        parts = urlsplit(link)
        assert parts.hostname is not None
        assert parts.port is not None
        self.host, self.port = parts.hostname, parts.port
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.received: list[bytes] = []
        self.cookie = ""
        status, answer = self.post("/api/enter", {"token": parts.fragment.removeprefix("t="), "name": name})
        assert status == 200, answer
        self.page = str(answer["page"])

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request of this browser."""
        connection = HTTPConnection(self.host, self.port, timeout=30)
        try:
            sent = {"Origin": self.origin, **({"Cookie": self.cookie} if self.cookie else {}), **headers}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            content, found = answer.read(), dict(answer.getheaders())
        finally:
            connection.close()
        self.received += [content, json.dumps(found).encode()]
        if "Set-Cookie" in found:
            self.cookie = found["Set-Cookie"].split(";")[0]
        return answer.status, found, content

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send JSON."""
        status, _, content = self.request(
            "POST", path, json.dumps(body).encode(), **{"Content-Type": "application/json"}
        )
        return status, json.loads(content)

    def do(self, action: str, **arguments: Any) -> dict[str, Any]:
        """Act; the answer, which must be a success."""
        status, answer = self.post("/api/action", {"key": str(uuid.uuid4()), "do": action, **arguments})
        assert status == 200, (action, answer)
        return answer

    def refused(self, action: str, **arguments: Any) -> tuple[int, str]:
        """Act; the status and the reason of a refusal."""
        status, answer = self.post("/api/action", {"key": str(uuid.uuid4()), "do": action, **arguments})
        assert status != 200, (action, answer)
        return status, str(answer["error"])

    def state(self) -> dict[str, Any]:
        """The document of this role."""
        status, _, content = self.request("GET", "/api/state")
        assert status == 200, content
        return dict(json.loads(content))

    def until(self, condition: Any, what: str, within_s: float = 60.0) -> dict[str, Any]:
        """The first document for which the condition holds."""
        found: dict[str, Any] = {}

        def holds() -> bool:
            found.update(self.state())
            return bool(condition(found))

        until(holds, what, within_s, pause_s=0.25)
        return found

    def stream(self) -> threading.Thread:
        """Read the pushes in the background, until the server says goodbye."""

        def read() -> None:
            connection = HTTPConnection(self.host, self.port, timeout=120)
            connection.request("GET", "/api/stream", headers={"Cookie": self.cookie})
            answer = connection.getresponse()
            while part := answer.read1(65536):
                self.received.append(part)
            connection.close()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread


class GameDayProcess:
    """A game day whose stack is ready. Ends with the block, whatever happened."""

    def __init__(self, folder: Path, *words: str, environment: dict[str, str] | None = None) -> None:
        (folder / "runtime").mkdir(mode=0o700, exist_ok=True)
        self.runs = folder / "runs"
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                python_words("-m", "chaos.cli.app", "gameday", *words, "--runs", str(self.runs)),
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, "XDG_RUNTIME_DIR": str(folder / "runtime"), **(environment or {})},
                cwd=folder,
            )
        self.links: dict[str, str] = {}

    def __enter__(self) -> GameDayProcess:
        until(lambda: "Ctrl-C ends" in self.output or self.process.poll() is not None, "the stack is ready", 90)
        found = dict(_LINK.findall(self.output))
        assert found, self.output
        self.links = {role: found[label] for role, label in _ROLES.items()}
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        until(lambda: not of_run(self.folder), "every process has ended", 30)

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def folder(self) -> Path:
        return next(self.runs.glob("*-*"))

    def enter(self, role: str, name: str) -> Participant:
        """Somebody enters with the link of a role."""
        return Participant(self.links[role], name)

    def facts(self, event: str) -> list[dict[str, Any]]:
        """The facts of the record so far."""
        return [one for one in events(self.folder, "exercise") if one["event"] == event]

    def ends(self, within_s: float = 90.0) -> int:
        """The exit code, once it has ended by itself."""
        return self.process.wait(within_s)
