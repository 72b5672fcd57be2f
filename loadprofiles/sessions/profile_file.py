"""Reads, checks and resolves profile files. Imports pydantic, so the process that plays the load must not import it.

own_prefix: {median: 1500, sigma: 0.5, min: 200, max: 6000}     lognormal, clipped
tool:       {median: 30ms, p90: 1.4s, min: 5ms, max: 2s}        lognormal by its 90th percentile, clipped
count:      {min: 1, max: 4}                                    uniform
appended:   800                                                 constant
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from loadprofiles.arrivals.file import ArrivalsFile
from loadprofiles.draws import Distribution, constant, lognormal, lognormal_p90, uniform
from loadprofiles.retries import POLICIES
from loadprofiles.sessions.profile import Client, Compaction, Profile, SubAgents, Tenant, Thinking
from reports.shared.documents import (
    Duration,
    Mistake,
    Percentage,
    did_you_mean,
    document_names,
    find_document,
    read_document,
    validate,
)
from reports.shared.tenancy import TIERS

__all__ = ["ProfileFile", "load_profile", "profile_names"]

PROFILES = Path(__file__).parents[1] / "profiles"

Number = TypeVar("Number", bound=float)
Tokens = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Distribution(_Model, Generic[Number]):
    """A number, {min, max}, or {median, sigma or p90} with min and max as optional bounds."""

    value: Number | None = None
    median: Number | None = None
    sigma: Annotated[float, Field(ge=0, le=5)] | None = None
    p90: Number | None = None
    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, given: Any) -> Any:
        return given if isinstance(given, dict) else {"value": given}

    @model_validator(mode="after")
    def _resolvable(self) -> _Distribution[Number]:
        self.resolve()
        return self

    def resolve(self) -> Distribution:
        """The distribution. Raises `Mistake` if the keys do not define exactly one."""
        shape = sum(given is not None for given in (self.sigma, self.p90))
        low, high = self.min or 0.0, math.inf if self.max is None else float(self.max)
        if low > high:
            raise Mistake(f"min {low:g} is above max {high:g}", "swap them")
        if self.value is not None and (self.median, self.min, self.max) == (None, None, None) and not shape:
            return constant(float(self.value))
        if self.value is not None:
            raise Mistake("value: cannot be combined with other keys", "write the number alone, without value:")
        if self.median is None and not shape and self.max is not None and self.min is not None:
            return uniform(low, high)
        if self.median is None or shape != 1:
            raise Mistake(
                "is not a distribution",
                "write a number, or {min, max}, or {median, sigma} or {median, p90}, with min and max as bounds",
            )
        if not self.median > 0:
            raise Mistake("the median must be more than 0", "write a median above 0: a lognormal quantity is never 0")
        if self.sigma is not None:
            return lognormal(self.median, self.sigma, low, high)
        assert self.p90 is not None
        if self.p90 < self.median:
            raise Mistake(f"p90 {self.p90:g} is below the median {self.median:g}", "swap them")
        return lognormal_p90(self.median, self.p90, low, high)


class _Tokens(_Distribution[Tokens]):
    """a number, or {min: 1, max: 4}, or {median: 200, p90: 1000, min: 16, max: 4000}"""


class _Times(_Distribution[Duration]):
    """a duration, or {min: 1s, max: 4s}, or {median: 30ms, p90: 1.4s, min: 5ms, max: 2s}"""


class _Person(_Model):
    share: Percentage = Field(description="share of the calls after which a person reads, for example 6%")
    pause: _Times = Field(description="how long the person takes, for example {median: 84s, max: 5m, sigma: 1.5}")


class _SubAgents(_Model):
    share: Percentage = Field(description="share of the sessions that fan out, for example 7%")
    count: _Tokens
    calls: _Tokens
    own_prefix: _Tokens


class _Compaction(_Model):
    above: int = Field(gt=0, description="tokens of a conversation above which it is summarised")
    summary: _Tokens


class _Thinking(_Model):
    share: Percentage = Field(description="share of the calls that think, for example 4%")
    output: _Tokens


class _Client(_Model):
    api: Literal["openai", "anthropic"] = "openai"
    retries: str = "openai-sdk"
    timeout: Duration = 600.0
    connect_timeout: Duration = 5.0
    stream: bool = True

    @field_validator("retries")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in POLICIES:
            raise Mistake(f'there is no client retry policy "{name}"', did_you_mean(name, POLICIES))
        return name


class _Tenant(_Model):
    """a number, or {share: 40, tier: batch}"""

    share: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="share of the sessions, relative to the other tenants'")
    ]
    tier: str = ""

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, given: Any) -> Any:
        return given if isinstance(given, dict) else {"share": given}

    @field_validator("tier")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in TIERS:
            raise Mistake(f'there is no tier "{name}"', did_you_mean(name, TIERS))
        return name


class ProfileFile(_Model):
    """A profile as written in a file. `resolve` converts it to a `Profile`."""

    title: str = ""
    arrivals: ArrivalsFile
    shared_prefix: int = Field(ge=0, le=1_000_000, description="tokens at the beginning of every session")
    own_prefix: _Tokens
    calls: _Tokens
    appended: _Tokens
    output: _Tokens
    tool: _Times
    person: _Person | None = None
    sub_agents: _SubAgents | None = None
    compaction: _Compaction | None = None
    thinking: _Thinking | None = None
    tenants: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")], _Tenant] = {}
    client: _Client = _Client()

    def resolve(self, name: str, folder: Path) -> Profile:
        """The profile with every default filled in. `folder`: the base of relative paths in it.

        Raises `reports.shared.errors.InvalidFile` if a file of start times is invalid.
        """
        person, sub_agents, compaction, client = self.person, self.sub_agents, self.compaction, self.client
        return Profile(
            name=name,
            title=self.title,
            arrivals=self.arrivals.resolve(folder),
            shared_prefix=self.shared_prefix,
            own_prefix=self.own_prefix.resolve(),
            calls=self.calls.resolve(),
            appended=self.appended.resolve(),
            output=self.output.resolve(),
            tool=self.tool.resolve(),
            person=person.pause.resolve() if person else None,
            person_share=person.share if person else 0.0,
            sub_agents=SubAgents(
                sub_agents.share,
                sub_agents.count.resolve(),
                sub_agents.calls.resolve(),
                sub_agents.own_prefix.resolve(),
            )
            if sub_agents
            else None,
            compaction=Compaction(compaction.above, compaction.summary.resolve()) if compaction else None,
            thinking=Thinking(self.thinking.share, self.thinking.output.resolve()) if self.thinking else None,
            tenants=tuple(Tenant(name, tenant.share, tenant.tier) for name, tenant in self.tenants.items()),
            client=Client(client.api, client.retries, client.timeout, client.connect_timeout, client.stream),
        )


def profile_names() -> list[str]:
    """The names of the shipped profiles."""
    return document_names(PROFILES)


def load_profile(name_or_path: str | Path, *, base: Path | None = None) -> Profile:
    """A shipped profile by name, or a user's profile by path (relative to `base`, then to the working directory).

    Raises `reports.shared.documents.NotFound` and `reports.shared.errors.InvalidFile`.
    """
    path = find_document(name_or_path, PROFILES, kind="profile", base=base)
    return validate(read_document(path), ProfileFile).resolve(path.stem, path.parent)
