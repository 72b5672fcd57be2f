"""What is read and checked before anything is started."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import get_args

import pytest

from chaos.cli.preparation import gateway_choice, prepare, trace_options
from chaos.experiment import target_checks
from chaos.experiment.commands import command_notice
from chaos.experiment.file import TraceFile
from chaos.experiment.model import Experiment, GatewayChoice, load_experiment
from chaos.experiment.resolved import resolve
from loadprofiles.replay import FORMATS
from reports.shared.errors import InvalidFile, UserError

REMOTE = """\
brownout: 1
name: remote
title: a remote endpoint
target: {url: "http://example.org:8000/v1", model: m}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
timeline: {warmup: 0s, baseline: 10s, recovery: 10s}
gates: [error_rate <= 10%]
"""
AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def trace(folder: Path, *rows: str) -> Path:
    path = folder / "hour.csv"
    path.write_text(AZURE + "".join(f"{row}\n" for row in rows))
    return path


def prepared(path: Path, notes: list[str] | None = None, **options: object) -> Experiment:
    return prepare(
        "lose-tpu-pool",
        stack=None,
        seed=None,
        trace={"dir": str(path), **options},
        may_leave_loopback=False,
        on_note=(notes if notes is not None else []).append,
    )


def test_a_trace_is_read_before_the_start_and_its_options_are_resolved(tmp_path: Path) -> None:
    path = trace(tmp_path, "2023-11-16 18:17:03,4808,10", "2023-11-16 18:17:05,12,3")
    notes: list[str] = []
    experiment = prepared(path, notes, rate="recorded", limit=1)
    assert notes == ["azure: 2 sessions"]
    assert experiment.trace == {
        "dir": str(path),
        "format": "azure",
        "rate": "recorded",
        "speed": 4.0,
        "max_pause_s": 2.0,
        "shrink": 1.0,
        "max_calls": 8,
        "limit": 1,
        "streaming": "force",
        "skip_bad": False,
    }
    load = {"profile": "coding-agent-ci", "trace": experiment.trace, "told": notes, "scale": 1.0}
    assert resolve(experiment)["load"] == load


def test_an_invalid_line_of_a_trace_is_an_error_before_the_start_unless_skipped(tmp_path: Path) -> None:
    path = trace(tmp_path, "2023-11-16 18:17:03,4808,10", "never,1,1")
    notes: list[str] = []
    with pytest.raises(InvalidFile, match=r"hour\.csv:3: TIMESTAMP is not a time"):
        prepared(path)
    prepared(path, notes, skip_bad=True)
    assert notes[0] == "azure: 1 sessions"
    assert notes[1].startswith(f"1 mistakes were skipped, the first: {path}:3: TIMESTAMP")


def test_an_experiment_file_accepts_every_trace_format() -> None:
    field = TraceFile.model_fields["format"].annotation
    assert set(get_args(get_args(field)[0])) == set(FORMATS)


def test_an_invalid_format_or_rate_names_the_option_and_the_valid_values(tmp_path: Path) -> None:
    path = trace(tmp_path, "2023-11-16 18:17:03,4808,10")
    resolved = prepared(path, rate="2.5").trace
    assert resolved is not None
    assert resolved["rate"] == 2.5
    with pytest.raises(UserError, match="--trace-format: input should be 'claude-code', 'mooncake'"):
        prepared(path, format="azur")
    with pytest.raises(UserError, match=r"--rate: is not a rate\. write sessions a second, up to 10000, or: recorded"):
        prepared(path, rate="fast")
    with pytest.raises(InvalidFile, match='there is no column "Request tokens"'):
        prepared(path, format="burstgpt")


def test_options_of_a_trace_need_a_trace() -> None:
    assert trace_options(None, speed=None, rate=None) is None
    assert trace_options(Path("folder"), speed=2.0, rate=None) == {"dir": "folder", "speed": 2.0}
    with pytest.raises(UserError, match="--trace-format, --max-calls: only with --trace PATH"):
        trace_options(None, format="azure", max_calls=3)


def test_a_target_that_is_not_this_machine_needs_permission(tmp_path: Path) -> None:
    path = tmp_path / "remote.yaml"
    path.write_text(REMOTE)
    with pytest.raises(UserError, match=r"example\.org:8000/v1 is not this machine.* add --yes-i-may"):
        prepare(str(path), stack=None, seed=None, trace=None, may_leave_loopback=False)
    assert prepare(str(path), stack=None, seed=None, trace=None, may_leave_loopback=True).url is not None


EXEC = """\
timeline:
  faults:
    - {for: 1s, every: 2s, times: 2, exec: {inject: [touch, a b], revert: [./undo.sh], verify: [nowhere-to-be-found]}}
"""


def commanding(folder: Path) -> Path:
    path = folder / "commands.yaml"
    head = REMOTE.replace("example.org", "127.0.0.1").replace(
        "timeline: {warmup: 0s, baseline: 10s, recovery: 10s}\n", ""
    )
    path.write_text(head + EXEC)
    return path


def test_commands_are_printed_and_refused_unless_they_are_allowed(tmp_path: Path) -> None:
    path = commanding(tmp_path)
    with pytest.raises(UserError) as refused:
        prepare(str(path), stack=None, seed=None, trace=None, may_leave_loopback=False)
    assert str(refused.value) == (
        f"{path}: this experiment runs commands on this machine, and that is off:\n"
        "    f1 inject: touch 'a b'\n"
        "    f1 revert: ./undo.sh\n"
        "    f1 verify: nowhere-to-be-found\n"
        f"    in the folder {tmp_path}\n"
        "  Read them. If they do what you want, add --allow-exec"
    )


def test_a_program_that_is_missing_is_an_error_before_the_start(tmp_path: Path) -> None:
    path = commanding(tmp_path)
    with pytest.raises(UserError) as refused:
        prepare(str(path), stack=None, seed=None, trace=None, may_leave_loopback=False, allow_exec=True)
    assert str(refused.value) == (
        f"{path}: nothing was started, because commands cannot be run:\n"
        f"    f1 revert: {tmp_path}/undo.sh is not an executable file\n"
        "    f1 verify: nowhere-to-be-found is not in PATH"
    )
    for name in ("undo.sh", "nowhere-to-be-found"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    path.write_text(path.read_text().replace("[nowhere", "[./nowhere"))
    prepare(str(path), stack=None, seed=None, trace=None, may_leave_loopback=False, allow_exec=True)


def test_everything_that_keeps_a_target_from_a_run_is_said_at_once_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        path = tmp_path / "mine.yaml"
        replicas = f"{{stack: naive, first_port: {port}}}"
        path.write_text(
            f"brownout: 1\ntarget: {{url: 'http://127.0.0.1:1', model: m, key_env: NO_SUCH_KEY, "
            f"replicas: {replicas}}}\n"
        )
        with pytest.raises(UserError) as caught:
            prepare("lose-tpu-pool", stack=None, seed=None, trace=None, may_leave_loopback=False, target=path)
    first, second = str(caught.value).splitlines()[:2]
    assert first == f"{path}: key_env: the environment variable NO_SUCH_KEY is not set"
    assert f"port {port}" in second


def test_the_commands_of_a_run_are_told_before_it_starts(tmp_path: Path) -> None:
    told = command_notice(load_experiment(str(commanding(tmp_path))))
    assert told == [
        f"commands that run on this machine, in {tmp_path}:",
        "    f1 inject: touch 'a b'",
        "    f1 revert: ./undo.sh",
        "    f1 verify: nowhere-to-be-found",
    ]
    assert command_notice(load_experiment("lose-tpu-pool")) == []


def test_a_port_for_alerts_that_is_in_use_is_an_error_before_the_start(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path.write_text(REMOTE.replace("example.org", "127.0.0.1") + f"alerts: {{port: {port}}}\n")
        with pytest.raises(UserError, match=rf"alerts\.yaml: alerts: port {port} is in use by process"):
            prepare(str(path), stack=None, seed=None, trace=None, may_leave_loopback=False)


# -- --gateway --------------------------------------------------------------------------------------------------------


def test_a_gateway_is_named_with_or_without_its_preset() -> None:
    assert gateway_choice(None) is None
    assert gateway_choice("nginx") == GatewayChoice("nginx", "default")
    assert gateway_choice("haproxy:tuned") == GatewayChoice("haproxy", "tuned")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nginy", 'there is no gateway "nginy"\n    did you mean "nginx"'),
        ("nginx:tunde", 'nginx has no preset "tunde"\n    did you mean "tuned"'),
        ("nginx:", 'nginx has no preset ""'),
        ("", 'there is no gateway ""'),
    ],
)
def test_an_unknown_gateway_or_preset_is_named(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        gateway_choice(text)


def test_a_gateway_that_is_not_installed_stops_the_run_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_checks, "installed", lambda adapter: None)
    with pytest.raises(UserError, match="litellm is not installed: brownout targets install litellm"):
        prepare("lose-tpu-pool", stack=None, seed=None, trace=None, may_leave_loopback=False, gateway="litellm")


def test_exposure_can_be_allowed_on_the_command_line_for_a_gateway_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.cli.preparation.installation_problem", lambda choice: "")

    def allowed(gateway: str | None) -> Experiment:
        return prepare(
            "lose-tpu-pool",
            stack=None,
            seed=None,
            trace=None,
            may_leave_loopback=False,
            gateway=gateway,
            allow_exposed=True,
        )

    assert resolve(allowed("nginx:tuned"))["target"]["gateway"] == {"nginx": {"preset": "tuned", "allow_exposed": True}}
    with pytest.raises(UserError, match="--allow-exposed is about a gateway that brownout starts, and there is none"):
        allowed(None)
