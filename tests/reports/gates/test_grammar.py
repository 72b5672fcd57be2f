"""The grammar of gates: what is parsed, and the error for each mistake."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from reports.gates import grammar
from reports.gates.grammar import Gate, GateError, measure_names, parse_gate, samples_needed
from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import Unit
from reports.shared.phases import ALL_PHASES, GATE_PHASES, PHASES

ARCHITECTURE = """\
sessions_lost == 0
session_success >= 97%
failover.max <= 5 s
silent_truncations == 0
slo_attainment in baseline >= 95%
slo_attainment during fault >= 85%
tpot.p95 during fault <= 150 ms
time_to_recover <= 10 s
retry_amplification <= 1.05
prefill_amplification <= 1.5
ttft.p99 during fault <= 2.5 x baseline""".splitlines()


@pytest.mark.parametrize("text", ARCHITECTURE)
def test_each_gate_of_the_architecture_page_is_parsed_and_keeps_its_text(text: str) -> None:
    assert parse_gate(text).text == text


def test_a_gate_with_all_parts_is_parsed() -> None:
    assert parse_gate("ttft.p99 during fault for pool=tpu <= 250 ms") == Gate(
        "ttft.p99 during fault for pool=tpu <= 250 ms", "ttft", "p99", "fault", ("pool", "tpu"), "<=", 0.25, "s", False
    )


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("session_success >= 97%", 0.97, "share"),
        ("session_success >= 0.97", 0.97, "share"),
        ("failover.max <= 5s", 5.0, "s"),
        ("failover.max <= 5", 5.0, "s"),
        ("max_gap.p99.9 <= 1.5 min", 90.0, "s"),
        ("cost <= $2.50", 2.5, "USD"),
        ("goodput >= 900 tokens/s", 900.0, "tok/s"),
        ("retry_amplification <= 1.05x", 1.05, "x"),
        ("goodput_lost <= -1%", -0.01, "share"),
    ],
)
def test_values_are_converted_to_the_unit_of_the_measure(text: str, value: float, unit: str) -> None:
    gate = parse_gate(text)
    assert gate.value == pytest.approx(value)
    assert (gate.unit, gate.relative_to_baseline) == (unit, False)


def test_a_multiple_of_the_baseline_is_relative() -> None:
    gate = parse_gate("ttft.p99 during fault <= 2.5 x baseline")
    assert (gate.value, gate.unit, gate.relative_to_baseline) == (2.5, "x", True)


def test_a_gate_without_a_phase_covers_baseline_fault_and_recovery() -> None:
    assert parse_gate("sessions_lost == 0").phases == GATE_PHASES == ("baseline", "fault", "recovery")
    assert parse_gate("sessions_lost in recovery == 0").phases == ("recovery",)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("tftt.p99 <= 2 s", "no measure 'tftt'", 'did you mean "ttft"'),
        ("failover.mx <= 2 s", "no statistic 'mx'", 'did you mean "max"'),
        ("failover.p100 <= 2 s", "no statistic 'p100'", "the statistics are: max, p50"),
        ("ttft <= 2 s", "needs a statistic", "ttft.p50"),
        ("sessions_lost.p50 == 0", "no statistic 'p50'", "sessions_lost alone"),
        ("ttft.p99 during faults <= 2 s", "no phase 'faults'", 'did you mean "fault"'),
        ("time_to_recover during fault <= 2 s", "not about a phase", "remove"),
        ("sessions_lost for pool=tpu == 0", "not measured by pool", "tenant"),
        ("ttft.p99 for pol=tpu <= 1 s", "narrowed by 'pol'", 'did you mean "pool"'),
        ("sessions_lost = 0", "'=' is not a comparison", "did you mean '=='"),
        ("sessions_lost => 0", "'=>' is not a comparison", "did you mean '>='"),
        ("sessions_lost", "has no comparison", "sessions_lost <= 0"),
        ("session_success >= 97", "not a share", "did you mean 97%"),
        ("failover.max <= 5 parsec", "'parsec' is not a unit", "1.5 s or 150 ms"),
        ("failover.max <= soon", "'soon' is not a number", "for example"),
        ("sessions_lost <= 0.5", "is a count", "whole number"),
        ("ttft.p99 in baseline <= 2 x baseline", "with itself", "another phase"),
        ("failover.max <= 2 x baseline", "no value in the baseline", "number"),
        ("ttft.p99 quickly <= 2 s", "'quickly' is not valid", "write it as"),
        ("<= 3", "is not a gate", "write it as"),
        ("ttft.p99 <= 2.5 s or so", "is not a unit", "1.5 s"),
    ],
)
def test_a_mistake_is_an_error_with_message_and_remedy(text: str, message: str, remedy: str) -> None:
    with pytest.raises(GateError) as caught:
        parse_gate(text)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_each_unit_of_a_measure_is_parsed_and_has_an_example_that_is_parsed() -> None:
    assert set(grammar._UNITS) == set(grammar._EXAMPLE) == set(get_args(Unit))
    for spec in CATALOGUE.values():
        for stat in [*(["p95"] if "p*" in spec.stats else []), *(stat for stat in spec.stats if stat != "p*")]:
            assert parse_gate(grammar._example(spec, stat)).unit == spec.unit_of(stat)


@pytest.mark.parametrize("phase", PHASES)
def test_each_phase_of_a_gate_is_parsed(phase: str) -> None:
    assert parse_gate(f"calls during {phase} >= 1").phases == (phase,)


@pytest.mark.parametrize("phase", sorted(set(ALL_PHASES) - set(PHASES)))
def test_other_phases_of_a_record_are_refused(phase: str) -> None:
    with pytest.raises(GateError, match="there is no phase"):
        parse_gate(f"calls during {phase} >= 1")


def test_measures_are_narrowed_by_the_keys_that_the_grammar_knows() -> None:
    assert {key for spec in CATALOGUE.values() for key in spec.where} == set(grammar._KEYS)


def test_measure_names_are_those_of_the_catalogue() -> None:
    assert measure_names() == tuple(spec.name for spec in CATALOGUE.values())
    assert len(set(measure_names())) == len(measure_names())


@pytest.mark.parametrize(
    ("text", "count", "what"),
    [
        ("ttft.p95 <= 1 s", 72, "calls"),
        ("ttft.p99 <= 1 s", 368, "calls"),
        ("session_success >= 97%", 125, "sessions"),
        ("error_rate <= 3%", 125, "calls"),
    ],
)
def test_samples_needed_are_the_documented_minimum(text: str, count: int, what: str) -> None:
    needed = samples_needed(parse_gate(text))
    assert needed is not None
    assert (needed.count, needed.what) == (count, what)


def test_a_fact_needs_no_samples() -> None:
    assert samples_needed(parse_gate("sessions_lost == 0")) is None
    assert samples_needed(parse_gate("failover.max <= 5 s")) is None


def test_parsing_gates_does_not_import_the_analysis_libraries() -> None:
    code = "import sys, reports.gates.grammar; print([m for m in ('numpy', 'scipy', 'duckdb') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
