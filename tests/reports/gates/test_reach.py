"""What a gate can become is known before a run: a gate that can pass and fail has a value for each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.gates.grammar import GateError, parse_gate
from reports.gates.operators import OPERATORS
from reports.gates.reach import contradict, implies, range_of, reach, same
from reports.measures.catalogue import CATALOGUE
from reports.measures.value_range import ValueRange

NEITHER = (True, True)


@pytest.mark.parametrize(
    ("gate", "can"),
    [
        ("sessions_lost >= 0", (True, False)),
        ("sessions_lost < 0", (False, True)),
        ("sessions_lost > -1", (True, False)),
        ("sessions_lost == 0", NEITHER),
        ("sessions_lost < 1", NEITHER),
        ("sessions_lost != 3", NEITHER),
        ("session_success <= 100%", (True, False)),
        ("session_success < 0%", (False, True)),
        ("session_success >= 100%", (False, True)),  # an interval always reaches below 100 %
        ("session_success > 0%", (True, False)),
        ("session_success == 97%", (False, True)),
        ("session_success != 97%", (True, False)),
        ("session_success >= 97%", NEITHER),
        ("error_rate <= 0%", (False, True)),
        ("error_rate == 0", (False, True)),
        ("ttft.p95 == 2 s", (False, True)),
        ("ttft.p95 != 2 s", (True, False)),
        ("ttft.p95 > 0 s", (True, False)),
        ("ttft.max <= 0 s", (False, True)),
        ("ttft.p95 <= 1000 h", NEITHER),  # a call that fails is infinite
        ("failover.max == 0 s", NEITHER),  # no call was interrupted
        ("replica_queue.p95 <= 0 s", NEITHER),
        ("ttft.p95 during fault == 1.5 x baseline", (False, True)),
        ("ttft.p95 during fault >= 0.1 x baseline", NEITHER),
        ("calls during fault == 1 x baseline", NEITHER),
        ("metastable == 2", (False, True)),
        ("metastable <= 1", (True, False)),
        ("overloaded == 0", NEITHER),
        ("goodput_lost <= 100%", (True, False)),
        ("goodput_lost >= -5%", NEITHER),
        ("kv_peak > 100%", (False, True)),
        ("kv_peak >= 100%", NEITHER),
        ("load_imbalance >= 1", (True, False)),
        ("load_imbalance < 1", (False, True)),
        ("cost > 0 USD", (True, False)),
        ("knee == 8.2", NEITHER),
        ("knee == 8.3", (False, True)),
        ("blast_radius.tenants == 50%", NEITHER),
        ("retry_amplification == 1", (False, True)),
        ("wasted_tokens <= 0%", (False, True)),
    ],
)
def test_a_gate_can_pass_and_fail_or_is_recognised(gate: str, can: tuple[bool, bool]) -> None:
    found = reach(parse_gate(gate))
    assert (found.can_pass, found.can_fail) == can


def test_this_experiment_may_narrow_the_range() -> None:
    gate = parse_gate("fairness >= 30%")
    assert reach(gate).can_fail
    assert not reach(gate, ValueRange(1 / 2, 1)).can_fail


MEASURES = st.sampled_from(
    [
        f"{name}.{stat}".rstrip(".")
        for name, spec in CATALOGUE.items()
        for stat in (
            *([""] if spec.default_stat is not None else []),
            *(stat if stat != "p*" else "p95" for stat in spec.stats),
        )
    ]
)
BOUNDS = st.one_of(st.integers(-3, 4).map(str), st.floats(-1, 3, allow_nan=False).map("{:.3f}".format))
RELATIVE = st.sampled_from(["", " x baseline"])


@settings(deadline=None)
@given(MEASURES, st.sampled_from(list(OPERATORS)), BOUNDS, RELATIVE)
def test_a_gate_that_can_pass_and_fail_has_a_value_for_each(name: str, op: str, bound: str, relative: str) -> None:
    try:
        gate = parse_gate(f"{name} {op} {bound}{relative}")
    except GateError:
        return
    found, values, holds = reach(gate), range_of(gate), OPERATORS[op].holds
    span = [gate.value + delta for delta in (-1, -1e-3, 0, 1e-3, 1)] + [values.low, values.high]
    near = [value for value in span if value in values]
    if values.step:
        near += [round(round(value / values.step) * values.step, 9) for value in span if abs(value) < 1e9]
        near = [value for value in near if value in values]
    if found.can_pass:
        assert any(holds(value, gate.value) for value in (*near, *values.samples([gate.value])))
    else:
        # only an end or a single value may satisfy it, and an estimate has a width
        inner = [value for value in near if value not in (gate.value, values.low, values.high) and not values.step]
        assert not any(holds(value, gate.value) for value in inner)
    if found.can_fail:
        assert not all(holds(value, gate.value) for value in (*near, *values.samples([gate.value])))
    assert found.can_pass or found.can_fail


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("session_success >= 97%", "session_success >= 0.97"),
        ("ttft.p95 <= 2 s", "ttft.p95 <= 2000 ms"),
        ("ttft.p95 <= 2 s", "ttft.p95 < 2 s"),
        ("sessions_lost == 0", "sessions_lost < 1"),
        ("sessions_lost in the baseline <= 3", "sessions_lost during baseline < 4"),
        ("cost <= 1 USD", "cost <= $1"),
    ],
)
def test_gates_written_differently_can_be_the_same(one: str, other: str) -> None:
    assert same(parse_gate(one), parse_gate(other))
    assert same(parse_gate(other), parse_gate(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("session_success >= 97%", "session_success >= 96%"),
        ("ttft.p95 <= 2 s", "ttft.p95 during fault <= 2 s"),
        ("ttft.p95 <= 2 s", "ttft.p99 <= 2 s"),
        ("ttft.p95 during fault <= 2 s", "ttft.p95 during fault <= 2 x baseline"),
        ("shed for tier=batch == 0", "shed for tier=subscription == 0"),
        ("sessions_lost <= 1", "sessions_lost < 1"),
    ],
)
def test_gates_about_different_things_are_not_the_same(one: str, other: str) -> None:
    assert not same(parse_gate(one), parse_gate(other))


@pytest.mark.parametrize(
    ("strict", "weak", "expected"),
    [
        ("sessions_lost == 0", "sessions_lost <= 5", True),
        ("sessions_lost <= 5", "sessions_lost == 0", False),
        ("session_success >= 97%", "session_success >= 90%", True),
        ("sessions_lost == 0", "sessions_lost during fault == 0", True),  # a part cannot have more than the whole
        ("sessions_lost during fault == 0", "sessions_lost == 0", False),
        ("shed == 0", "shed for tier=batch in recovery <= 3", True),
        ("shed for tier=batch >= 5", "shed >= 5", True),
        ("sessions_lost == 0", "sessions_lost in drain == 0", False),  # not a part of the whole run
        ("ttft.max <= 5 s", "ttft.max during fault <= 6 s", True),
        ("ttft.p95 <= 5 s", "ttft.p95 during fault <= 6 s", False),  # the percentile of a part can be higher
        ("ttft.p99 <= 2 s", "ttft.p95 <= 2 s", False),  # with too few calls for a p99, the p95 still decides
        ("sessions_lost == 0", "calls_failed == 0", False),
    ],
)
def test_a_gate_may_pass_wherever_a_stricter_one_does(strict: str, weak: str, expected: bool) -> None:
    assert implies(parse_gate(strict), parse_gate(weak)) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("sessions_lost == 0", "sessions_lost >= 5", True),
        ("sessions_lost <= 5", "sessions_lost >= 5", False),
        ("ttft.p95 <= 1 s", "ttft.p95 >= 2 s", True),
        ("ttft.p95 <= 1 s", "ttft.p95 during fault >= 2 s", False),
        ("sessions_lost <= 2", "sessions_lost during fault >= 5", True),
        ("sessions_lost during fault <= 2", "sessions_lost >= 5", False),
        ("shed for tier=batch >= 5", "shed for tier=subscription == 0", False),
        ("sessions_lost == 0", "session_success >= 97%", False),
    ],
)
def test_two_gates_may_exclude_each_other(one: str, other: str, expected: bool) -> None:
    assert contradict(parse_gate(one), parse_gate(other)) == expected
    assert contradict(parse_gate(other), parse_gate(one)) == expected


@settings(deadline=None)
@given(st.sampled_from(list(OPERATORS)), st.integers(-1, 6), st.sampled_from(list(OPERATORS)), st.integers(-1, 6))
def test_pairs_of_gates_on_a_count_agree_with_all_its_values(op: str, bound: int, op_2: str, bound_2: int) -> None:
    one, other = parse_gate(f"sessions_lost {op} {bound}"), parse_gate(f"sessions_lost {op_2} {bound_2}")
    first = {value for value in range(20) if OPERATORS[op].holds(value, bound)}
    second = {value for value in range(20) if OPERATORS[op_2].holds(value, bound_2)}
    assert same(one, other) == (first == second)
    assert implies(one, other) == (first <= second)
    assert contradict(one, other) == (not first & second)
