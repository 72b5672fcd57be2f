"""`brownout operate` and `restart --repair` on a stack that is up, for real."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from brownout.children import python_words
from reports.shared.tenancy import key_of
from tests.support.hand_session import HandSession
from tests.support.run_helpers import events, kill_all_of, report, until


def status_of_call(url: str, tier: str) -> int:
    body = {"model": "llama-3.3-70b", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 2}
    headers = {"Authorization": f"Bearer {key_of('acme', tier)}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.long
def test_repairs_by_hand_survive_the_gateway_and_are_undone(tmp_path: Path) -> None:
    session = HandSession(tmp_path, reserve="500ms")
    try:
        assert session.states() == {"left-0": "running", "right-0": "running", "spare-0": "off"}
        url = str(session.status()["url"])
        assert session.ask("inject", "kill", "--pool", "spare")[0] == 2
        assert session.ask("operate", "drain", "gpu")[0] == 2
        code, output = session.ask("operate", "drain", "right", "--dry-run")
        assert (code, output) == (0, "would be: pool right is drained: 1 of 2 replicas get no new calls\n")
        assert session.ask("operate", "drain", "right")[0] == 0
        assert session.ask("operate", "shed", "batch")[0] == 0
        assert session.ask("operate", "switch", "retries: off")[0] == 0
        code, output = session.ask("operate", "add-pool", "spare")
        assert (code, "4: pool spare is added: 3 replicas instead of 2" in output) == (0, True), output
        assert session.states()["spare-0"] == "running"
        assert (status_of_call(url, "batch"), status_of_call(url, "subscription")) == (429, 200)
        assert session.ask("restart", "gateway")[0] == 0
        assert (status_of_call(url, "batch"), status_of_call(url, "subscription")) == (429, 200)
        assert session.ask("inject", "freeze", "--replica", "spare-0")[0] == 0
        code, output = session.ask("operate", "undo", "4")
        assert (code, "spare-0: freeze (h1) is active there" in output) == (2, True), output
        code, output = session.ask("restart", "spare-0", "--repair")
        assert (code, "fault h1 has ended" in output) == (0, True), output
        code, output = session.ask("status")
        assert "operation 1: pool right is drained" in output
        code, output = session.ask("operate", "undo", "all")
        assert code == 0, output
        assert session.states() == {"left-0": "running", "right-0": "running", "spare-0": "off"}
        assert "has ended by itself" not in session.output
        assert status_of_call(url, "batch") == 200
        assert session.ask("operate", "add-pool", "spare")[0] == 0
        session.process.send_signal(signal.SIGINT)
        assert session.process.wait(20) == 0, session.output
        session.nothing_left()
        actions = [one["action"] for one in events(session.folder, "action")]
        assert actions == [*["operate"] * 4, "restart", "inject", "restart", *["undo"] * 4, "operate"]
        assert report(session.folder)[0] == 0
    finally:
        kill_all_of(tmp_path)


@pytest.mark.slow
def test_a_pool_that_is_starting_ends_with_the_stack(tmp_path: Path) -> None:
    session = HandSession(tmp_path, reserve="600s")
    try:
        words = python_words("-m", "chaos.cli.app", "operate", "add-pool", "spare")
        adding = subprocess.Popen(words, env=session.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: session.states()["spare-0"] == "running", "its process")
        assert session.ask("operate", "drain", "left")[0] == 0  # nothing waits for the cold start
        session.process.send_signal(signal.SIGINT)
        assert session.process.wait(20) == 0, session.output
        assert adding.wait(20) == 5  # the stack has ended before it answered
        session.nothing_left()
    finally:
        kill_all_of(tmp_path)
