"""Experiment files: defaults, overrides, what the record contains, the schema, and the experiments that ship."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaos.experiment.file import ExperimentFile, TimelineFile
from chaos.experiment.guardrails import MEASURES as GUARDRAIL_MEASURES
from chaos.experiment.model import Experiment, Slo, Timeline, UrlTarget, experiment_names, load_experiment
from chaos.experiment.resolved import resolve
from chaos.experiment.schema import SCHEMA_FILE, schema_text
from chaos.faults.catalogue import KINDS
from chaos.faults.process.kill import Kill
from reports.shared.documents import NotFound, parse_document, validate
from reports.shared.errors import InvalidFile, UserError
from tests.support.paths import ROOT

MINIMAL = """\
brownout: 1
name: mine
title: nothing happens
target: {stack: multi-cloud}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
gates: [sessions_lost == 0]
"""


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_absent_keys_have_their_defaults(tmp_path: Path) -> None:
    experiment = load_experiment(write(tmp_path, MINIMAL))
    assert experiment.timeline == Timeline(warmup_s=5, baseline_s=15, recovery_s=20, drain_s=30)
    assert experiment.slo == Slo(ttft_s=2.0, tpot_s=0.1)
    assert (experiment.faults, experiment.guardrails, experiment.steady_state) == ((), (), ())
    assert (experiment.seed, experiment.trace, experiment.url) == (7, None, None)
    assert experiment.stack is not None
    assert experiment.stack.name == "multi-cloud"
    assert experiment.profile.name == "coding-agent-ci"
    assert experiment.load_s == 20  # without a fault there is no recovery


def test_faults_have_ids_targets_and_parameters(tmp_path: Path) -> None:
    faults = """\
timeline:
  warmup: 2s
  baseline: 10s
  recovery: 15s
  faults:
    - {at: 1s, for: 4s, kill: {pool: tpu}}
    - {at: 6s, for: 500ms, latency: {cloud: [aws, azure], delay: 300ms, share: 30%, count: one}}
    - {at: 8s, restart: {replica: tpu-0, cold_start: 5s}}
"""
    experiment = load_experiment(write(tmp_path, MINIMAL + faults), seed=11)
    kill, latency, restart = experiment.faults
    assert (kill.id, kill.kind, kill.at_s, kill.for_s) == ("f1", "kill", 1, 4)
    assert (kill.targets, kill.pools, kill.share) == (("tpu-0", "tpu-1"), ("tpu",), None)
    assert (latency.id, latency.share, latency.params) == ("f2", 0.3, {"ms": 300.0, "jitter_ms": 0.0})
    assert len(latency.targets) == 1
    assert latency.pools == (latency.targets[0].rsplit("-", 1)[0],)
    assert (restart.for_s, restart.targets) == (0.0, ("tpu-0",))
    assert experiment.load_s == 2 + 10 + (8 + 1 + 5) + 15  # with the grace and the cold start of the restart
    assert (kill.fault.id, kill.fault.kind, kill.fault.targets) == ("f1", "kill", ["tpu-0", "tpu-1"])
    assert kill.fault is kill.fault  # one object per run


def test_gates_steady_state_and_guardrails_are_parsed(tmp_path: Path) -> None:
    text = MINIMAL + "steady_state: [slo_attainment >= 90%]\nguardrails: [abort if session_success < 50% for 5s]\n"
    text = text.replace(
        "gates: [sessions_lost == 0]", "gates:\n  - {gate: ttft.p95 in baseline <= 1 s, on_inconclusive: fail}\n"
    )
    experiment = load_experiment(write(tmp_path, text))
    [gate] = experiment.gates
    assert (gate.name, gate.phase, gate.value, gate.on_inconclusive) == ("ttft.p95", "baseline", 1.0, "fail")
    [steady] = experiment.steady_state
    assert (steady.measure, steady.phase) == ("slo_attainment", "baseline")
    [guardrail] = experiment.guardrails
    assert (guardrail.measure, guardrail.window_s) == ("session_success", 5)


def test_a_target_may_be_a_url(tmp_path: Path) -> None:
    target = "{url: 'http://127.0.0.1:8000/', model: m, api: anthropic, key_env: MY_KEY}"
    experiment = load_experiment(write(tmp_path, MINIMAL.replace("{stack: multi-cloud}", target)))
    assert experiment.url == UrlTarget("http://127.0.0.1:8000", "m", "anthropic", "MY_KEY")
    assert experiment.stack is None
    assert resolve(experiment)["target"] == {
        "url": "http://127.0.0.1:8000",
        "model": "m",
        "api": "anthropic",
        "key_env": "MY_KEY",
        "headers": {},
        "max_tokens_field": None,
        "tools": True,
        "stream_options": True,
    }
    assert resolve(experiment)["stack"] is None


def test_stack_and_profile_files_are_found_in_the_folder_of_the_experiment(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    stack = (ROOT / "targets" / "stacks" / "naive.yaml").read_text().replace("name: naive", "name: own")
    write(folder, stack, "own-stack.yaml")
    write(folder, (ROOT / "loadprofiles" / "profiles" / "coding-agent-ci.yaml").read_text(), "own-load.yaml")
    text = MINIMAL.replace("stack: multi-cloud", "stack: own-stack.yaml").replace("coding-agent-ci", "./own-load.yaml")
    experiment = load_experiment(write(folder, text))
    assert experiment.stack is not None
    assert experiment.stack.name == "own"
    assert experiment.profile.name == "own-load"


# -- overrides ------------------------------------------------------------------------------------------------------


def test_stack_and_seed_can_be_overridden() -> None:
    experiment = load_experiment("lose-tpu-pool", stack="naive", seed=3)
    assert experiment.stack is not None
    assert (experiment.stack.name, experiment.seed) == ("naive", 3)
    assert experiment.faults[0].seed == 3
    resolved = resolve(experiment)
    assert (resolved["target"], resolved["seed"], resolved["stack"]["name"]) == ({"stack": "naive"}, 3, "naive")


def test_a_trace_overrides_that_of_the_file(tmp_path: Path) -> None:
    options = {"dir": str(tmp_path), "speed": 10.0, "limit": 5, "streaming": "recorded", "skip_bad": True}
    assert load_experiment("lose-tpu-pool", trace=options).trace == options
    text = MINIMAL.replace(
        "{profile: coding-agent-ci}",
        f"{{profile: coding-agent-ci, trace: {{dir: {tmp_path}, max_pause: 500ms, max_calls: 4}}}}",
    )
    path = write(tmp_path, text)
    assert load_experiment(path).trace == {"dir": str(tmp_path), "max_pause_s": 0.5, "max_calls": 4}
    assert load_experiment(path, trace=options).trace == options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dir": "{tmp}/none"}, r"--trace .*/none: no such folder or file\. Name that of the recordings"),
        ({"dir": "{tmp}", "speed": 0.0}, "--speed: input should be greater than 0"),
        ({"dir": "{tmp}", "max_calls": 0}, "--max-calls: input should be greater than or equal to 1"),
        ({"dir": "{tmp}", "streaming": "never"}, "--streaming: input should be 'force' or 'recorded'"),
    ],
)
def test_a_wrong_trace_option_is_reported_by_its_command_line_name(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    given = {key: value.format(tmp=tmp_path) if key == "dir" else value for key, value in options.items()}
    with pytest.raises(UserError, match=message):
        load_experiment("lose-tpu-pool", trace=given)


def test_wrong_overrides_of_stack_seed_and_name_are_reported() -> None:
    with pytest.raises(NotFound, match=r'no stack "nave"\n    did you mean "naive"'):
        load_experiment("lose-tpu-pool", stack="nave")
    with pytest.raises(UserError, match="--seed -1"):
        load_experiment("lose-tpu-pool", seed=-1)
    with pytest.raises(NotFound, match=r'no experiment "lose-tpu"\n    did you mean "lose-tpu-pool"'):
        load_experiment("lose-tpu")


# -- the record -----------------------------------------------------------------------------------------------------


def test_a_resolved_experiment_is_a_valid_experiment_file() -> None:
    for name in experiment_names():
        resolved = resolve(load_experiment(name))
        assert json.loads(json.dumps(resolved)) == resolved  # plain data
        written = {key: value for key, value in resolved.items() if key in ExperimentFile.model_fields}
        written["load"] = {"profile": written["load"]["profile"]}
        again = validate(parse_document(yaml.safe_dump(written), "again.yaml"), ExperimentFile)
        assert (again.name, len(again.timeline.faults), len(again.gates)) == (
            resolved["name"],
            len(resolved["faults"]),
            len(resolved["gates"]),
        )
        assert again.timeline.drain == 30


def test_a_resolved_experiment_has_the_targets_and_traits_of_each_fault() -> None:
    resolved = resolve(load_experiment("lose-tpu-pool"))
    assert resolved["faults"] == [
        {
            "id": "f1",
            "kind": "kill",
            "at_s": 0.0,
            "for_s": 15.0,
            "targets": ["tpu-0", "tpu-1"],
            "pools": ["tpu"],
            "params": {"cold_start_s": 0.0},
            "share": None,
            "only": {},
            "traits": {
                "where": "process",
                "stops_process": True,
                "silences_calls": False,
                "loses_spans": True,
                "reclaims_hardware": False,
            },
        }
    ]
    assert resolved["slo"] == {"ttft": 2.0, "tpot": 0.1}
    assert resolved["profile"]["shared_prefix"] == 15000
    assert resolved["stack"]["replicas"][2]["name"] == "tpu-0"


# -- the schema -----------------------------------------------------------------------------------------------------


def test_the_json_schema_file_is_up_to_date() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m chaos.experiment.schema"


def test_the_json_schema_allows_kinds_of_faults_and_no_unknown_key() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    entry = schema["$defs"]["FaultEntryFile"]
    assert {"at", "for", "kill", "cut", "slow_decode"} <= set(entry["properties"])
    assert entry["additionalProperties"] is False
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"brownout", "name", "title", "target", "load", "slo", "gates"}


# -- the experiments that ship --------------------------------------------------------------------------------------


def shipped() -> list[Experiment]:
    return [load_experiment(name) for name in experiment_names()]


def test_every_shipped_experiment_loads_with_each_stack_of_the_reference_fleet() -> None:
    assert {"lose-tpu-pool", "cut-streams", "retry-storm", "rolling-restart"} <= set(experiment_names())
    for name in experiment_names():
        for stack in ("multi-cloud", "no-migration", "naive"):
            assert load_experiment(name, stack=stack).name == name


def test_each_shipped_experiment_has_its_explanations_and_basic_gates() -> None:
    for experiment in shipped():
        assert "Look at:" in experiment.description, experiment.name
        assert "What helps:" in experiment.description, experiment.name
        assert experiment.title
        assert experiment.family
        assert experiment.guardrails
        assert "silent_truncations" in {gate.measure for gate in experiment.gates}, experiment.name


def test_lose_tpu_pool_has_the_gates_and_the_fault_of_the_architecture() -> None:
    experiment = load_experiment("lose-tpu-pool")
    assert [gate.text for gate in experiment.gates] == [
        "sessions_lost == 0",
        "session_success >= 97%",
        "failover.max <= 5 s",
        "silent_truncations == 0",
        "slo_attainment in baseline >= 95%",
        "slo_attainment during fault >= 85%",
        "tpot.p95 during fault <= 150 ms",
        "time_to_recover <= 10 s",
        "retry_amplification <= 1.05",
        "prefill_amplification <= 1.5",
    ]
    [fault] = experiment.faults
    assert isinstance(fault.spec, Kill)
    assert (fault.at_s, fault.for_s, fault.targets) == (0, 15, ("tpu-0", "tpu-1"))


def test_cut_streams_cuts_in_all_three_ways_one_pool_at_a_time() -> None:
    faults = load_experiment("cut-streams").faults
    assert [fault.params["how"] for fault in faults] == ["fin", "rst", "clean"]
    assert all(len(fault.pools) == 1 and fault.share == 0.1 for fault in faults)
    assert [(fault.at_s, fault.at_s + fault.for_s) for fault in faults] == [(0, 5), (5, 10), (10, 15)]


def test_invalid_yaml_is_reported_with_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"mine\.yaml:2: is not valid YAML: .* \(it starts on line 1\)"):
        load_experiment(write(tmp_path, "a: [1\n"))


# -- the documentation ----------------------------------------------------------------------------------------------

DOCUMENTATION = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("experiments.md", "faults.md"))


def test_the_documented_experiment_and_stack_are_valid(tmp_path: Path) -> None:
    blocks = [block.split("```", 1)[0] for block in DOCUMENTATION.split("```yaml\n")[1:]]
    [experiment] = [block for block in blocks if block.startswith("brownout:") and "gates:" in block]
    [stack] = [block for block in blocks if "pools:" in block]
    assert load_experiment(write(tmp_path, experiment)).name == "lose-tpu-pool"
    stack_path = write(tmp_path, stack, "stack.yaml")
    assert load_experiment(write(tmp_path, MINIMAL), stack=stack_path).stack is not None


def test_the_documentation_names_every_key_kind_and_guardrail_measure() -> None:
    keys = [*ExperimentFile.model_fields, *(f"timeline.{key}" for key in TimelineFile.model_fields)]
    for name in [*(key for key in keys if key != "timeline"), *KINDS, *GUARDRAIL_MEASURES]:
        assert f"`{name}`" in DOCUMENTATION, name
    for spec in KINDS.values():
        for field_name, field in spec.model_fields.items():
            assert f"`{field.alias or field_name}`" in DOCUMENTATION, (spec.kind, field_name)
