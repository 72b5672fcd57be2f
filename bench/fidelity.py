"""The engine against published figures of real hardware: `python -m bench.fidelity [--short]`.

Each published point is simulated in virtual time: a closed loop with a fixed number of requests in flight, all sent at
the start, each followed by the next when it ends; prompts and outputs have the published lengths, no two prompts are
equal. As in the published runs, the first rounds are a warm-up and not measured: in them every request waits for the
prefill of all others. Throughput oscillates after that as well, so the length of the measured part is fixed.

Prints published value, simulated value and error of every figure. Exits 1 if an error exceeds the known one
(`Figure.known_error`) by more than half a percentage point: the engine or a profile got worse. `docs/fidelity.md`
documents what was fitted.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median
from typing import Final

from targets.hardware.profile import Hardware, load_hardware
from targets.replica.engine.engine import Engine, EngineRequest, Finished, FirstToken

__all__ = ["POINTS", "Figure", "Point", "Result", "compare", "simulate", "table"]

WARM_UP_PER_SLOT: Final = 2
MEASURED_PER_SLOT: Final = 5
GOAL: Final = 0.10
SLACK: Final = 0.005


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure. `measure`: a field of `Result`; `known_error`: the error left after fitting, as a share."""

    measure: str
    published: float
    known_error: float


@dataclass(frozen=True, slots=True)
class Point:
    """The published figures of one load on one hardware."""

    hardware: str
    prompt_tokens: int
    output_tokens: int
    in_flight: int
    source: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The simulated figures of a point, over all measured requests."""

    ttft_p50_ms: float
    ttft_mean_ms: float
    tpot_mean_ms: float
    output_tokens_per_s: float


TPU_RECIPES: Final = "tpu-recipes, Llama-3.3-70B on v6e-8"
NIM: Final = "NVIDIA NIM benchmark page"
NIM_8B: Final = "NVIDIA NIM benchmark page, 1.8; output length by Little's law, input length assumed"
NEURON: Final = "AWS Neuron SDK benchmarks"
NEURON_TRN1: Final = "AWS Neuron SDK benchmarks; lengths assumed"

tokens_per_s = partial(Figure, "output_tokens_per_s")
ttft_p50 = partial(Figure, "ttft_p50_ms")
ttft_mean = partial(Figure, "ttft_mean_ms")
tpot = partial(Figure, "tpot_mean_ms")

POINTS: Final = (
    Point(
        "llama-70b-tpu-v6e-8",
        1000,
        1000,
        64,
        TPU_RECIPES,
        (tokens_per_s(2495, 0.003), ttft_p50(199, 0.031), tpot(25.4, 0.0)),
    ),
    Point(
        "llama-70b-tpu-v6e-8",
        1000,
        1000,
        128,
        TPU_RECIPES,
        (tokens_per_s(3544, 0.016), ttft_p50(229, -0.047), tpot(35.1, 0.007)),
    ),
    Point("llama-70b-h100x2-fp8", 5000, 500, 1, NIM, (ttft_mean(407, -0.037), tpot(18.6, -0.002))),
    Point(
        "llama-70b-h100x2-fp8", 5000, 500, 50, NIM, (tokens_per_s(814, 0.006), ttft_mean(835, -0.089), tpot(59.7, 0.0))
    ),
    Point(
        "llama-70b-h100x2-fp8",
        5000,
        500,
        100,
        NIM,
        (tokens_per_s(917, 0.015), ttft_mean(7996, 0.084), tpot(92.9, -0.033)),
    ),
    Point("llama-8b-h100", 200, 200, 1, NIM_8B, (ttft_mean(10.3, -0.023), tpot(4.6, -0.005))),
    Point(
        "llama-8b-h100", 200, 200, 250, NIM_8B, (tokens_per_s(12_965, 0.023), ttft_mean(606, 0.05), tpot(16.1, -0.029))
    ),
    Point("llama-70b-trn2-16", 10_000, 1500, 1, NEURON, (ttft_mean(814, -0.002), tpot(19.6, -0.002))),
    Point("llama-70b-trn1-16", 1000, 1000, 1, NEURON_TRN1, (tpot(24.5, 0.0),)),
    Point("llama-70b-trn1-16", 1000, 1000, 4, NEURON_TRN1, (tpot(28.4, -0.007),)),
)


def simulate(point: Point, hardware: Hardware) -> Result:
    """Simulate a point on `hardware`."""
    engine = Engine(
        hardware.step_cost(),
        hardware.kv_tokens,
        max_sequences=hardware.max_sequences,
        step_tokens=hardware.step_tokens,
        reserve_full_length=hardware.reserve_full_length,
    )
    overhead_s, off_path_s = hardware.request_overhead_ms / 1e3, hardware.token_overhead_us / 1e6
    blocks = (point.prompt_tokens + point.output_tokens) // 16
    first_measured, end = WARM_UP_PER_SLOT * point.in_flight, (WARM_UP_PER_SLOT + MEASURED_PER_SLOT) * point.in_flight
    due = deque((0.0, number) for number in range(point.in_flight))  # (send time, number), in order
    sent: dict[str, float] = {}
    firsts: dict[str, float] = {}
    ttfts: list[float] = []
    tpots: list[float] = []
    now = 0.0
    sent_at: list[float] = []
    started = len(due)
    while len(tpots) < end - first_measured or len(sent_at) <= end:
        next_at = engine.next_event_at()
        if due and (next_at is None or due[0][0] + overhead_s <= next_at):
            at, number = due.popleft()
            now = max(now, at + overhead_s)
            sent_at.append(at)
            hashes = range(number * blocks, (number + 1) * blocks)
            engine.submit(now, EngineRequest(str(number), hashes, point.prompt_tokens, point.output_tokens))
            sent[str(number)] = at
            continue
        assert next_at is not None, "a closed loop always has a request in flight or due"
        now = next_at
        for event in engine.advance(now, tokens=False):
            if isinstance(event, FirstToken):
                firsts.setdefault(event.id, event.at + off_path_s)
            elif isinstance(event, Finished):
                done = event.at + off_path_s
                sent_s, first = sent.pop(event.id), firsts.pop(event.id)
                if first_measured <= int(event.id) < end:
                    ttfts.append(first - sent_s)
                    tpots.append((done - first) / (point.output_tokens - 1))
                due.append((done, started))
                started += 1
    # over whole rounds of the loop, because throughput oscillates within a round
    tokens_per_s = (end - first_measured) * point.output_tokens / (sent_at[end] - sent_at[first_measured])
    return Result(1e3 * median(ttfts), 1e3 * fmean(ttfts), 1e3 * fmean(tpots), tokens_per_s)


def compare(points: Sequence[Point] = POINTS) -> list[tuple[Point, Figure, float, float]]:
    """Every figure with its simulated value and its error (a share; positive: simulated above published)."""
    compared = []
    for point in points:
        result = simulate(point, load_hardware(point.hardware))
        for figure in point.figures:
            simulated = getattr(result, figure.measure)
            compared.append((point, figure, simulated, simulated / figure.published - 1))
    return compared


def table(compared: Sequence[tuple[Point, Figure, float, float]]) -> str:
    """The comparison, one line per figure."""
    lines = [
        f"{'hardware':<21} {'in/out':>11} {'load':>5} {'measure':<20} {'published':>10} {'simulated':>10} {'error':>8}",
        "-" * 91,
    ]
    for point, figure, simulated, error in compared:
        mark = "" if abs(error) <= GOAL else "  above 10 %"
        worse = "  WORSE than the known error" if abs(error) > abs(figure.known_error) + SLACK else ""
        lines.append(
            f"{point.hardware:<21} {f'{point.prompt_tokens}/{point.output_tokens}':>11} {point.in_flight:>5} "
            f"{figure.measure:<20} {figure.published:>10,.1f} {simulated:>10,.1f} {100 * error:>+7.1f}%{mark}{worse}"
        )
    within = sum(abs(error) <= GOAL for *_, error in compared)
    lines += ["-" * 91, f"{within} of {len(compared)} figures within 10 %"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 1 if an error grew, else 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.fidelity", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="only points with one request in flight")
    short = parser.parse_args(arguments).short
    compared = compare([point for point in POINTS if not short or point.in_flight == 1])
    print(table(compared))
    return int(any(abs(error) > abs(figure.known_error) + SLACK for _, figure, _, error in compared))


if __name__ == "__main__":
    sys.exit(main())
