"""Stack files: clouds, pools, replicas, hardware, prices and the gateway's policies.

    brownout: 1
    name: multi-cloud
    title: three clouds, three kinds of chip, every policy on
    model: llama-3.3-70b
    pools:
      tpu: {cloud: gcp, hardware: llama-70b-tpu-v6e-8, replicas: 2, usd_per_hour: 21.6}
    gateway:
      policies: {migration: null}

A pool with `reserve: 45s` does not start with the stack: an operator adds it, and its replicas are ready after this
cold start. A pool's price defaults to that of its hardware. Durations under `gateway` may be written as `3s`. Imports
pydantic: for the runner only, not for a process of the stack.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from reports.shared.documents import (
    Duration,
    FormatVersion,
    Mistake,
    did_you_mean,
    document_names,
    duration_s,
    find_document,
    read_document,
    validate,
)
from reports.shared.errors import InvalidFile, Problem
from targets.gateway.config import GatewayPolicies
from targets.hardware.profile import hardware_names, load_hardware

__all__ = ["MAX_REPLICAS", "STACKS", "Pool", "Replica", "Stack", "load_stack", "stack_names"]

STACKS: Final = Path(__file__).with_name("stacks")

CONTEXT_LIMIT_TOKENS: Final = 200_000
"""A usual limit for coding agents. Llama 3.x was trained to 131,072 and supports more with scaled positions."""

MAX_REPLICAS: Final = 64
"""Limit of replicas: each is a process on this machine."""

_NAME: Final = r"^[a-z][a-z0-9-]*$"


@dataclass(frozen=True, slots=True)
class Pool:
    """Equal replicas in one cloud. `usd_per_hour` is the price of one replica with all its chips.

    `reserve_s`: None for a pool that starts with its stack; else the cold start of its replicas when it is added.
    """

    name: str
    cloud: str
    hardware: str
    replicas: int
    chips: int
    usd_per_hour: float
    reserve_s: float | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica of a stack; `name` is `<pool>-<n>`, n from 0. `usd_per_hour` is the price of all its chips."""

    name: str
    pool: str
    cloud: str
    hardware: str
    chips: int
    usd_per_hour: float


@dataclass(frozen=True)
class Stack:
    """A stack with all defaults filled in. `gateway` contains the policies of its gateway.

    `pools` and `replicas` are those that run from the start; `reserve` has the pools that an operator can add.
    `context_limit`: maximum tokens of prompt and answer together. A replica with a smaller cache accepts what fits.
    """

    name: str
    title: str
    model: str
    clouds: tuple[str, ...]
    pools: tuple[Pool, ...]
    gateway: GatewayPolicies
    context_limit: int = CONTEXT_LIMIT_TOKENS
    reserve: tuple[Pool, ...] = ()

    @cached_property
    def replicas(self) -> list[Replica]:
        """The replicas that run, in the order of the file."""
        return _replicas(self.pools)

    @cached_property
    def reserve_replicas(self) -> list[Replica]:
        """The replicas of the reserve, which do not run."""
        return _replicas(self.reserve)

    def with_added(self, names: Collection[str]) -> Stack:
        """The stack after these pools of the reserve were added."""
        added = tuple(pool for pool in self.reserve if pool.name in names)
        left = tuple(pool for pool in self.reserve if pool.name not in names)
        return replace(self, pools=(*self.pools, *added), reserve=left)

    def resolved(self, *, policies: bool = True) -> dict[str, Any]:
        """Returns the stack in the format of a run's record (`docs/wire.md`).

        `policies`: whether the reference gateway, which has these policies, is in front of the replicas.
        """
        return {
            "name": self.name,
            "title": self.title,
            "model": self.model,
            "context_limit": self.context_limit,
            "replicas": [asdict(replica) for replica in self.replicas],
            **({"reserve": [asdict(replica) for replica in self.reserve_replicas]} if self.reserve else {}),
            **({"gateway": {"policies": _plain(asdict(self.gateway))}} if policies else {}),
        }


def _replicas(pools: Iterable[Pool]) -> list[Replica]:
    return [
        Replica(f"{pool.name}-{n}", pool.name, pool.cloud, pool.hardware, pool.chips, pool.usd_per_hour)
        for pool in pools
        for n in range(pool.replicas)
    ]


def _plain(value: Any) -> Any:
    """Returns `value` with lists in place of tuples, as in JSON and YAML."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _seconds(value: Any) -> Any:
    """Returns the gateway's settings with `3s` as 3.0, and with tuples in place of lists, as the policies have them.

    Keys that end in `_s` are seconds, but in `_per_s` rates.
    """
    if isinstance(value, list):
        return tuple(_seconds(entry) for entry in value)
    if not isinstance(value, Mapping):
        return value
    converted: dict[Any, Any] = {}
    for key, entry in value.items():
        converted[key] = _seconds(entry)
        if isinstance(entry, str) and str(key).endswith("_s") and not str(key).endswith("_per_s"):
            with contextlib.suppress(Mistake):  # left as text: validation reports it with its line
                converted[key] = duration_s(entry)
    return converted


def _known_hardware(name: str) -> str:
    names = hardware_names()
    if name not in names:
        raise Mistake(f'there is no hardware profile "{name}"', did_you_mean(name, names))
    return name


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Pool(_Model):
    cloud: str = Field(pattern=_NAME, description="cloud of the pool, as gcp")
    hardware: Annotated[
        str, BeforeValidator(lambda value: _known_hardware(value) if isinstance(value, str) else value)
    ] = Field(description="hardware profile of one replica, as llama-70b-tpu-v6e-8")
    replicas: int = Field(default=1, ge=1, le=MAX_REPLICAS, description="number of replicas")
    usd_per_hour: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="price of one replica; default: that of its hardware"
    )
    reserve: Duration | None = Field(
        default=None,
        le=600,
        description="not started with the stack: an operator adds it, with this cold start, as 45s",
    )


class _Gateway(_Model):
    policies: Annotated[GatewayPolicies, BeforeValidator(_seconds)] = GatewayPolicies()


class StackFile(_Model):
    """A stack file."""

    brownout: FormatVersion = Field(description="version of the format: 1")
    name: str = Field(pattern=_NAME, description="short name in lower case, as multi-cloud")
    title: str = Field(default="", description="description in one line")
    model: str = Field(min_length=1, description="model that it serves, as llama-3.3-70b")
    context_limit: int = Field(
        default=CONTEXT_LIMIT_TOKENS, ge=16, le=10_000_000, description="maximum tokens of prompt and answer together"
    )
    clouds: list[Annotated[str, Field(pattern=_NAME)]] | None = Field(
        default=None, description="clouds that pools may use; default: those of the pools"
    )
    pools: dict[Annotated[str, Field(pattern=_NAME)], _Pool] = Field(min_length=1, description="pools by name")
    gateway: _Gateway = _Gateway()


def stack_names() -> list[str]:
    """Returns the names of the stacks that ship."""
    return document_names(STACKS)


def load_stack(name_or_path: str | Path, *, base: Path | None = None) -> Stack:
    """Loads a stack: one that ships, by name, or a file, by path (relative to `base`, then to the working directory).

    Raises `reports.shared.documents.NotFound`, or `reports.shared.errors.InvalidFile` with all mistakes of the file.
    """
    document = read_document(find_document(name_or_path, STACKS, kind="stack", base=base))
    file = validate(document, StackFile)
    problems: list[Problem] = []
    for name, pool in file.pools.items():
        if file.clouds is not None and pool.cloud not in file.clouds:
            what = f'pool "{name}": "{pool.cloud}" is not one of the clouds of this stack'
            problems.append(document.problem(("pools", name, "cloud"), what, did_you_mean(pool.cloud, file.clouds)))
        only_cloud = load_hardware(pool.hardware).cloud
        if only_cloud is not None and pool.cloud != only_cloud:
            what = f'pool "{name}": {pool.hardware} is not available in "{pool.cloud}"'
            problems.append(
                document.problem(("pools", name, "cloud"), what, f"write cloud: {only_cloud}, or use other hardware")
            )
    count = sum(pool.replicas for pool in file.pools.values())
    if count > MAX_REPLICAS:
        what = f"{count} replicas exceed the limit of {MAX_REPLICAS}: each is a process on this machine"
        problems.append(document.problem(("pools",), what, "use fewer replicas or pools"))
    if all(pool.reserve is not None for pool in file.pools.values()):
        what = "every pool is a reserve, so that nothing runs"
        problems.append(document.problem(("pools",), what, "remove reserve: from a pool"))
    if problems:
        raise InvalidFile(problems)
    pools = [_pool(name, pool) for name, pool in file.pools.items()]
    clouds = file.clouds if file.clouds is not None else list(dict.fromkeys(pool.cloud for pool in file.pools.values()))
    return Stack(
        name=file.name,
        title=file.title,
        model=file.model,
        clouds=tuple(clouds),
        pools=tuple(pool for pool in pools if pool.reserve_s is None),
        reserve=tuple(pool for pool in pools if pool.reserve_s is not None),
        gateway=file.gateway.policies,
        context_limit=file.context_limit,
    )


def _pool(name: str, pool: _Pool) -> Pool:
    hardware = load_hardware(pool.hardware)
    price = hardware.usd_per_hour if pool.usd_per_hour is None else pool.usd_per_hour
    return Pool(name, pool.cloud, pool.hardware, pool.replicas, hardware.chips, price, pool.reserve)
