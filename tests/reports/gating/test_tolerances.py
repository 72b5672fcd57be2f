"""How much worse a measure may become: what a user may write, and which measures are judged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.gates.grammar import parse_gate
from reports.gating.tolerances import DEFAULTS, Tolerance, amount_text, declared_tolerances, parse_tolerance
from reports.shared.errors import UserError


@pytest.mark.parametrize(
    ("text", "measure", "phase", "size", "relative", "better"),
    [
        ("ttft.p95=20%", "ttft.p95", None, 0.2, True, "lower"),
        ("ttft.p95 during fault = 30 %", "ttft.p95", "fault", 0.3, True, "lower"),
        ("ttft.p95 in run=200ms", "ttft.p95", None, 0.2, False, "lower"),
        ("session_success=1.5 points", "session_success", None, 0.015, False, "higher"),
        ("sessions_lost=2", "sessions_lost", None, 2.0, False, "lower"),
        ("goodput=50 tok/s", "goodput", None, 50.0, False, "higher"),
        ("retry_amplification=0.05", "retry_amplification", None, 0.05, False, "lower"),
        ("cost.per_1k_sessions=.5 USD", "cost.per_1k_sessions", None, 0.5, False, "lower"),
        ("shed for tier=batch in recovery=2", "shed for tier=batch", "recovery", 2.0, False, "lower"),
        ("knee.cost_per_1k_sessions=10%", "knee.cost_per_1k_sessions", None, 0.1, True, "lower"),
        ("e2e.p95=150%", "e2e.p95", None, 1.5, True, "lower"),
    ],
)  # fmt: skip
def test_a_tolerance_is_read(text: str, measure: str, phase: str, size: float, relative: bool, better: str) -> None:
    found = parse_tolerance(text)
    assert (found.measure, found.phase, found.relative, found.better) == (measure, phase, relative, better)
    assert found.size == pytest.approx(size)
    assert found.judged


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write it as MEASURE=SIZE"),
        ("ttft.p95", "write it as MEASURE=SIZE"),
        ("=20%", "write it as MEASURE=SIZE"),
        ("ttft.p95=", "write it as MEASURE=SIZE"),
        ("ttft.p95 <= 2 s", "write it as MEASURE=SIZE"),
        ("ttft.p59x=20%", "ttft"),
        ("tftt.p95=20%", 'did you mean "ttft"'),
        ("ttft=20%", "write ttft.p50; there are"),
        ("ttft.p95 during fualt=20%", 'did you mean "fault"'),
        ("ttft.p95 during drain=20%", "the phases are: baseline, fault, recovery"),
        ("time_to_recover during fault=20%", "about the fault as a whole"),
        ("ttft.p95=fast", "'fast' is not a size above 0"),
        ("ttft.p95=-5%", "'-5%' is not a size above 0"),
        ("ttft.p95=nan%", "is not a size above 0"),
        ("ttft.p95=0%", "no number of runs shows that nothing changed at all"),
        ("ttft.p95=20", "write its size as 20% or 500 ms"),
        ("ttft.p95=2 tok/s", "write its size as 20% or 500 ms"),
        ("session_success=2%", "write its size as 2 points"),
        ("session_success=200 points", "more than 100 points"),
        ("sessions_lost=10%", "is a count\n    write its size as 1"),
        ("goodput=100%", "would be allowed to fall to 0"),
        ("ttft.p95=99999999999%", "so large a tolerance finds nothing"),
        ("calls=5", "neither more nor fewer calls are better"),
        ("ttft.p95 for pool=20%", "not valid"),
        ("\x1b[31m=5", "is not a gate"),
    ],
)
def test_nonsense_is_an_error_with_what_is_possible(text: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_tolerance(text)
    assert says in str(caught.value)
    assert repr(text) in str(caught.value)


@settings(max_examples=15, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_is_a_tolerance_or_an_error_of_the_user(text: str) -> None:
    for one in (text, f"ttft.p95={text}", f"{text}=20%"):
        try:
            assert 0 < parse_tolerance(one).size < 1e6
        except UserError as error:
            assert repr(one) in str(error)  # noqa: PT017


def test_defaults_are_known_measures_and_few_are_judged() -> None:
    for one in DEFAULTS:
        assert one.title
        text = amount_text(one).replace(" a run", "").replace(" %", "%")
        again = parse_tolerance(f"{one.label}={text}")
        assert again.size == pytest.approx(one.size)
        assert (again.relative, again.better) == (one.relative, one.better)
    assert sum(one.judged for one in DEFAULTS) == 10


def by_label(tolerances: tuple[Tolerance, ...]) -> dict[str, Tolerance]:
    return {one.label: one for one in tolerances}


def test_a_tolerance_without_a_phase_is_about_every_standard_phase_of_its_measure() -> None:
    found = by_label(declared_tolerances(["slo_attainment=2 points", "ttft.p50=30%", "itl.p95=10%"]))
    assert found["slo_attainment during fault"].size == pytest.approx(0.02)
    assert "slo_attainment" not in found
    assert found["ttft.p50"].judged
    assert found["itl.p95"].judged


def test_a_tolerance_with_a_phase_is_added() -> None:
    found = by_label(declared_tolerances(["ttft.p95 during fault=30%"]))
    assert (found["ttft.p95"].size, found["ttft.p95 during fault"].size) == (0.2, 0.3)


def test_off_leaves_a_measure_out_of_the_verdict() -> None:
    found = by_label(declared_tolerances(["ttft.p95=off", "ttft.p95 during fault=30%", "slo_attainment=off"]))
    assert [name for name, one in found.items() if name.startswith(("ttft.p95", "slo")) and one.judged] == [
        "ttft.p95 during fault"
    ]
    assert not any(one.judged for one in declared_tolerances([f"{one.label}=off" for one in DEFAULTS]))


def test_measures_of_the_gates_are_shown_in_the_direction_of_their_gate() -> None:
    gates = [
        parse_gate(text) for text in ("shed for tier=batch >= 5", "ttft.p90 during fault <= 2 s", "sessions_lost == 0")
    ]
    found = by_label(declared_tolerances(gates=gates))
    assert (found["shed for tier=batch"].better, found["shed for tier=batch"].judged) == ("higher", False)
    assert (found["ttft.p90 during fault"].better, found["ttft.p90 during fault"].judged) == ("lower", False)
    assert found["sessions_lost"].judged
    judged = declared_tolerances(["ttft.p90 during fault=20%"], gates)
    assert by_label(judged)["ttft.p90 during fault"].judged


def test_only_what_the_user_typed_and_judges_is_marked() -> None:
    found = declared_tolerances(["ttft.p95=10%", "goodput=off"])
    assert [one.measure for one in found if one.typed] == ["ttft.p95"]
    assert not any(one.typed for one in DEFAULTS)


def test_judged_measures_come_first() -> None:
    order = [one.judged for one in declared_tolerances(["goodput=off", "wasted_tokens=5 points"])]
    assert order == sorted(order, reverse=True)


def test_a_tolerance_for_no_measure_has_no_unit() -> None:
    with pytest.raises(ValueError, match="no measure"):
        _ = Tolerance("nonsense", None, 1.0, False, "lower").unit
