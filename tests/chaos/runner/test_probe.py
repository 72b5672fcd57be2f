"""A load on a user's endpoint begins with one call; if that fails, the run ends with exit code 5 and sends nothing."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme

from brownout.children import python_words
from tests.support.paths import ROOT
from tests.support.run_helpers import PROFILE
from tests.support.scripted_server import ScriptedServer, openai_events, streamed, whole

EXPERIMENT = """
brownout: 1
name: mine
title: My endpoint
target: TARGET
load: {profile: small-profile.yaml}
slo: {ttft: 5s, tpot: 1s}
timeline: {warmup: 0s, baseline: 1s, recovery: 0s, drain: 2s}
gates: ["calls_failed == 0"]
"""


def brownout(folder: Path, target: str, **environment: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Runs the experiment on a target. Returns the exit code, the output, and the events of the record."""
    (folder / "small-profile.yaml").write_text(PROFILE)
    (folder / "mine.yaml").write_text(EXPERIMENT.replace("TARGET", target))
    argv = python_words("-m", "chaos.cli.app", "run", "mine.yaml", "--runs", "runs")
    done = subprocess.run(
        argv,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    records = list(folder.glob("runs/*/events.jsonl"))
    events = [json.loads(line) for line in records[0].read_text().splitlines()] if records else []
    return done.returncode, done.stdout + done.stderr, events


def phases(events: list[dict[str, Any]]) -> list[str]:
    return [event["phase"] for event in events if event["type"] == "phase"]


@pytest.mark.slow
def test_a_dead_endpoint_ends_the_run_before_any_load(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        code, output, events = brownout(tmp_path, f"{{url: 'http://127.0.0.1:{held.getsockname()[1]}', model: m}}")
    assert code == 5
    assert "no load was sent" in output
    assert "Connection refused" in output
    assert "baseline" not in phases(events)
    assert [event["outcome"] for event in events if event["type"] == "probe"] == ["refused"]


@pytest.mark.slow
def test_the_servers_words_are_shown_and_the_key_is_not(tmp_path: Path) -> None:
    refusal = b'{"error":{"message":"Incorrect API key: my-secret-key-1","code":"invalid_api_key"}}'
    with ScriptedServer(whole(401, refusal)) as server:
        target = f"{{url: '{server.url}', model: m, key_env: MY_KEY}}"
        code, output, events = brownout(tmp_path, target, MY_KEY="my-secret-key-1")
        assert len(server.requests) == 1
    assert code == 5
    assert "status 401: Incorrect API key: *** (invalid_api_key)" in output
    assert "check the key in the environment variable MY_KEY" in output
    record = b"".join(path.read_bytes() for path in tmp_path.glob("runs/**/*") if path.is_file())
    assert b"my-secret-key-1" not in record
    assert "baseline" not in phases(events)


@pytest.mark.slow
def test_a_refused_model_ends_the_run_with_the_models_that_the_target_lists(tmp_path: Path) -> None:
    refusal = b'{"error":{"message":"The model `m` does not exist","code":"model_not_found"}}'
    with ScriptedServer(whole(404, refusal), whole(200, b'{"data":[{"id":"llama"},{"id":"qwen"}]}')) as server:
        code, output, events = brownout(tmp_path, f"{{url: '{server.url}', model: m}}")
    assert code == 5
    assert "what helps: correct model: under target:; it lists llama, qwen" in output
    (probe,) = [event for event in events if event["type"] == "probe"]
    assert (probe["asked"], probe["models"]) == ("m", ["llama", "qwen"])


@pytest.mark.slow
def test_headers_and_field_options_reach_the_endpoint(tmp_path: Path) -> None:
    with ScriptedServer(streamed(openai_events(["abcd"]))) as server:
        target = (
            f"{{url: '{server.url}/api/v4', model: m, tools: false, stream_options: false, "
            "max_tokens_field: max_completion_tokens, headers: {X-Team: payments, X-Token: {env: TEAM_TOKEN}}}"
        )
        code, output, _ = brownout(tmp_path, target, TEAM_TOKEN="tok-12345678")
        heads = {request.head for request in server.requests}
        bodies = [request.json for request in server.requests]
    assert code == 0, output
    assert all("X-Team: payments" in head and "X-Token: tok-12345678" in head for head in heads)
    assert all(head.startswith("POST /api/v4/chat/completions ") for head in heads)
    assert all("max_completion_tokens" in body and "max_tokens" not in body for body in bodies)
    assert not any("tools" in body or "tool_choice" in body or "stream_options" in body for body in bodies)
    record = b"".join(path.read_bytes() for path in tmp_path.glob("runs/**/*") if path.is_file())
    assert b"tok-12345678" not in record


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (None, "the environment variable MY_KEY is not set"),
        ("", "the environment variable MY_KEY is empty"),
        ("abc\ndef", "has a line break at character 4 of 7"),
        ("abž", "has a character outside latin-1 at character 3 of 3"),
    ],
)
def test_a_key_that_cannot_be_sent_is_refused_before_anything_starts(
    tmp_path: Path, key: str | None, problem: str
) -> None:
    given = {} if key is None else {"MY_KEY": key}
    code, output, events = brownout(tmp_path, "{url: 'http://127.0.0.1:9', model: m, key_env: MY_KEY}", **given)
    assert code == 2
    assert problem in output
    assert events == []


@pytest.mark.slow
def test_a_certificate_that_is_not_accepted_is_named(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with ScriptedServer(streamed(openai_events(["abcd"])), tls=context) as server:
        target = f"{{url: '{server.url.replace('http://127.0.0.1', 'https://localhost')}', model: m}}"
        code, output, _ = brownout(tmp_path, target)
    assert code == 5
    assert "the certificate is not accepted: " in output
