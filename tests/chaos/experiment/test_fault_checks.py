"""Mistakes in the faults of an experiment: by themselves, with the load, and with one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import load_experiment
from tests.support.experiment_files import FIRST_FAULT, HEAD, of_faults


def test_an_unknown_name_is_reported_together_with_another_mistake_in_its_entry(tmp_path: Path) -> None:
    assert of_faults(tmp_path, "{at: -1s, for: 15s, kill: {pool: tup}}") == [
        (FIRST_FAULT, '"timeline.faults[1].at": a duration cannot be negative: "-1s"', "write a duration of 0 or more"),
        (FIRST_FAULT, 'the stack multi-cloud has no pool "tup"', 'did you mean "tpu"?'),
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
        ("{for: 5s, flap: {pool: tpu, period: 500ms}}", 'must be at least 1 s, not "500ms"', ""),
        ("{at: 5h, for: 2h, kill: {pool: tpu}}", "the run would last 420 min 40 s", "at most 360 min"),
    ],
)
def test_a_mistake_in_a_fault_is_reported_with_its_remedy(tmp_path: Path, entry: str, what: str, remedy: str) -> None:
    [(line, found_what, found_remedy)] = of_faults(tmp_path, entry)
    assert line == (8 if "the run" in what else FIRST_FAULT)
    assert what in found_what
    assert remedy in found_remedy


STALL = "{at: 0s, for: 9s, stall: {pool: tpu}}"
KILL = "{at: 0s, for: 10s, kill: {pool: tpu}}"
NOTICE = "{at: 0s, for: 1s, terminate: {pool: tpu, notice: 30s, cold_start: 4s}}"
RESTART = "{at: 0s, restart: {pool: tpu, grace: 3s, cold_start: 2s}}"


@pytest.mark.parametrize(
    ("earlier", "later", "ends"),
    [
        (KILL, "{at: 5s, for: 10s, freeze: {replica: tpu-1}}", "10 s"),
        (KILL, "{at: 0s, for: 3s, kill: {cloud: gcp}}", "10 s"),
        (KILL, "{at: 10s, for: 3s, kill: {pool: tpu}}", "10 s"),
        (KILL, "{at: 9s, for: 3s, latency: {pool: tpu, delay: 1s}}", "10 s"),
        ("{at: 0s, for: 10s, freeze: {pool: tpu}}", "{at: 2s, for: 3s, cut: {pool: tpu, how: fin}}", "10 s"),
        (NOTICE, "{at: 2s, for: 5s, kill: {pool: tpu}}", "34 s, with its notice and cold start"),
        (NOTICE, "{at: 33s, for: 5s, kill: {pool: tpu}}", "34 s, with its notice and cold start"),
        (NOTICE.replace("1s", "40s"), "{at: 42s, for: 5s, stall: {pool: tpu}}", "44 s, with its cold start"),
        (RESTART, "{at: 5s, for: 5s, stall: {pool: tpu}}", "5 s, with its grace and cold start"),
        ("{for: 9s, flap: {pool: tpu, period: 3s}}", "{at: 2s, for: 5s, stall: {pool: tpu}}", "9 s"),
        (STALL, "{at: 2s, for: 3s, kill: {pool: tpu}}", "9 s"),
        (STALL, "{at: 2s, restart: {pool: tpu}}", "9 s"),
        (STALL, "{at: 0s, for: 3s, freeze: {pool: tpu}}", "9 s"),
    ],
)
def test_a_fault_that_stops_a_process_overlaps_with_no_other_on_its_replica(
    tmp_path: Path, earlier: str, later: str, ends: str
) -> None:
    [(line, what, remedy)] = of_faults(tmp_path, earlier, later)
    assert line == FIRST_FAULT + 1
    assert "begins on tpu-" in what
    assert what.endswith(f"(f1) lasts there until {ends}")
    assert f"after the fault on line {FIRST_FAULT}" in remedy


def test_an_overlap_is_refused_in_whatever_order_the_file_has_the_faults(tmp_path: Path) -> None:
    [(line, what, _)] = of_faults(tmp_path, "{at: 5s, for: 3s, stall: {pool: tpu}}", KILL)
    assert (line, what) == (
        FIRST_FAULT, "stall begins on tpu-0, tpu-1 at 5 s, and kill (f2) lasts there until 10 s"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (KILL, "{at: 11s, for: 3s, kill: {pool: tpu}}"),
        (KILL, "{at: 5s, for: 3s, kill: {pool: nvidia}}"),
        (KILL, "{at: 5s, for: 3s, slow_scheduler: {delay: 20ms}}"),
        (NOTICE, "{at: 35s, for: 5s, kill: {pool: tpu}}"),
        (RESTART, "{at: 6s, for: 5s, stall: {pool: tpu}}"),
        (STALL, "{at: 9s, for: 3s, kill: {pool: tpu}}"),
        (STALL, "{at: 2s, for: 3s, cut: {pool: tpu, how: rst}}"),
    ],
)
def test_faults_that_do_not_stop_each_other_are_accepted(tmp_path: Path, earlier: str, later: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"{HEAD}    - {earlier}\n    - {later}\n")
    assert len(load_experiment(path).faults) == 2


def test_a_fault_of_the_load_works_with_any_target_and_must_match_the_profile(tmp_path: Path) -> None:
    assert of_faults(tmp_path, "{for: 5s, surge: {factor: 3, tenant: acme}}") == [
        (FIRST_FAULT, "the profile coding-agent-ci has no tenants", "give it some, or name a profile that has")
    ]
    assert of_faults(tmp_path, "{surge: {factor: 3}}") == [(FIRST_FAULT, "surge needs a duration", "add for: 15s")]
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
            "{for: 4111.111s, random: 12333s, times: 3, latency: {pool: tpu, delay: 50ms}}",
            "3 times 68 min 31.111 s do not fit into 205 min 33 s",
            "make random: at least 12333.333s",
        ),
        (
            "{for: 5s, random: 6s, one_by_one: true, kill: {pool: tpu, cold_start: 10s}}",
            "2 times 15 s, with notice and cold start, do not fit into 6 s",
            "make random: at least 30s",
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
            "kill occurs again on tpu-0 after 5 s, and needs 6 s to end, with its cold start",
            "use a longer interval, or a shorter fault",
        ),
    ],
)
def test_a_contradictory_schedule_is_reported_with_its_remedy(
    tmp_path: Path, entry: str, what: str, remedy: str
) -> None:
    assert of_faults(tmp_path, entry) == [(FIRST_FAULT, what, remedy)]


def test_a_fault_cannot_begin_on_a_replica_stopped_by_one_of_several_occurrences(tmp_path: Path) -> None:
    entries = (
        "{for: 4s, every: 5s, one_by_one: true, kill: {pool: tpu}}",
        "{at: 6s, for: 2s, freeze: {replica: tpu-1}}",
    )
    what = "freeze begins on tpu-1 at 6 s, and kill (f1.2) lasts there until 9 s"
    remedy = (
        "a process that is stopped holds no other fault: "
        f"let it begin after the fault on line {FIRST_FAULT} has ended, or select other replicas"
    )
    assert of_faults(tmp_path, *entries) == [(FIRST_FAULT + 1, what, remedy)]


def test_a_secret_after_its_option_is_refused(tmp_path: Path) -> None:
    commands = "inject: [mysql, --password, hunter2], revert: [mysql, --token=abc, go]"
    found = of_faults(tmp_path, f"{{at: 0s, for: 5s, exec: {{{commands}}}}}")
    assert [what.partition(" command")[0] for _, what, _ in found] == ["word 2 of the revert", "word 3 of the inject"]


def test_a_secret_in_a_command_is_refused_and_not_repeated(tmp_path: Path) -> None:
    commands = (
        "inject: [curl, -H, 'Authorization: Bearer abcdef123'], revert: [sh, -c, 'call \"$TOKEN\"; call sk-abcdef12']"
    )
    found = of_faults(tmp_path, f"{{at: 0s, for: 5s, exec: {{{commands}}}}}")
    assert [(line, what) for line, what, _ in found] == [
        (FIRST_FAULT, f"word 3 of the {stage} command contains a secret, and commands go into every record")
        for stage in ("inject", "revert")
    ]
    assert "export it" in found[0][2]
    assert "abcdef" not in str(found)
