"""The engine against published figures of real hardware: `python -m bench.fidelity [--short]`.

Each published point is played through the engine in virtual time: a closed loop with so many requests in flight, all at
once at the beginning, each followed by the next as soon as it ends, prompts and outputs of the published lengths,
no two prompts alike. Measured is what follows the first rounds of the loop, as the published runs do: in them everybody
waits for everybody's prompt. The loop keeps swinging after that, so the length of the run matters and is fixed.

Prints published, simulated and error of every figure. Exits 1 where an error is larger than the one written down here
(`Figure.known_error`, by more than half a percentage point): the engine or a profile got worse. `docs/fidelity.md` says
what was fitted.
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

from targets.hardware import Hardware, load_hardware
from targets.replica.engine.engine import Engine, EngineRequest, Finished, FirstToken

__all__ = ["POINTS", "Figure", "Point", "Result", "compare", "play", "table"]

WARM_UP_PER_SLOT: Final = 2
MEASURED_PER_SLOT: Final = 5
GOAL: Final = 0.10
SLACK: Final = 0.005


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure: `measure` is a field of `Result`, `known_error` what is left after fitting, as a share."""

    measure: str
    published: float
    known_error: float


@dataclass(frozen=True, slots=True)
class Point:
    """Figures published for one load on one piece of hardware."""

    hardware: str
    prompt_tokens: int
    output_tokens: int
    in_flight: int
    source: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A played point. Times in milliseconds, of all requests of the run."""

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


def play(point: Point, hardware: Hardware) -> Result:
    """Plays a point on `hardware`."""
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
    due = deque((0.0, number) for number in range(point.in_flight))  # when sent, in order
    sent: dict[str, float] = {}
    firsts: dict[str, float] = {}
    ttfts: list[float] = []
    tpots: list[float] = []
    now = 0.0
    begun: list[float] = []
    started = len(due)
    while len(tpots) < end - first_measured or len(begun) <= end:
        soon = engine.next_event_at()
        if due and (soon is None or due[0][0] + overhead_s <= soon):
            at, number = due.popleft()
            now = max(now, at + overhead_s)
            begun.append(at)
            hashes = range(number * blocks, (number + 1) * blocks)
            engine.submit(now, EngineRequest(str(number), hashes, point.prompt_tokens, point.output_tokens))
            sent[str(number)] = at
            continue
        assert soon is not None, "a closed loop is never idle with nothing due"
        now = soon
        for event in engine.advance(now, tokens=False):
            if isinstance(event, FirstToken):
                firsts.setdefault(event.id, event.at + off_path_s)
            elif isinstance(event, Finished):
                done = event.at + off_path_s
                asked, first = sent.pop(event.id), firsts.pop(event.id)
                if first_measured <= int(event.id) < end:
                    ttfts.append(first - asked)
                    tpots.append((done - first) / (point.output_tokens - 1))
                due.append((done, started))
                started += 1
    # from the first request measured to the one in the same place of the loop after them: whole rounds, for they swing
    tokens_per_s = (end - first_measured) * point.output_tokens / (begun[end] - begun[first_measured])
    return Result(1e3 * median(ttfts), 1e3 * fmean(ttfts), 1e3 * fmean(tpots), tokens_per_s)


def compare(points: Sequence[Point] = POINTS) -> list[tuple[Point, Figure, float, float]]:
    """Every figure with its simulated value and error (as a share, positive where the simulation is above)."""
    compared = []
    for point in points:
        result = play(point, load_hardware(point.hardware))
        for figure in point.figures:
            simulated = getattr(result, figure.measure)
            compared.append((point, figure, simulated, simulated / figure.published - 1))
    return compared


def table(compared: Sequence[tuple[Point, Figure, float, float]]) -> str:
    """The comparison, a line a figure."""
    lines = [
        f"{'hardware':<21} {'in/out':>11} {'load':>5} {'measure':<20} {'published':>10} {'simulated':>10} {'error':>8}",
        "-" * 91,
    ]
    for point, figure, simulated, error in compared:
        mark = "" if abs(error) <= GOAL else "  over 10 %"
        worse = "  WORSE than written down" if abs(error) > abs(figure.known_error) + SLACK else ""
        lines.append(
            f"{point.hardware:<21} {f'{point.prompt_tokens}/{point.output_tokens}':>11} {point.in_flight:>5} "
            f"{figure.measure:<20} {figure.published:>10,.1f} {simulated:>10,.1f} {100 * error:>+7.1f}%{mark}{worse}"
        )
    within = sum(abs(error) <= GOAL for *_, error in compared)
    lines += ["-" * 91, f"{within} of {len(compared)} figures within 10 %"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table. 0, or 1 where an error grew."""
    parser = argparse.ArgumentParser(prog="python -m bench.fidelity", description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="only points with one request in flight")
    short = parser.parse_args(arguments).short
    compared = compare([point for point in POINTS if not short or point.in_flight == 1])
    print(table(compared))
    return int(any(abs(error) > abs(figure.known_error) + SLACK for _, figure, _, error in compared))


if __name__ == "__main__":
    sys.exit(main())
