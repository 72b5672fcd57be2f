"""A hardware profile: what a model needs on the chips of one replica. One YAML file each, beside this module.

hardware = load_hardware("llama-70b-tpu-v6e-8")
Engine(hardware.step_cost(), hardware.kv_tokens, max_sequences=hardware.max_sequences, ...)
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
from targets.hardware.step_cost import StepCost

__all__ = ["HARDWARE", "Hardware", "hardware_names", "load_hardware", "read_hardware"]

HARDWARE: Final = Path(__file__).parent
"""The folder of the profiles."""


@dataclass(frozen=True)
class Hardware:
    """A model on the chips of one replica. `a_ms` to `b2_ns` are the coefficients of `targets.hardware.step_cost`."""

    name: str
    title: str
    chips: int
    a_ms: float  # per step
    b_us: float  # per prefill token
    c_us: float  # per decoding sequence of a step
    d_ns: float  # per context token of a decoding sequence of a step
    kv_tokens: int  # size of the KV cache
    usd_per_chip_hour: float
    price_source: str
    price_date: str  # the day on which the price was read, as 2026-11-23
    source: str  # origin of the figures: fitted, derived or assumed
    b2_ns: float = 0.0  # per pair of a prefill token and a token before it
    max_sequences: int = 256  # maximum in the batch
    step_tokens: int = 2048  # token budget of a step, prefill and decode
    reserve_full_length: bool = False  # reserve KV blocks for prompt and whole output on admission
    request_overhead_ms: float = 0.0  # per request, before the queue
    token_overhead_us: float = 0.0  # per output token, outside the engine
    cloud: str | None = None  # the only cloud that offers it; None: any

    @property
    def usd_per_hour(self) -> float:
        """Price of one replica with all its chips."""
        return self.chips * self.usd_per_chip_hour

    def step_cost(self) -> StepCost:
        """The coefficients in seconds."""
        return StepCost(
            a_s=self.a_ms / 1e3, b_s=self.b_us / 1e6, b2_s=self.b2_ns / 1e9, c_s=self.c_us / 1e6, d_s=self.d_ns / 1e9
        )


def hardware_names() -> list[str]:
    """The names of all profiles, sorted."""
    return document_names(HARDWARE)


@cache
def load_hardware(name: str) -> Hardware:
    """Returns a profile by name. Raises `UserError` for an unknown name, `InvalidFile` for an invalid file."""
    names = hardware_names()
    if name not in names:
        raise UserError(f'there is no hardware profile "{name}"\n    {did_you_mean(name, names)}')
    return read_hardware(HARDWARE / f"{name}.yaml")


def read_hardware(path: Path) -> Hardware:
    """Reads a profile; its name is the file's. Raises `InvalidFile` with every mistake in the file."""
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
    problems += [Problem(document.file, 0, f"{key} is missing", "every profile needs it") for key in missing]
    if not problems:
        problems = _check_budget(document, values)
    if problems:
        raise InvalidFile(problems)
    return Hardware(name=path.stem, **values)


def _checked(key: str, kind: str, value: Any) -> Any:
    """Returns `value` in the type of the field. Raises `ValueError` with a message for the user."""
    if kind.startswith("str"):
        if isinstance(value, datetime.date):
            return value.isoformat()
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{value!r} is not text")
        return value.strip()
    if kind == "bool":
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is not true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    least = 1 if kind == "int" else 0
    if not math.isfinite(value) or value < least or (kind == "int" and not isinstance(value, int)):
        raise ValueError(f"{value!r} is not {'a whole number from 1' if kind == 'int' else 'a number from 0'}")
    if key == "a_ms" and value == 0:
        raise ValueError("a step takes time: it must be more than 0")
    return int(value) if kind == "int" else float(value)


def _check_budget(document: Document, values: dict[str, Any]) -> list[Problem]:
    """A step must have a token for each sequence of the batch."""
    sequences, budget = values.get("max_sequences", 256), values.get("step_tokens", 2048)
    if budget >= sequences:
        return []
    what = f"step_tokens: {budget} tokens per step are too few for {sequences} sequences, one token each"
    return [document.problem(("step_tokens",), what, "raise step_tokens or lower max_sequences")]
