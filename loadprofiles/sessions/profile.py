"""A resolved profile: every default filled in, ready to be played, encoded as JSON and decoded by msgspec.

These are plain dataclasses, because the Locust process decodes them and must not import pydantic. Profile files are
read by `loadprofiles.sessions.profile_file`. Tokens are whole numbers, times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from loadprofiles.arrivals import ArrivalsSpec
from loadprofiles.draws import Distribution

__all__ = ["Client", "Compaction", "Profile", "SubAgents", "Tenant", "Thinking"]


@dataclass(frozen=True, slots=True)
class Client:
    """The emulated client. `retries` names a policy of `loadprofiles.retries`."""

    api: Literal["openai", "anthropic"] = "openai"
    retries: str = "openai-sdk"
    timeout_s: float = 600.0
    connect_timeout_s: float = 5.0
    stream: bool = True


@dataclass(frozen=True, slots=True)
class SubAgents:
    """A `share` (0 to 1) of the sessions fans out once, to `count` concurrent agents with `calls` calls each."""

    share: float
    count: Distribution
    calls: Distribution
    own_prefix: Distribution


@dataclass(frozen=True, slots=True)
class Thinking:
    """A `share` (0 to 1) of the calls thinks before it answers, with its own, much longer `output`."""

    share: float
    output: Distribution


@dataclass(frozen=True, slots=True)
class Compaction:
    """A conversation longer than `above_tokens` is summarised by a separate call and continues from the summary."""

    above_tokens: int
    summary: Distribution


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, its share of the sessions (relative to the other tenants' shares), and its tier ("" for none)."""

    name: str
    share: float
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """The load of one kind of agent.

    `shared_prefix`: tokens that are equal in all sessions; `own_prefix`: tokens of the session's own prefix. `calls`:
    model calls of the main agent. `appended`: tokens of a tool's result or a person's message. `output`: tokens of an
    answer. `tool`: seconds that a tool runs. `person`: seconds that a person takes, after a `person_share` (0 to 1) of
    the calls (None: no person).
    """

    name: str
    arrivals: ArrivalsSpec
    shared_prefix: int
    own_prefix: Distribution
    calls: Distribution
    appended: Distribution
    output: Distribution
    tool: Distribution
    person: Distribution | None = None
    person_share: float = 0.0
    sub_agents: SubAgents | None = None
    compaction: Compaction | None = None
    thinking: Thinking | None = None
    tenants: tuple[Tenant, ...] = ()
    client: Client = field(default_factory=Client)
    title: str = ""

    def tenant(self, name: str) -> Tenant | None:
        """The tenant of this name, or None."""
        return next((tenant for tenant in self.tenants if tenant.name == name), None)

    def tenant_share(self, name: str) -> float:
        """This tenant's share of the sessions, 0 to 1."""
        return sum(tenant.share for tenant in self.tenants if tenant.name == name) / (
            sum(tenant.share for tenant in self.tenants) or 1.0
        )
