"""Mistakes in an experiment file are reported all at once, each with its line and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import load_experiment
from reports.shared.errors import InvalidFile
from tests.support.experiment_files import FIRST_FAULT, HEAD, WITHOUT_FAULTS, Found, mistakes

REPLICAS = "replicas: {stack: naive, first_port: 18101}"


def of_gates(folder: Path, *gates: str, head: str = HEAD, faults: bool = True) -> Found:
    entry = "    - {at: 0s, for: 5s, kill: {pool: tpu}}\n" if faults else ""
    lines = "".join(f"  - {gate}\n" for gate in gates)
    text = head.replace("  faults:\n", "  faults:\n" + entry if faults else "")
    return mistakes(folder, text.replace("gates: [sessions_lost == 0]\n", f"gates:\n{lines}"))


def test_mistakes_of_all_sorts_are_reported_together(tmp_path: Path) -> None:
    text = """\
brownout: 2
name: Mine!
titel: a hypothesis
target: {stack: multi-clod}
load: {profile: coding-agent-cy}
slo: {ttft: 2s}
timeline:
  warmup: -5s
  drain: 2m
  faults:
    - {at: -1s, for: 15s, kill: {pool: tpu}}
    - {at: 0s, for: 15s, kil: {pool: tpu}}
    - {at: 0s, kill: {pool: tpu, share: 30%}}
gates:
  - session_sucess >= 97%
  - failover <= 5 s
guardrails:
  - abort if session_success < 50%
seed: seven
"""
    found = mistakes(tmp_path, text)
    assert [(line, what) for line, what, _ in found] == [
        (1, '"brownout" must be 1, not 2'),
        (2, '"name": "Mine!" does not have the right form'),
        (3, 'unknown key "titel"'),
        (4, 'there is no stack "multi-clod"'),
        (5, 'there is no profile "coding-agent-cy"'),
        (6, '"tpot" is missing in "slo"'),
        (8, '"timeline.warmup": a duration cannot be negative: "-5s"'),
        (9, '"timeline.drain" must be at most 30 s, not "2m"'),
        (11, '"timeline.faults[1].at": a duration cannot be negative: "-1s"'),
        (12, 'unknown key "kil" in "timeline.faults[2]"'),
        (13, "kill needs a duration"),
        (13, "share selects requests, but kill affects whole replicas"),
        (15, "\"gates[1]\": there is no measure 'session_sucess'"),
        (16, '"gates[2]": failover needs a statistic'),
        (18, '"guardrails[1]": "abort if session_success < 50%" does not say for how long'),
        (19, '"seed" must be a whole number, not "seven"'),
    ]
    remedies = {line: remedy for line, _, remedy in found}
    assert remedies[3] == 'did you mean "title"?'
    assert remedies[4] == 'did you mean "multi-cloud"?'
    assert remedies[5] == 'did you mean "coding-agent-ci"?'
    assert remedies[6] == "add it: maximum time per output token, as 100ms"
    assert remedies[12] == 'did you mean "kill"?'
    assert "session_success" in remedies[15]
    assert all(remedies[line] for line in (2, 3, 4, 5, 6, 8, 11, 12, 13, 15, 16, 18))


@pytest.mark.parametrize(
    ("gate", "what", "remedy"),
    [
        ("ttft.p95 for pool=tup <= 1 s", 'the stack multi-cloud has no pool "tup"', 'did you mean "tpu"?'),
        (
            "session_success for tenant=acme >= 9%",
            'profile coding-agent-ci has no tenant "acme"',
            "remove for tenant=acme",
        ),
        (
            "shed for tier=batch >= 1",
            'profile coding-agent-ci has no tier "batch"',
            "remove for tier=batch, or give the profile tiers",
        ),
        ("{gate: sessions_lost == 0, on_inconclusive: maybe}", 'on_inconclusive: "maybe" is not known', "pass or fail"),
        ("{gate: sessions_lost == 0, on: fail}", 'unknown key "on"', ""),
        ("7", "a gate must be text", "write it as: session_success >= 97%"),
        ("ttft.p95 during faults <= 1 s", "there is no phase 'faults'", 'did you mean "fault"'),
    ],
)
def test_a_mistake_in_a_gate_is_reported_with_its_remedy(tmp_path: Path, gate: str, what: str, remedy: str) -> None:
    [(line, found_what, found_remedy)] = of_gates(tmp_path, gate)
    assert line == 8
    assert what in found_what
    assert remedy in found_remedy


def test_a_gate_about_a_fault_needs_a_fault(tmp_path: Path) -> None:
    found = of_gates(tmp_path, "failover.max <= 5 s", "ttft.p95 during fault <= 1 s", faults=False)
    assert [(line, what) for line, what, _ in found] == [
        (8, "failover.max is about a fault, and the timeline has none"),
        (9, "ttft.p95 is about a fault, and the timeline has none"),
    ]


def test_a_recovery_must_be_long_enough_for_the_gates_on_it(tmp_path: Path) -> None:
    gates = ("time_to_recover <= 3 s", "ttft.p95 in recovery <= 1 s")
    short = of_gates(tmp_path, *gates, head=HEAD.replace("recovery: 20s", "recovery: 4s"))
    assert [what for _, what, _ in short] == ["time_to_recover looks at windows of 5 s, and the recovery lasts 4 s"]
    none = of_gates(tmp_path, *gates, head=HEAD.replace("recovery: 20s", "recovery: 0s"))
    assert [line for line, *_ in none] == [8, 9]


def test_steady_state_is_about_the_baseline(tmp_path: Path) -> None:
    text = HEAD.replace("timeline:", "steady_state: [time_to_recover <= 1 s, ttft.p95 during fault <= 1 s]\ntimeline:")
    found = mistakes(tmp_path, text + "    - {for: 5s, kill: {pool: tpu}}\n")
    assert [what for _, what, _ in found] == ["a steady_state gate is about the baseline, before anything breaks"]


def test_mistakes_in_the_stack_file_are_reported_too(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("brownout: 1\nname: bad\nmodel: m\npools: {}\n")
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.replace("multi-cloud", "bad.yaml") + "    - {for: -5s, kill: {pool: tpu}}\n")
    with pytest.raises(InvalidFile) as caught:
        load_experiment(path)
    assert [(Path(problem.file).name, problem.line) for problem in caught.value.problems] == [
        ("bad.yaml", 4),
        ("mine.yaml", FIRST_FAULT),
    ]


def test_a_missing_folder_of_recordings_is_a_mistake(tmp_path: Path) -> None:
    text = WITHOUT_FAULTS.replace(
        "{profile: coding-agent-ci}", "{profile: coding-agent-ci, trace: {dir: ./none, sped: 2}}"
    )
    assert mistakes(tmp_path, text) == [
        (5, 'there is no folder or file "./none"', "name what holds the recordings"),
        (5, 'unknown key "sped" in "load.trace"', 'did you mean "speed"?'),
    ]


def test_recordings_in_a_home_folder_that_is_not_known_are_a_mistake(tmp_path: Path) -> None:
    text = WITHOUT_FAULTS.replace("{profile: coding-agent-ci}", "{profile: coding-agent-ci, trace: {dir: ~nobody-x/a}}")
    what = '~nobody-x/a: no home folder is known for "~nobody-x". Write the whole path'
    assert mistakes(tmp_path, text) == [(5, what, "name what holds the recordings")]


def test_a_measure_has_one_tolerance(tmp_path: Path) -> None:
    text = WITHOUT_FAULTS + "tolerances: [ttft.p95=20%, ttft.p95 during fault=30%, ttft.p95 = 10%, nosuch=1, 3]\n"
    found = mistakes(tmp_path, text)
    assert [(line, what) for line, what, _ in found] == [
        (10, "\"tolerances[4]\": tolerance 'nosuch=1': there is no measure 'nosuch'"),
        (10, '"tolerances[5]": a tolerance must be text'),
        (10, "ttft.p95 has two tolerances"),
    ]
    assert found[2][2] == "remove one of them"


def test_the_renamed_key_tells_is_refused_with_its_new_name(tmp_path: Path) -> None:
    text = WITHOUT_FAULTS + "tells: sessions_lost == 0\n"
    assert mistakes(tmp_path, text) == [(10, 'the key "tells" was renamed', "write headline_gate: instead")]


def test_the_headline_gate_must_be_one_of_the_gates(tmp_path: Path) -> None:
    text = WITHOUT_FAULTS + "headline_gate: sessions_lost == 1\n"
    what = 'headline_gate: "sessions_lost == 1" is not one of the gates'
    assert mistakes(tmp_path, text) == [(10, what, 'did you mean "sessions_lost == 0"?')]


@pytest.mark.parametrize(
    ("port", "target", "what"),
    [
        (4000, "{url: 'http://127.0.0.1:4000', model: m}", "port 4000 is that of the target"),
        (80, "{url: 'http://localhost', model: m}", "port 80 is that of the target"),
        (18103, f"{{url: 'http://127.0.0.1:4000', model: m, {REPLICAS}}}", "have the ports 18101 to 18106"),
        (18107, f"{{url: 'http://127.0.0.1:4000', model: m, {REPLICAS}}}", ""),
        (4000, "{url: 'http://10.0.0.1:4000', model: m}", ""),
        (0, "{url: 'http://127.0.0.1:4000', model: m}", ""),
    ],
)
def test_a_port_for_alerts_is_none_that_the_target_needs(tmp_path: Path, port: int, target: str, what: str) -> None:
    text = WITHOUT_FAULTS.replace("{stack: multi-cloud}", target) + f"alerts: {{port: {port}}}\n"
    if not what:
        (tmp_path / "mine.yaml").write_text(text)
        assert load_experiment(tmp_path / "mine.yaml").alerts is not None
        return
    [(line, found, remedy)] = mistakes(tmp_path, text)
    assert (line, remedy) == (len(text.splitlines()), "give the alerts another port, or any free one: port: 0")
    assert what in found
