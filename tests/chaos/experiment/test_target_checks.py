"""Mistakes in the target of an experiment, and what it cannot have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.experiment.model import UrlTarget
from chaos.experiment.target_checks import environment_problems, needs_permission
from chaos.faults.catalogue import KINDS
from chaos.faults.world import NEEDS
from tests.chaos.faults.test_base import SPECS
from tests.support.experiment_files import FIRST_FAULT, HEAD, WITHOUT_FAULTS, mistakes, of_faults
from tests.support.paths import ROOT

NAME_A_STACK = "remove the fault, or name a stack of brownout: {stack: multi-cloud}"

TARGET = UrlTarget(
    "http://127.0.0.1:8000", "m", key_env="MY_KEY", headers={"X-Team": "payments", "X-Token": {"env": "TEAM_TOKEN"}}
)


def test_every_variable_that_cannot_be_used_is_named() -> None:
    assert environment_problems(TARGET, {"TEAM_TOKEN": "a b\r"}) == [
        "key_env: the environment variable MY_KEY is not set",
        "headers: X-Token: the value of the environment variable TEAM_TOKEN has a line break at character 4 of 4",
    ]
    assert environment_problems(TARGET, {"MY_KEY": "k", "TEAM_TOKEN": "t"}) == []


@pytest.mark.parametrize(
    ("url", "remote"),
    [("http://localhost:1", False), ("http://[::1]", False), ("http://10.0.0.1", True), ("https://api.example", True)],
)
def test_a_target_that_is_not_this_machine_needs_permission(url: str, remote: bool) -> None:
    assert needs_permission(UrlTarget(url, "m")) is remote


@pytest.mark.parametrize(
    ("target", "what", "remedy"),
    [
        ("{}", "must be a stack or a url, and names neither", "write stack: multi-cloud"),
        ("{stack: naive, url: 'http://127.0.0.1', model: m}", "and names both", "write stack"),
        ("{stack: naive, key_env: X}", '"key_env" goes with a url', "remove key_env:"),
        ("{url: 'http://127.0.0.1:1'}", '"model" is missing', "add model:"),
        ("{url: '127.0.0.1:8000', model: m}", "is not an http:// or https:// URL", "http://127.0.0.1:8000"),
        ("{url: 'http://me:secret@host', model: m}", "has a user or a password", "key_env"),
        ("{url: 'http://host:999999', model: m}", "is not a URL", "http://127.0.0.1:8000"),
        ("{url: 'http://host/?a=b', model: m}", "has a query", "remove it"),
        ("{url: 'http://host:0', model: m}", "has no usable port", "from 1 to 65535"),
        ("{url: 'http://my host', model: m}", "has a space in it", "remove it"),
        ("{url: 'http://höst', model: m}", "has a letter outside ASCII", "write the host as xn--hst-sna"),
        ("{url: 'http://host/ü', model: m}", "has a letter outside ASCII", "write the path as /%C3%BC"),
        ("{url: 'http://127.0.0.1', model: m, headers: {Host: x}}", "set by the client itself", "remove it"),
        ("{url: 'http://127.0.0.1', model: m, headers: {'a b': x}}", "is not the name of a header", "remove it"),
        ("{url: 'http://127.0.0.1', model: m, headers: {X-A: 'a\u017e'}}", "outside latin-1", "one line of text"),
        ("{url: 'http://127.0.0.1', model: m, headers: {Authorization: x}}", "is a secret", "{env: NAME_OF_THE_VAR"),
        ("{url: 'http://127.0.0.1', model: m, headers: {Helicone-Auth: x}}", "is a secret", "{env: NAME_OF_THE_VAR"),
        ("{url: 'http://127.0.0.1', model: m, headers: {X-A: sk-abcdef123456}}", "is a secret", "{env: NAME_OF_THE"),
        ("{url: 'http://a..b', model: m}", "has a host name that is not valid", "between dots"),
        ("{url: 'http://127.0.0.1', model: m, max_tokens_field: limit}", "is not known here", "max_completion_tokens"),
        ("{stack: naive, tools: false}", '"tools" goes with a url', "remove tools:"),
        (
            "{url: 'http://127.0.0.1', model: m, api: anthropic, stream_options: false}",
            "has no stream_options",
            "remove",
        ),
        ("{url: 'http://127.0.0.1', model: m, api: grpc}", '"grpc" is not known here', "anthropic, openai"),
    ],
)
def test_a_mistake_in_the_target_is_reported_with_its_remedy(
    tmp_path: Path, target: str, what: str, remedy: str
) -> None:
    [(line, found_what, found_remedy)] = mistakes(tmp_path, WITHOUT_FAULTS.replace("{stack: multi-cloud}", target))
    assert line == 4
    assert what in found_what
    assert remedy in found_remedy


def test_a_key_in_place_of_its_variable_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    target = "{url: 'http://127.0.0.1', model: m, key_env: sk-secret-123}"
    [(_, what, remedy)] = mistakes(tmp_path, WITHOUT_FAULTS.replace("{stack: multi-cloud}", target))
    assert "is not the name of an environment variable" in what
    assert "secret" not in what + remedy


def test_a_url_refuses_faults_of_replicas_and_gates_on_gateway_or_pool(tmp_path: Path) -> None:
    text = HEAD.replace("{stack: multi-cloud}", "{url: 'http://127.0.0.1', model: m}").replace(
        "[sessions_lost == 0]", "[retry_amplification <= 2, ttft.p95 for pool=tpu <= 1 s]"
    )
    assert mistakes(tmp_path, text + "    - {for: 5s, kill: {pool: tpu}}\n") == [
        (
            7,
            "retry_amplification needs the spans of the gateway, and this target records none",
            "remove the gate, or name a stack",
        ),
        (7, "this target has no pools", "remove for pool=tpu, or name a stack"),
        (FIRST_FAULT, "kill needs replicas whose processes brownout starts, and this target has none", NAME_A_STACK),
    ]


@pytest.mark.parametrize("kind", [kind for kind, spec in KINDS.items() if spec.where != "load"])
def test_a_url_refuses_each_fault_and_names_what_is_missing(tmp_path: Path, kind: str) -> None:
    text = HEAD.replace("{stack: multi-cloud}", "{url: 'http://127.0.0.1', model: m}")
    (problem,) = mistakes(tmp_path, text + f"    - {{for: 5s, {kind}: {json.dumps(SPECS[kind])}}}\n")
    needs = NEEDS[KINDS[kind].where]
    assert problem == (FIRST_FAULT, f"{kind} needs {needs}, and this target has none", NAME_A_STACK)


def test_an_overriding_stack_is_checked_like_that_of_the_file(tmp_path: Path) -> None:
    stack = (ROOT / "targets" / "stacks" / "naive.yaml").read_text()
    own = tmp_path / "small.yaml"
    own.write_text(stack.replace("name: naive", "name: small").replace("  tpu: {", "  tensor: {"))
    assert of_faults(tmp_path, "{for: 5s, kill: {pool: tpu}}", stack=str(own)) == [
        (FIRST_FAULT, 'the stack small has no pool "tpu"', "it is one of: nvidia, tensor, trainium")
    ]
