"""What a model needs on some hardware: one YAML file a profile, beside this module.

    hardware = load_hardware("llama-70b-tpu-v6e-8")
    Engine(hardware.step_cost(), hardware.kv_tokens, max_sequences=hardware.max_sequences, ...)

A profile is a model on a number of chips that serve one replica. Each file says in `source` which of its figures are
fitted to published measurements, which are derived from peak figures and which are assumed; `docs/fidelity.md` has the
errors that are left.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

from reports.shared.documents import Document, did_you_mean, document_names, read_document
from reports.shared.errors import InvalidFile, Problem, UserError
from targets.replica.engine.cost import StepCost

__all__ = ["HARDWARE", "Hardware", "hardware_names", "load_hardware", "read_hardware"]

HARDWARE: Final = Path(__file__).parent
"""Where the profiles are."""


@dataclass(frozen=True)
class Hardware:
    """A model on the chips of one replica. The step's coefficients are those of `targets.replica.engine.cost`."""

    name: str
    title: str
    chips: int
    a_ms: float  # a step
    b_us: float  # a prefill token
    c_us: float  # a decoding sequence in a step
    d_ns: float  # a token of context of a decoding sequence in a step
    kv_tokens: int  # size of the KV cache
    usd_per_chip_hour: float
    price_source: str
    price_date: str  # the day on which the price was noted, as 2026-11-23
    source: str  # where the figures come from: fitted, derived or assumed
    b2_ns: float = 0.0  # a prefill token and token before it
    max_sequences: int = 256  # in the batch
    step_tokens: int = 2048  # budget of a step, prefill and decode
    reserve_full_length: bool = False  # room for prompt and whole output is set aside on admission
    request_overhead_ms: float = 0.0  # a request, before the queue
    token_overhead_us: float = 0.0  # an output token, off the engine's path
    cloud: str | None = None  # where it can only be had in one

    @property
    def usd_per_hour(self) -> float:
        """Price of one replica."""
        return self.chips * self.usd_per_chip_hour

    def step_cost(self) -> StepCost:
        """The coefficients in seconds, as the engine takes them."""
        return StepCost(
            a_s=self.a_ms / 1e3, b_s=self.b_us / 1e6, b2_s=self.b2_ns / 1e9, c_s=self.c_us / 1e6, d_s=self.d_ns / 1e9
        )


def hardware_names() -> list[str]:
    """The names of all profiles, sorted."""
    return document_names(HARDWARE)


@cache
def load_hardware(name: str) -> Hardware:
    """A profile by its name. Raises `UserError` where there is none, `InvalidFile` where its file is wrong."""
    names = hardware_names()
    if name not in names:
        raise UserError(f'there is no hardware profile "{name}"\n    {did_you_mean(name, names)}')
    return read_hardware(HARDWARE / f"{name}.yaml")


def read_hardware(path: Path) -> Hardware:
    """A profile from a file, whose name is the profile's. Raises `InvalidFile` with every mistake in it."""
    document = read_document(path)
    known = {field.name: field for field in fields(Hardware) if field.name != "name"}
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in document.data.items():
        if key not in known:
            problems.append(document.problem((key,), f'unknown key "{key}"', did_you_mean(key, known)))
            continue
        try:
            values[key] = _checked(key, str(known[key].type), value)
        except ValueError as error:
            problems.append(document.problem((key,), f"{key}: {error}"))
    missing = [key for key, field in known.items() if field.default is MISSING and key not in document.data]
    problems += [Problem(document.file, 0, f"{key} is missing", "every profile has it") for key in missing]
    if not problems:
        problems = _contradictions(document, values)
    if problems:
        raise InvalidFile(problems)
    return Hardware(name=path.stem, **values)


def _checked(key: str, kind: str, value: Any) -> Any:
    """`value` as the field's type. Raises `ValueError` in the user's words."""
    if kind.startswith("str"):
        if isinstance(value, datetime.date):
            return value.isoformat()
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{value!r} is not text")
        return value.strip()
    if kind == "bool":
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither true nor false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    least = 1 if kind == "int" else 0
    if not math.isfinite(value) or value < least or (kind == "int" and value != int(value)):
        raise ValueError(f"{value!r} is not {'a whole number from 1' if kind == 'int' else 'a number from 0'}")
    if key == "a_ms" and value == 0:
        raise ValueError("a step takes time: give more than 0")
    return int(value) if kind == "int" else float(value)


def _contradictions(document: Document, values: dict[str, Any]) -> list[Problem]:
    sequences, budget = values.get("max_sequences", 256), values.get("step_tokens", 2048)
    if budget >= sequences:
        return []
    what = f"step_tokens: {budget} tokens a step are fewer than {sequences} sequences, each of which needs one"
    return [document.problem(("step_tokens",), what, "raise step_tokens or lower max_sequences")]
