"""Mistakes in the target of an experiment, and what it cannot have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaos.experiment import target_checks
from chaos.experiment.model import GatewayChoice, UrlTarget, load_experiment
from chaos.experiment.target_checks import environment_problems, needs_permission
from chaos.faults.catalogue import KINDS
from chaos.faults.world import NEEDS
from reports.shared.errors import InvalidFile
from targets.adapters.base import Installation
from targets.adapters.catalogue import ADAPTERS
from tests.chaos.faults.test_base import SPECS
from tests.support.experiment_files import (
    FIRST_FAULT,
    HEAD,
    WITHOUT_FAULTS,
    accepted,
    mistakes,
    of_faults,
    refused,
)
from tests.support.paths import ROOT

REPLICAS = "replicas: {stack: naive, first_port: 18101}"
PORT_80 = "replicas: {stack: naive, first_port: 80}"
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
        (
            "{stack: naive, replicas: {stack: naive, first_port: 18101}}",
            '"replicas" goes with a url',
            "remove replicas",
        ),
        ("{replicas: {stack: naive, first_port: 18101}}", "and names neither", "write stack"),
        (
            f"{{url: 'http://10.0.0.1:4000', model: m, {REPLICAS}}}",
            "the replicas are on this machine",
            "127.0.0.1:PORT",
        ),
        (
            f"{{url: 'http://127.0.0.1:18101', model: m, {REPLICAS}}}",
            "port 18101 is that of your gateway",
            "other ports",
        ),
        (f"{{url: 'http://localhost:18106', model: m, {REPLICAS}}}", "have the ports 18101 to 18106", "other ports"),
        (f"{{url: 'http://127.0.0.1', model: m, {PORT_80}}}", "port 80 is that of your gateway", "other ports"),
        (
            "{url: 'http://127.0.0.1:4000', model: m, replicas: {stack: naive, first_port: 65531}}",
            "6 replicas need the ports 65531 to 65536, and 65535 is the last one",
            "write a first_port up to 65530",
        ),
        (
            "{url: 'http://127.0.0.1:4000', model: m, replicas: {stack: naive, first_port: 65536}}",
            "first_port",
            "",
        ),
        ("{url: 'http://127.0.0.1:4000', model: m, replicas: {stack: naive, first_port: 0}}", "first_port", ""),
        ("{url: 'http://127.0.0.1:4000', model: m, replicas: {stack: naive}}", '"first_port" is missing', ""),
        ("{url: 'http://127.0.0.1:4000', model: m, replicas: {first_port: 18101}}", '"stack" is missing', ""),
        ("{url: 'http://127.0.0.1:4000', model: m, replicas: 18101}", '"target.replicas" must be a mapping', ""),
        (
            "{url: 'http://127.0.0.1:4000', model: m, replicas: {stack: nave, first_port: 18101}}",
            'no stack "nave"',
            'did you mean "naive"',
        ),
        (
            "{url: 'http://127.0.0.1:4000', model: m, gateway: {nginx: {}}}",
            "the url is the gateway",
            "remove gateway:",
        ),
        (f"{{url: 'http://127.0.0.1:999999', model: m, {REPLICAS}}}", "is not a URL", "http://127.0.0.1:8000"),
        (f"{{url: 'http://[::1', model: m, {REPLICAS}}}", "is not a URL", "http://127.0.0.1:8000"),
        ("{gateway: {nginx: {}}}", "and names neither", "write stack"),
        ("{stack: naive, gateway: {nginy: {}}}", 'there is no gateway "nginy"', 'did you mean "nginx"'),
        ("{stack: naive, gateway: {nginx: {preset: tunde}}}", 'nginx has no preset "tunde"', 'did you mean "tuned"'),
        ("{stack: naive, gateway: {nginx: {}, haproxy: {}}}", "names 2 gateways", "name one, as gateway: {nginx:"),
        ("{stack: naive, gateway: {}}", "names 0 gateways", "name one, as gateway: {nginx:"),
        (
            "{stack: naive, gateway: nginx}",
            "must name the gateway as a key",
            "write gateway: {nginx: {preset: default}}",
        ),
        ("{stack: naive, gateway: {nginx: tuned}}", "nginx", ""),
        ("{stack: naive, gateway: {nginx: {presets: tuned}}}", 'unknown key "presets"', "preset"),
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


@pytest.mark.parametrize("kind", [kind for kind, spec in KINDS.items() if spec.where not in ("load", "system")])
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


# -- a gateway that is not ours ---------------------------------------------------------------------------------------

FOREIGN = {
    "url": f"{{url: 'http://127.0.0.1:4000', model: my-model, {REPLICAS}}}",
    "gateway": "{stack: naive, gateway: {nginx: {preset: tuned}}}",
}


@pytest.mark.parametrize("target", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("kind", [kind for kind, spec in KINDS.items() if spec.where == "gateway"])
def test_behind_a_foreign_gateway_faults_of_ours_are_refused(tmp_path: Path, target: str, kind: str) -> None:
    text = HEAD.replace("{stack: multi-cloud}", target)
    (problem,) = mistakes(tmp_path, text + f"    - {{for: 5s, {kind}: {json.dumps(SPECS[kind])}}}\n")
    assert problem == (FIRST_FAULT, f"{kind} needs {NEEDS['gateway']}, and this target has none", NAME_A_STACK)


@pytest.mark.parametrize("target", FOREIGN.values(), ids=FOREIGN)
def test_behind_a_foreign_gateway_faults_and_gates_of_replicas_are_played(tmp_path: Path, target: str) -> None:
    gates = ["retry_amplification <= 2", "failover.max <= 5 s", "ttft.p95 for pool=tpu <= 1 s", "cost <= 100 USD"]
    found = accepted(tmp_path, *gates, target=target, faults="{for: 5s, kill: {pool: tpu}}")
    assert found.faults[0].targets == ("tpu-0", "tpu-1")
    (problem,) = refused(tmp_path, "gateway_wait.p95 <= 1 s", target=target)
    assert problem[1] == "gateway_wait needs the spans of the gateway, and this target records none"


def test_requests_may_be_selected_by_the_gateways_name_of_the_model_too(tmp_path: Path) -> None:
    for name in ("my-model", "llama-3.3-70b"):
        fault = f"{{for: 5s, latency: {{pool: tpu, delay: 1s, model: {name}}}}}"
        accepted(tmp_path, "sessions_lost == 0", target=FOREIGN["url"], faults=fault)
    fault = "{for: 5s, latency: {pool: tpu, delay: 1s, model: another}}"
    (problem,) = refused(tmp_path, "sessions_lost == 0", target=FOREIGN["url"], faults=fault)
    assert problem[1:] == ('no request asks for the model "another"', "the load asks for my-model")


def test_a_gateway_that_does_not_pass_on_the_clients_api_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(ADAPTERS["nginx"]), "apis", frozenset({"anthropic"}))
    (problem,) = refused(tmp_path, "sessions_lost == 0", target=FOREIGN["gateway"])
    assert problem[1:] == (
        "nginx does not pass on the API openai, which the clients of the profile use",
        "name another gateway, or another profile",
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"stack": "naive"}, ("--stack: the target is a url", "leave --stack out")),
        ({"gateway": GatewayChoice("nginx")}, ("--gateway: the target is a url", "leave --gateway out")),
    ],
)
@pytest.mark.parametrize("target", [FOREIGN["url"], "{url: 'http://127.0.0.1:4000', model: m}"])
def test_options_for_a_stack_are_refused_for_a_url_once(
    tmp_path: Path, target: str, options: dict[str, Any], problem: tuple[str, str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WITHOUT_FAULTS.replace("{stack: multi-cloud}", target))
    with pytest.raises(InvalidFile) as caught:
        load_experiment(path, **options)
    assert [(found.what, found.remedy) for found in caught.value.problems] == [problem]


def test_an_installation_that_is_missing_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_checks, "installed", lambda adapter: None)
    problem = target_checks.installation_problem(GatewayChoice("litellm", "tuned"))
    assert problem == "litellm is not installed: brownout targets install litellm"
    found = Installation(Path("/usr/bin/true"), "1.0")
    monkeypatch.setattr(target_checks, "installed", lambda adapter: found)
    assert target_checks.installation_problem(GatewayChoice("litellm")) == ""
    assert target_checks.installation_of(GatewayChoice("litellm")) is found
