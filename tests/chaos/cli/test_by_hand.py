"""The commands from another terminal: what they ask a stack, what they print, their exit codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chaos.by_hand.runtime import Entry
from chaos.cli import by_hand
from chaos.cli.app import app
from reports.shared.errors import BrownoutError, TargetFailed, UserError

FAULT: dict[str, Any] = {
    "id": "h1",
    "kind": "kill",
    "targets": ["right-0"],
    "since_s": 0.1,
    "ends_in_s": None,
    "confirmed": True,
    "problem": "",
}
FACTS: dict[str, Any] = {
    "what": "up",
    "up_s": 12.3,
    "stack": "small",
    "model": "llama-3.3-70b",
    "url": "http://127.0.0.1:8000/v1",
    "folder": "/runs/1",
    "gateway": {"name": "reference", "state": "running"},
    "replicas": [
        {"name": "left-0", "url": "http://127.0.0.1:1/v1", "state": "running", "running": 3, "waiting": 1},
        {"name": "right-0", "url": "http://127.0.0.1:2/v1", "state": "gone", "running": None, "waiting": None},
    ],
    "load": {
        "running": True,
        "profile": "chat",
        "seed": 7,
        "sessions": {"running": 4, "lost": 1},
        "calls": {"sent": 9, "failed": 2},
        "ttft_ms_recent": 61.4,
    },
    "aborted": True,
    "lent_to": "",
    "of_experiment": [{"id": "f1", "kind": "freeze", "targets": ["left-0"]}],
    "faults": [
        {**FAULT, "since_s": 3.0, "ends_in_s": 7.2},
        {**FAULT, "id": "h2", "kind": "cut", "targets": ["left-0"], "confirmed": False, "problem": "it broke"},
    ],
}


def entry(name: str) -> Entry:
    return Entry(name, "up", "/run/s", "/runs/1", "small", "", 0, 1, 1, "")


class Stacks:
    """Stacks that are up; `requests` keeps what they were asked, `answers` what they answer, by name."""

    def __init__(self) -> None:
        self.names = ["small"]
        self.requests: list[Mapping[str, Any]] = []
        self.answers: dict[str, Any] = {}

    def ask(self, one: Entry, request: Mapping[str, Any], say: Any = None) -> Any:
        self.requests.append(request)
        answer = self.answers.get(one.name, {"ok": True, **FACTS})
        if isinstance(answer, BrownoutError | KeyboardInterrupt):
            raise answer
        if say is not None:
            say("meanwhile")
        return answer


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    made = Stacks()
    monkeypatch.setattr(by_hand, "ask", made.ask)
    monkeypatch.setattr(by_hand, "find_entry", lambda at: entry(at or "small"))
    monkeypatch.setattr(by_hand, "entries", lambda: [entry(name) for name in made.names])
    return made


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_status_shows_processes_load_and_faults(stacks: Stacks) -> None:
    done = run("status")
    assert done.exit_code == 0
    for text in (
        "small  up for 12 s, stack small, model llama-3.3-70b",
        "3 running, 1 waiting",
        "down",
        "load: profile chat, seed 7; 4 sessions running, 1 lost; 9 calls sent, 2 failed; TTFT 61 ms",
        "fault h1: kill on right-0, since 3 s, reverted in 7 s",
        "fault h2: cut on left-0, since 0 s, not confirmed yet",
        "it broke",
        "fault f1: freeze on left-0, of the experiment",
        "aborted: nothing can be injected until brownout release",
        "record: /runs/1",
    ):
        assert text in done.output


def test_status_without_a_stack_says_so(stacks: Stacks) -> None:
    stacks.names = []
    done = run("status")
    assert (done.exit_code, done.output) == (0, "no stack is up and no experiment is running\n")
    assert json.loads(run("status", "--json").output) == []


def test_a_stack_that_does_not_answer_hides_no_other(stacks: Stacks) -> None:
    stacks.names = ["frozen", "small"]
    stacks.answers["frozen"] = TargetFailed("frozen (process 7) is stopped\n    let it continue: kill -CONT 7")
    done = run("status")
    assert done.exit_code == 5
    assert done.output.index("kill -CONT 7") < done.output.index("small  up for 12 s")
    as_json = run("status", "--json")
    assert as_json.exit_code == 5
    first, second = json.loads(as_json.output)
    assert first["error"].startswith("frozen (process 7) is stopped")
    assert second == {"name": "small", **FACTS}


def test_inject_sends_its_options_as_text_and_confirms(stacks: Stacks) -> None:
    stacks.answers["small"] = {"ok": True, "fault": "h1", "text": "cut on left-0"}
    done = run(
        "inject", "cut", "--replica", "left-0", "--how=rst", "--after-tokens", "6", "--for", "3s", "--at", "small"
    )
    assert (done.exit_code, done.output.splitlines()) == (0, ["meanwhile", "h1: confirmed"])
    options = {"replica": "left-0", "how": "rst", "after_tokens": "6", "for": "3s"}
    assert stacks.requests == [{"do": "inject", "kind": "cut", "options": options, "dry_run": False}]
    assert "would be: cut on left-0" in run("inject", "cut", "--how", "rst", "--dry-run").output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["inject", "--pool", "left", "kill"], "name the fault first"),
        (["inject", "kill", "left"], '"left" is no option'),
        (["inject", "kill", "--pool"], "--pool has no value"),
    ],
)
def test_a_mistake_in_inject_asks_no_stack(stacks: Stacks, words: list[str], text: str) -> None:
    raised = run(*words).exception
    assert isinstance(raised, UserError)
    assert text in str(raised)
    assert stacks.requests == []


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (["revert"], {"do": "revert", "fault": None}),
        (["revert", "h1"], {"do": "revert", "fault": "h1"}),
        (["restart", "gateway"], {"do": "restart", "process": "gateway", "even_if_faulty": False}),
        (["restart", "tpu-0", "--repair"], {"do": "restart", "process": "tpu-0", "even_if_faulty": True}),
        (["operate", "undo", "2"], {"do": "undo", "n": 2}),
        (["operate", "undo", "all"], {"do": "undo", "n": "all"}),
        (["abort"], {"do": "abort"}),
        (["release"], {"do": "release"}),
        (["load", "stop"], {"do": "load_stop"}),
        (["load", "start"], {"do": "load_start", "profile": None, "seed": None}),
        (["load", "start", "--profile", "chat", "--seed", "5"], {"do": "load_start", "profile": "chat", "seed": 5}),
    ],
)
def test_each_command_asks_for_one_thing(stacks: Stacks, words: list[str], request_: dict[str, Any]) -> None:
    stacks.answers["small"] = {"ok": True, "text": "it is so"}
    done = run(*words)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "it is so")
    assert stacks.requests == [request_]


def test_a_profile_in_a_file_is_named_by_its_whole_path(
    stacks: Stacks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("load", "start", "--profile", "mine.yaml")
    assert stacks.requests[0]["profile"] == str(tmp_path / "mine.yaml")


def test_the_stacks_refusal_is_the_commands_error(stacks: Stacks) -> None:
    stacks.answers["small"] = UserError("everything was aborted")
    assert isinstance(run("inject", "kill", "--pool", "left").exception, UserError)
    stacks.answers["small"] = TargetFailed("it could not be reverted")
    assert isinstance(run("revert").exception, TargetFailed)


def test_ctrl_c_ends_the_waiting_and_says_that_the_stack_goes_on(stacks: Stacks) -> None:
    stacks.answers["small"] = KeyboardInterrupt()
    for words in (["inject", "kill", "--pool", "left"], ["revert"]):
        assert "small goes on with it: brownout status --at small" in run(*words).output


@pytest.mark.parametrize(
    ("words", "operation", "arguments"),
    [
        (["drain", "tpu"], "drain", {"pool": "tpu"}),
        (["shed", "batch"], "shed", {"tier": "batch"}),
        (["switch", "retries: off"], "switch", {"policy": "retries: off"}),
        (["add-pool", "spare"], "add_pool", {"pool": "spare"}),
    ],
)
def test_an_operation_is_asked_for_and_its_number_printed(
    stacks: Stacks, words: list[str], operation: str, arguments: dict[str, str]
) -> None:
    stacks.answers["small"] = {"ok": True, "n": 3, "text": "it is so"}
    done = run("operate", *words)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "3: it is so")
    request = {"do": "operate", "operation": operation, "arguments": arguments, "dry_run": False}
    assert stacks.requests == [request]
    stacks.answers["small"] = {"ok": True, "n": None, "text": "it is so"}
    assert run("operate", *words, "--dry-run").output.splitlines()[-1] == "would be: it is so"


def test_what_is_no_number_of_an_operation_is_refused_before_it_is_asked(stacks: Stacks) -> None:
    done = run("operate", "undo", "two")
    assert isinstance(done.exception, UserError)
    assert stacks.requests == []


def test_a_restart_says_which_faults_it_ended(stacks: Stacks) -> None:
    stacks.answers["small"] = {"ok": True, "text": "tpu-0 is ready", "ended": ["h1"], "left": ["h2"]}
    lines = run("restart", "tpu-0", "--repair").output.splitlines()
    assert lines[-3:] == ["tpu-0 is ready", "fault h1 has ended", "fault h2 stays on its other targets"]
