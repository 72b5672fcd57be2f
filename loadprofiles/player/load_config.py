"""The configuration of a load (`BROWNOUT_CONFIG` in `docs/wire.md`), decoded strictly by msgspec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from loadprofiles.arrivals import ArrivalsSpec
from loadprofiles.client.endpoint import environment_problem
from loadprofiles.client.records import ClientOptions
from loadprofiles.demand import Demand, Order, extra_times
from loadprofiles.draws import Draws
from loadprofiles.replay import Trace, open_trace, plan_trace
from loadprofiles.sessions.conversation import sessions, sessions_at
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.session import SessionPlan, share_of_worker
from reports.shared.errors import InvalidFile, Problem, UserError

__all__ = ["FromEnvironment", "LoadConfig", "Slo", "read_load_config"]


class Slo(Struct, frozen=True, forbid_unknown_fields=True):
    """Latency bounds of a good call, in seconds. None: no bound."""

    ttft_s: float | None = None
    tpot_s: float | None = None


class FromEnvironment(Struct, frozen=True, forbid_unknown_fields=True):
    """A value that the environment variable `env` holds. Only its name is written into files."""

    env: str


class LoadConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The complete configuration of a load: its target, its sessions, its duration.

    `api` None: the profile's. `api_key_env` names the environment variable that holds the key. `trace`: replay these
    recordings instead of the profile's sessions, `{"dir": folder or file, "format": ..., and options of
    `replay.TraceOptions`}`. `horizon_s`: no session starts later. `drain_s`: time that running sessions get to end.
    `provable`: whether the target's tokens can be checked; None: decided by the first answers (`judge.Provability`).
    `headers`, `max_tokens_field`, `tools`, `stream_options`: see `ClientOptions`.
    `scale` multiplies the rate of arrivals, and with it what demand faults add. `arrivals`: start times in place of the
    profile's or the trace's.
    `idle_s`: silence after which the client closes the connection. `allow_remote`: the user has allowed calls to hosts
    other than this machine.
    """

    url: str
    model: str
    profile: Profile
    run: str
    api: str | None = None
    api_key_env: str | None = None
    trace: dict[str, object] | None = None
    seed: int = 7
    horizon_s: float = 3600.0
    drain_s: float = 30.0
    slo: Slo = Slo()
    provable: bool | None = None
    idle_s: float | None = None
    allow_remote: bool = False
    headers: dict[str, str | FromEnvironment] = {}
    max_tokens_field: str | None = None
    tools: bool = True
    stream_options: bool = True
    scale: float = 1.0
    arrivals: ArrivalsSpec | None = None

    @property
    def agent_name(self) -> str:
        """`gen_ai.agent.name` of the load's agents: the profile's name without `-ci`."""
        return self.profile.name.removesuffix("-ci")

    def client_options(self, environment: Mapping[str, str] = os.environ) -> ClientOptions:
        """The client's options.

        Raises `UserError` for an environment variable that is not set, or whose value cannot be sent in a header.
        """
        key = _from_environment("key_env", self.api_key_env, environment) if self.api_key_env is not None else None
        headers = {
            name: _from_environment(f"the header {name}", value.env, environment)
            if isinstance(value, FromEnvironment)
            else value
            for name, value in self.headers.items()
        }
        client = self.profile.client
        return ClientOptions(
            url=self.url,
            model=self.model,
            api=self.api or client.api,
            retries=client.retries,
            timeout_s=client.timeout_s,
            connect_timeout_s=client.connect_timeout_s,
            idle_s=self.idle_s,
            api_key=key,
            provable=self.provable,
            allow_remote=self.allow_remote,
            headers=tuple(headers.items()),
            max_tokens_field=self.max_tokens_field,
            tools=self.tools,
            stream_options=self.stream_options,
        )

    def plans(self, worker: int = 0, workers: int = 1) -> Iterator[SessionPlan]:
        """The sessions of worker `worker` of `workers`. Raises `UserError` for traces that cannot be read."""
        return share_of_worker(self._sessions(self.seed, self.run), worker, workers)

    def extra_plans(self, demand: Demand, from_s: float, worker: int = 0, workers: int = 1) -> Iterator[SessionPlan]:
        """This worker's share of the sessions that a demand adds from `from_s` on (seconds since the load's start)."""
        extra = demand.extra_sessions(self.profile)
        if extra is None:
            return iter(())
        order = demand.order
        run = f"{self.run}-{_number_of(order)}"
        base = (plan.start_at_s for plan in self._sessions(self.seed, self.run))
        times = extra_times(base, extra.growth, from_s)
        if self.trace is None:
            plans = sessions_at(self.profile, times, Draws(order.seed).of("demand", order.id), run)
        else:
            played = self._sessions(Draws(order.seed).bits("demand", order.id), run)
            plans = (replace(plan, start_at_s=at) for plan, at in zip(played, times, strict=False))
        fault = order.id if demand.marked else ""
        plans = (replace(plan, fault=fault) for plan in share_of_worker(plans, worker, workers))
        tenant = self.profile.tenant(extra.tenant) if extra.tenant is not None else None
        if tenant is None:
            return plans
        return (replace(plan, tenant=tenant.name, tier=tenant.tier) for plan in plans)

    def _sessions(self, seed: int, run: str) -> Iterator[SessionPlan]:
        arrivals = self.arrivals or self.profile.arrivals
        scaled = arrivals if self.scale == 1 else arrivals.scaled(self.scale)
        if self.trace is None:
            return sessions(replace(self.profile, arrivals=scaled), seed, run)
        plans = plan_trace(self.recordings(), seed, run, self.scale)
        if self.arrivals is None:
            return plans
        times = scaled.arrivals(Draws(seed).of("arrivals"))
        return (replace(plan, start_at_s=at) for plan, at in zip(plans, times, strict=False))

    def recordings(self) -> Trace:
        """The trace to replay. Raises `UserError`.

        It is cached: a surge in mid-run must not delay the load by reading the trace again.
        """
        options = dict(self.trace or {})
        return _read(str(options.pop("dir", "")), msgspec.json.encode(options))


def _number_of(order: Order) -> int:
    """Nine digits that stand for an order in the ids of its sessions: servers see those, and an order's id can tell."""
    return 10**8 + Draws(order.seed).bits("session ids", order.id) % (9 * 10**8)


def _from_environment(what: str, name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name)
    problem = environment_problem(name, value)
    if value is None or problem:
        raise UserError(f"{what}: {problem}")
    return value


@lru_cache(4)
def _read(path: str, options: bytes) -> Trace:
    return open_trace(path, msgspec.json.decode(options))


def read_load_config(path: Path | str) -> LoadConfig:
    """Reads a configuration from a JSON file. Raises `InvalidFile`."""
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=LoadConfig)
    except OSError as error:
        raise InvalidFile([Problem(str(path), 0, f"cannot be read: {error.strerror}")]) from None
    except msgspec.DecodeError as error:
        raise InvalidFile([Problem(str(path), 0, str(error), "see docs/wire.md")]) from None
