"""Mistakes in an experiment file are reported all at once, each with its line and a remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.experiment.model import load_experiment
from chaos.faults.catalogue import KINDS
from chaos.faults.world import NEEDS
from reports.shared.errors import InvalidFile
from tests.chaos.faults.test_base import SPECS
from tests.support.paths import ROOT

NAME_A_STACK = "remove the fault, or name a target that has them: {stack: multi-cloud}"

HEAD = """\
brownout: 1
name: mine
title: a hypothesis
target: {stack: multi-cloud}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
gates: [sessions_lost == 0]
timeline:
  recovery: 20s
  faults:
"""
FIRST = 11
"""The line of the first fault."""

Found = list[tuple[int, str, str]]


def mistakes(folder: Path, text: str, *, stack: str | None = None) -> Found:
    path = folder / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile) as caught:
        load_experiment(path, stack=stack)
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return [(problem.line, problem.what, problem.remedy) for problem in caught.value.problems]


def of_faults(folder: Path, *entries: str, stack: str | None = None) -> Found:
    return mistakes(folder, HEAD + "".join(f"    - {entry}\n" for entry in entries), stack=stack)


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
        (9, '"timeline.drain" must be at most 30, not "2m"'),
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


def test_an_unknown_name_is_reported_together_with_another_mistake_in_its_entry(tmp_path: Path) -> None:
    assert of_faults(tmp_path, "{at: -1s, for: 15s, kill: {pool: tup}}") == [
        (FIRST, '"timeline.faults[1].at": a duration cannot be negative: "-1s"', "write a duration of 0 or more"),
        (FIRST, 'the stack multi-cloud has no pool "tup"', 'did you mean "tpu"?'),
    ]


@pytest.mark.parametrize(
    ("entry", "what", "remedy"),
    [
        ("{at: 0s, for: 5s}", "the entry has no fault", "add one of: kill, freeze"),
        (
            "{for: 5s, kill: {pool: tpu}, freeze: {pool: tpu}}",
            "one entry has 2 faults: kill, freeze",
            "an entry for each",
        ),
        ("{at: 0s, kill: {pool: tpu}}", "kill needs a duration", "add for: 15s"),
        ("{for: 0s, kill: {pool: tpu}}", "must be more than 0 s", "give a duration"),
        ("{for: 5s, kill: {}}", "selects no replica", "add pool:, replica: or cloud:"),
        ("{for: 5s, kill: tpu}", "must be a mapping of keys to values", ""),
        ("{for: 5s, kill: {pool: gpu}}", 'has no pool "gpu"', 'did you mean "tpu"?'),
        ("{for: 5s, kill: {pool: moon}}", 'has no pool "moon"', "it is one of: nvidia, tpu, trainium"),
        ("{for: 5s, kill: {replica: tpu-2}}", 'has no replica "tpu-2"', 'did you mean "tpu-1"?'),
        ("{for: 5s, kill: {cloud: gpc}}", 'has no cloud "gpc"', 'did you mean "gcp"?'),
        (
            "{for: 5s, kill: {pool: tpu, cloud: aws}}",
            "no replica of the stack multi-cloud matches all of pool, replica and cloud",
            "the replicas are",
        ),
        ("{for: 5s, kill: {pool: tpu, cuont: one}}", 'unknown key "cuont"', 'did you mean "count"?'),
        ("{for: 5s, kill: {pool: tpu, count: some}}", '"some" is not known here', "it is one of: all, majority"),
        (
            "{for: 5s, slow_decode: {pool: tpu, factor: 2, share: 5%}}",
            "share selects requests, but slow_decode affects whole replicas",
            "count",
        ),
        (
            "{for: 5s, shrink_kv: {pool: tpu, lost: 50%, tenant: a}}",
            "tenant selects requests, but shrink_kv affects whole replicas",
            "count",
        ),
        ("{for: 5s, stall: {pool: tpu, tenant: acme}}", 'has no tenant "acme"', "give the profile tenants"),
        ("{for: 5s, stall: {pool: tpu, model: gpt}}", 'no request asks for the model "gpt"', "llama-3.3-70b"),
        ("{for: 5s, slow_tokens: {pool: tpu}}", "slow_tokens slows nothing", "gap: 300ms"),
        (
            "{for: 5s, cut: {pool: tpu, how: fin, phase: prefill, after_tokens: 2}}",
            "ends with the first token",
            "remove after_tokens:",
        ),
        ("{for: 5s, cut: {pool: tpu, how: fni}}", '"fni" is not known here', 'did you mean "fin"?'),
        ("{for: 5s, cut: {pool: tpu}}", '"how" is missing', "add it"),
        ("{for: 5s, latency: {pool: tpu, delay: 1s, share: 0%}}", "share: 0% hits nothing", "above 0%"),
        ("{for: 5s, http_error: {pool: tpu, status: 200}}", "must be at least 400, not 200", ""),
        (
            "{restart: {pool: tpu, cold_start: 21s}}",
            "a cold start of 21 s is longer than the recovery",
            "make recovery:",
        ),
        ("{at: 5h, for: 2h, kill: {pool: tpu}}", "the run would last 420 min 40 s", "at most 360 min"),
    ],
)
def test_a_mistake_in_a_fault_is_reported_with_its_remedy(tmp_path: Path, entry: str, what: str, remedy: str) -> None:
    [(line, found_what, found_remedy)] = of_faults(tmp_path, entry)
    assert line == (8 if "the run" in what else FIRST)
    assert what in found_what
    assert remedy in found_remedy


@pytest.mark.parametrize(
    ("earlier", "later", "clash"),
    [
        ("{at: 0s, for: 10s, kill: {pool: tpu}}", "{at: 5s, for: 10s, freeze: {replica: tpu-1}}", True),
        ("{at: 0s, for: 10s, kill: {pool: tpu}}", "{at: 0s, for: 3s, kill: {cloud: gcp}}", True),
        ("{at: 0s, for: 10s, freeze: {pool: tpu}}", "{at: 2s, for: 3s, cut: {pool: tpu, how: fin}}", True),
        ("{at: 0s, for: 10s, kill: {pool: tpu}}", "{at: 10s, for: 3s, kill: {pool: tpu}}", True),
        ("{at: 0s, for: 10s, kill: {pool: tpu}}", "{at: 11s, for: 3s, kill: {pool: tpu}}", False),
        ("{at: 0s, for: 10s, kill: {pool: tpu}}", "{at: 5s, for: 3s, kill: {pool: nvidia}}", False),
        ("{at: 0s, for: 10s, cut: {pool: tpu, how: fin}}", "{at: 2s, for: 3s, kill: {pool: tpu}}", False),
        ("{at: 0s, for: 9s, cut: {pool: tpu, how: fin}}", "{at: 2s, for: 3s, cut: {pool: tpu, how: rst}}", False),
    ],
)
def test_a_fault_cannot_begin_on_a_replica_that_another_has_stopped(
    tmp_path: Path, earlier: str, later: str, clash: bool
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"{HEAD}    - {earlier}\n    - {later}\n")
    if not clash:
        assert len(load_experiment(path).faults) == 2
        return
    [(line, what, remedy)] = of_faults(tmp_path, earlier, later)
    assert line == FIRST + 1
    assert "begins on tpu-" in what
    assert what.endswith(" (f1) has stopped")
    assert f"after the fault on line {FIRST}" in remedy


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


# -- the target -----------------------------------------------------------------------------------------------------

URL = HEAD.replace("  faults:\n", "")


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
    [(line, found_what, found_remedy)] = mistakes(tmp_path, URL.replace("{stack: multi-cloud}", target))
    assert line == 4
    assert what in found_what
    assert remedy in found_remedy


def test_a_key_in_place_of_its_variable_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    target = "{url: 'http://127.0.0.1', model: m, key_env: sk-secret-123}"
    [(_, what, remedy)] = mistakes(tmp_path, URL.replace("{stack: multi-cloud}", target))
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
        (FIRST, "kill needs replicas whose processes brownout starts, and this target has none", NAME_A_STACK),
    ]


@pytest.mark.parametrize("kind", [kind for kind, spec in KINDS.items() if spec.where != "load"])
def test_a_url_refuses_each_fault_and_names_what_is_missing(tmp_path: Path, kind: str) -> None:
    text = HEAD.replace("{stack: multi-cloud}", "{url: 'http://127.0.0.1', model: m}")
    (problem,) = mistakes(tmp_path, text + f"    - {{for: 5s, {kind}: {json.dumps(SPECS[kind])}}}\n")
    needs = NEEDS[KINDS[kind].where]
    assert problem == (FIRST, f"{kind} needs {needs}, and this target has none", NAME_A_STACK)


def test_an_overriding_stack_is_checked_like_that_of_the_file(tmp_path: Path) -> None:
    stack = (ROOT / "targets" / "stacks" / "naive.yaml").read_text()
    own = tmp_path / "small.yaml"
    own.write_text(stack.replace("name: naive", "name: small").replace("  tpu: {", "  tensor: {"))
    assert of_faults(tmp_path, "{for: 5s, kill: {pool: tpu}}", stack=str(own)) == [
        (FIRST, 'the stack small has no pool "tpu"', "it is one of: nvidia, tensor, trainium")
    ]


def test_mistakes_in_the_stack_file_are_reported_too(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("brownout: 1\nname: bad\nmodel: m\npools: {}\n")
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD.replace("multi-cloud", "bad.yaml") + "    - {for: -5s, kill: {pool: tpu}}\n")
    with pytest.raises(InvalidFile) as caught:
        load_experiment(path)
    assert [(Path(problem.file).name, problem.line) for problem in caught.value.problems] == [
        ("bad.yaml", 4),
        ("mine.yaml", FIRST),
    ]


def test_a_missing_folder_of_recordings_is_a_mistake(tmp_path: Path) -> None:
    text = URL.replace("{profile: coding-agent-ci}", "{profile: coding-agent-ci, trace: {dir: ./none, sped: 2}}")
    assert mistakes(tmp_path, text) == [
        (5, 'there is no folder or file "./none"', "name what holds the recordings"),
        (5, 'unknown key "sped" in "load.trace"', 'did you mean "speed"?'),
    ]


def test_a_fault_of_the_load_works_with_any_target_and_must_match_the_profile(tmp_path: Path) -> None:
    assert of_faults(tmp_path, "{for: 5s, surge: {factor: 3, tenant: acme}}") == [
        (FIRST, "the profile coding-agent-ci has no tenants", "give it some, or name a profile that has")
    ]
    assert of_faults(tmp_path, "{surge: {factor: 3}}") == [(FIRST, "surge needs a duration", "add for: 15s")]
    url = HEAD.replace("{stack: multi-cloud}", "{url: 'http://127.0.0.1:1', model: m}")
    (tmp_path / "url.yaml").write_text(url + "    - {for: 5s, surge: {factor: 3}}\n")
    assert load_experiment(tmp_path / "url.yaml").faults[0].targets == ("load",)


@pytest.mark.parametrize(
    ("entry", "what", "remedy"),
    [
        ("{for: 2s, every: 5s, kill: {pool: tpu}}", "every needs the number of repetitions", "add times: 3"),
        ("{for: 2s, random: 30s, kill: {pool: tpu}}", "random needs the number of repetitions", "add times: 3"),
        (
            "{for: 2s, times: 3, kill: {pool: tpu}}",
            "times without every or random has no meaning",
            "add every: 5s, or random: 30s",
        ),
        ("{for: 2s, one_by_one: true, kill: {pool: tpu}}", "one_by_one needs an interval", "add every: 5s"),
        (
            "{for: 2s, every: 5s, random: 9s, times: 2, kill: {pool: tpu}}",
            "every and random cannot be combined",
            "remove one of them",
        ),
        (
            "{for: 5s, random: 12s, times: 3, latency: {pool: tpu, delay: 50ms}}",
            "3 times 5 s do not fit into 12 s",
            "make random: at least 15s",
        ),
        (
            "{for: 5s, every: 9s, one_by_one: true, surge: {factor: 2}}",
            "one_by_one is for faults of replicas, and this fault has none",
            "remove one_by_one:",
        ),
        (
            "{for: 5s, every: 4s, times: 2, latency: {replica: tpu-0, delay: 50ms}}",
            "latency occurs again on tpu-0 after 4 s, and needs 5 s to end",
            "use a longer interval, or a shorter fault",
        ),
        (
            "{for: 2s, every: 5s, times: 2, kill: {replica: tpu-0, cold_start: 4s}}",
            "kill occurs again on tpu-0 after 5 s, and needs 6 s to end",
            "use a longer interval, or a shorter fault",
        ),
    ],
)
def test_a_contradictory_schedule_is_reported_with_its_remedy(
    tmp_path: Path, entry: str, what: str, remedy: str
) -> None:
    assert of_faults(tmp_path, entry) == [(FIRST, what, remedy)]


def test_a_fault_cannot_begin_on_a_replica_stopped_by_one_of_several_occurrences(tmp_path: Path) -> None:
    entries = (
        "{for: 4s, every: 5s, one_by_one: true, kill: {pool: tpu}}",
        "{at: 6s, for: 2s, freeze: {replica: tpu-1}}",
    )
    what = "freeze begins on tpu-1, which kill (f1.2) has stopped"
    assert of_faults(tmp_path, *entries) == [
        (FIRST + 1, what, f"let it begin after the fault on line {FIRST} has ended")
    ]


def test_the_renamed_key_tells_is_refused_with_its_new_name(tmp_path: Path) -> None:
    text = HEAD.replace("  faults:\n", "") + "tells: sessions_lost == 0\n"
    assert mistakes(tmp_path, text) == [(10, 'the key "tells" was renamed', "write headline_gate: instead")]


def test_the_headline_gate_must_be_one_of_the_gates(tmp_path: Path) -> None:
    text = HEAD.replace("  faults:\n", "") + "headline_gate: sessions_lost == 1\n"
    what = 'headline_gate: "sessions_lost == 1" is not one of the gates'
    assert mistakes(tmp_path, text) == [(10, what, 'did you mean "sessions_lost == 0"?')]
