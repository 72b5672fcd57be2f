"""`brownout check`: the plan as text, and the mistakes of several experiments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chaos.cli.check import check_experiments, plan_text
from chaos.experiment import target_checks
from chaos.experiment.model import AlertSettings, GatewayChoice, load_experiment
from reports.shared.errors import UserError
from tests.support.plans import TEXT, experiment, load


def test_the_plan_says_which_requests_a_fault_affects(tmp_path: Path) -> None:
    fault = "cut: {pool: tpu, how: fin, header: {x-beta: '1'}, share: 30%, at_most: 3}"
    text = plan_text(experiment(tmp_path, "sessions_lost == 0", fault=fault), load(20, 2), width=160)
    assert "f1: cut [header x-beta: 1; at_most 3] 30% of the requests at tpu-0, tpu-1" in text


def test_the_plan_has_times_targets_gates_and_guardrails(tmp_path: Path) -> None:
    made = experiment(tmp_path, "sessions_lost == 0", "ttft.p99 <= 1 s", fault="http_error: {pool: tpu, share: 30%}")
    text = plan_text(made, load(20, 2), width=160)
    assert "a hypothesis" in text
    assert "about 20 sessions and 40 calls in 30 s and a drain of at most 30 s" in text
    assert "10 s    f1: http_error 30% of the requests at tpu-0, tpu-1 (status 503)" in text
    assert "20 s    f1: http_error reverted, and verified" in text
    assert "slo_attainment >= 90% (steady state)" in text
    assert "sessions_lost == 0" in text
    assert "no: about 40 calls count as 20 at best; a p99 needs 368" in text
    assert "guardrail: abort if session_success < 50% for 5s" in text
    assert "tolerance" not in text
    assert "ends inconclusive" in text


def test_the_plan_names_the_tolerances_of_the_file(tmp_path: Path) -> None:
    made = replace(experiment(tmp_path, "sessions_lost == 0"), tolerances=("ttft.p95=30%",))
    assert "tolerance where a gate compares runs: ttft.p95=30%" in plan_text(made, load(20, 2), width=160)


def test_the_plan_warns_of_gates_that_hardly_decide_and_never_calls_them_exact(tmp_path: Path) -> None:
    gates = ("sessions_lost <= 5", "sessions_lost == 0", "calls_failed <= 900")
    text = plan_text(experiment(tmp_path, *gates), load(20, 2), width=200)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "sessions_lost <= 5 see the warning below" in lines
    assert "sessions_lost == 0 yes: a fact of the run, exact" in lines
    assert "calls_failed <= 900 see the warning below" in lines
    warnings = [line for line in lines if line.startswith("warning: ")]
    assert warnings == [
        f'warning: {tmp_path / "mine.yaml"}:15: "sessions_lost <= 5" adds nothing: it passes wherever '
        '"sessions_lost == 0" on line 16 does',
        'warning: "calls_failed <= 900": it can hardly ever fail: the plan has about 40 calls there',
    ]


def test_several_experiments_are_checked_and_all_mistakes_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment(tmp_path, "sessions_lost == 0")
    for name in ("first", "second"):
        text = TEXT.replace("FAULT", "kill: {pool: tpu}").replace("GATES", f"  - {name} == 0")
        (tmp_path / f"{name}.yaml").write_text(text)
    names = [str(tmp_path / f"{name}.yaml") for name in ("first", "mine", "second")]
    with pytest.raises(UserError, match=r"(?s)first\.yaml:.*second\.yaml:"):
        check_experiments(names, stacks=None, seed=None, trace=None)
    assert "a hypothesis" in capsys.readouterr().out


def test_each_stack_and_gateway_has_its_own_plan(capsys: pytest.CaptureFixture[str]) -> None:
    gateways = ["nginx", "haproxy:tuned"]
    assert check_experiments(["cut-streams"], stacks=["naive"], gateways=gateways, seed=None, trace=None) == 0
    said = capsys.readouterr().out
    for choice in ("nginx:default", "haproxy:tuned"):
        assert f"{choice} in front of the replicas of the stack naive" in said


def test_a_url_target_says_what_is_called_and_what_run_will_want(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COLUMNS", "NO_SUCH_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "mine.yaml"
    path.write_text(
        "brownout: 1\nname: mine\ntitle: My endpoint\n"
        "target: {url: 'https://api.example/v1beta/openai', model: m, key_env: NO_SUCH_KEY, tools: false}\n"
        "load: {profile: coding-agent-ci}\nslo: {ttft: 2s, tpot: 100ms}\n"
        "gates: [sessions_lost == 0, lost_tokens == 0]\n"
    )
    assert check_experiments([str(path)], stacks=None, seed=None, trace=None) == 0
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "calls POST https://api.example/v1beta/openai/chat/completions" in said
    assert "tools: false" in said
    assert "lost_tokens == 0 only if the target's tokens can be verified: not a real model's" in said
    assert "not this machine: run wants --yes-i-may" in said
    assert "key_env: the environment variable NO_SUCH_KEY is not set; run will refuse to start" in said


def test_the_plan_lists_the_commands_and_the_port_for_alerts(tmp_path: Path) -> None:
    commands = "exec: {inject: [touch, fault], revert: [no-such-program, '--now']}"
    made = experiment(tmp_path, "sessions_lost == 0", fault=commands)
    text = plan_text(replace(made, alerts=AlertSettings(9099, {"severity": "page"})), load(20, 2), width=160)
    assert "10 s    f1: exec on system" in text
    assert f"Commands that run on this machine, in {tmp_path}\n  f1 inject: touch fault\n" in text
    assert "  f1 revert: no-such-program --now\nrun wants --allow-exec\n" in text
    assert "f1 revert: no-such-program is not in PATH; run will refuse to start" in text
    assert "POST http://127.0.0.1:9099/, those with severity: page" in text
    assert "POST to a free port" in plan_text(replace(made, alerts=AlertSettings(0)), load(20, 2), width=160)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (
            "{stack: naive, gateway: {nginx: {preset: tuned}}}",
            "nginx:tuned in front of the replicas of the stack naive",
        ),
        (
            "{url: 'http://127.0.0.1:4000', model: m, replicas: {stack: naive, first_port: 18101}}",
            "http://127.0.0.1:4000 (model m), in front of the replicas of the stack naive",
        ),
    ],
)
def test_the_plan_says_which_gateway_is_in_front(tmp_path: Path, target: str, says: str) -> None:
    text = TEXT.replace("{stack: multi-cloud}", target).replace("FAULT", "kill: {pool: tpu}")
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("GATES", "  - calls >= 1"))
    text = " ".join(plan_text(load_experiment(path), load(20, 2), width=400).split())
    assert says in text
    assert ("on the ports 18101 to 18106" in text) is ("18101" in target)


def test_the_plan_says_what_run_will_want_for_a_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_checks, "installed", lambda adapter: None)
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT.replace("FAULT", "kill: {pool: tpu}").replace("GATES", "  - calls >= 1"))
    made = load_experiment(path, gateway=GatewayChoice("litellm"))
    text = " ".join(plan_text(made, load(20, 2), width=400).split())
    assert "litellm is not installed: brownout targets install litellm; run will refuse to start without it" in text
