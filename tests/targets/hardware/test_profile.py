"""Hardware profiles: those that ship are complete; every mistake in one is reported."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reports.shared.errors import InvalidFile, UserError
from targets.hardware.profile import HARDWARE, hardware_names, load_hardware, read_hardware
from targets.replica.engine.engine import Engine, EngineRequest, Finished

GOOD = (HARDWARE / "llama-70b-tpu-v6e-8.yaml").read_text()


def test_the_documented_profiles_ship() -> None:
    assert {
        "llama-70b-h100x2-fp8",
        "llama-70b-h100x4",
        "llama-70b-h100x8",
        "llama-70b-h200x4",
        "llama-70b-tpu-v5e-16",
        "llama-70b-tpu-v6e-8",
        "llama-70b-trn2-16",
        "llama-8b-h100",
        "llama-8b-h200",
        "llama-8b-tpu-v6e-1",
    } <= set(hardware_names())


@pytest.mark.parametrize("name", hardware_names())
def test_a_shipped_profile_can_serve_and_names_the_origin_of_its_figures(name: str) -> None:
    hardware = load_hardware(name)
    assert hardware.name == name
    assert any(word in hardware.source for word in ("fitted", "derived", "assumed"))
    assert hardware.usd_per_hour == pytest.approx(hardware.chips * hardware.usd_per_chip_hour)
    assert len(hardware.price_date) == 10
    engine = Engine(
        hardware.step_cost(),
        hardware.kv_tokens,
        max_sequences=hardware.max_sequences,
        step_tokens=hardware.step_tokens,
        reserve_full_length=hardware.reserve_full_length,
    )
    engine.submit(0.0, EngineRequest("a", range(1250), 18_000, 2_000))
    events = engine.advance(3600.0, tokens=False)
    assert isinstance(events[-1], Finished)
    assert 5 < events[-1].at < 120  # 2,000 tokens at 2.5 to 60 ms each


def test_the_step_cost_is_in_seconds() -> None:
    cost = replace(load_hardware("llama-70b-tpu-v6e-8"), a_ms=15.7, b_us=48, b2_ns=1, c_us=30, d_ns=49).step_cost()
    assert (cost.a_s, cost.b_s, cost.b2_s, cost.c_s, cost.d_s) == pytest.approx((0.0157, 48e-6, 1e-9, 30e-6, 49e-9))


def test_an_unknown_name_is_rejected_with_the_closest_one() -> None:
    with pytest.raises(UserError, match=r'no hardware profile "tpu-v6e-8"\n +did you mean "llama-70b-tpu-v6e-8"\?'):
        load_hardware("tpu-v6e-8")


def test_every_mistake_in_a_profile_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    lines = [line for line in GOOD.splitlines() if not line.startswith(("kv_tokens", "step_tokens", "chips", "a_ms"))]
    path.write_text(
        "chips: 2.5\na_ms: 0\nd_nz: 3\nstep_tokens: 100\n" + "\n".join(lines).replace("\nb_us: ", "\nb_us: -")
    )
    with pytest.raises(InvalidFile) as caught:
        read_hardware(path)
    reported = {problem.line: problem.what for problem in caught.value.problems}
    assert "2.5 is not a whole number from 1" in reported[1]
    assert "more than 0" in reported[2]
    assert 'unknown key "d_nz"' in reported[3]
    assert reported[0] == "kv_tokens is missing"
    assert any("b_us" in what and "not a number from 0" in what for what in reported.values())
    remedies = {problem.line: problem.remedy for problem in caught.value.problems}
    assert remedies[3] == 'did you mean "d_ns"?'


def test_a_step_budget_below_the_batch_size_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("step_tokens: 1024", "step_tokens: 255"))
    with pytest.raises(InvalidFile, match="255 tokens per step are too few for 256 sequences"):
        read_hardware(path)


def test_reading_a_profile_imports_no_heavy_package() -> None:
    code = (
        "import sys; from targets.hardware.profile import load_hardware, hardware_names; "
        "[load_hardware(name) for name in hardware_names()]; "
        "print([name for name in ('pydantic', 'numpy', 'scipy', 'duckdb', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
