"""Admission: a token bucket a tenant, in model tokens, and shedding by tier from the bottom. Pure.

A request is charged when it comes and settled when it ends. Refusals carry the seconds until it gets in, and keep that
place (`policies.promises`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from reports.shared.tenancy import Account
from targets.gateway.config import Admission
from targets.gateway.policies.overload.promises import Promises
from targets.gateway.policies.overload.token_bucket import TokenBucket

__all__ = ["AdmissionControl", "Refused", "Ticket"]

_MEAN_WEIGHT = 0.1  # of the newest request in the running mean of what a tenant uses of its max_tokens


_LANES = 2


@dataclass(slots=True)
class _Tenant:
    bucket: TokenBucket
    used_share: float = 1.0  # of max_tokens


@dataclass(slots=True)
class Ticket:
    """A request that was charged. `priority`: of its tier, 0 is the best. `promised`: it was told to come now."""

    account: Account
    tier: str
    priority: int
    max_tokens: int
    charged: float = 0.0
    promised: bool = False
    tenant: _Tenant | None = None

    @property
    def who(self) -> str:
        """For a decision's `why`."""
        return f"{self.account.tenant or 'nobody named'} ({self.tier})"


@dataclass(frozen=True, slots=True)
class Refused:
    """Not now. `retry_after_s`: when it gets in; None = not known. `again`: whether to come back at all."""

    status: int
    why: str
    retry_after_s: float | None
    again: bool = True


class AdmissionControl:
    """The tenants of one gateway. Times in seconds on the caller's clock."""

    def __init__(self, config: Admission) -> None:
        self._config = config
        self._priority = {name: place for place, name in enumerate(config.tiers)}
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()
        self._promises = Promises(config.trickle, config.longest_wait_s, config.keep_s)

    def ask(
        self,
        now: float,
        account: Account,
        prompt_tokens: int,
        max_tokens: int,
        load: float,
        ends_per_s: float,
        identify: Callable[[], Hashable],
    ) -> Ticket | Refused:
        """Admits or refuses a request. `load`: of the stack, 1 = every place is taken. `ends_per_s`: requests that end
        now. `identify`: by what the request is known when it comes again; asked for only where that matters."""
        self._lapse(now)
        name = account.tier if account.tier in self._priority else self._config.default_tier
        tier = self._config.tiers[name]
        key: Hashable = None
        if len(self._promises):
            key = identify()
            early_s = self._promises.early_s(now, key)
            if early_s == 0.0:
                kept: Ticket = self._promises.redeem(key)
                kept.promised = True
                return kept
            if early_s is not None:
                return Refused(429, f"{account.tenant} ({name}) came back {early_s:.1f} s early", early_s)
        ticket = Ticket(account, name, self._priority[name], max_tokens)
        if account.tenant and tier.tokens_per_s is not None and tier.burst_tokens is not None:
            tenant = ticket.tenant = self._tenant(now, account.tenant, tier.tokens_per_s, tier.burst_tokens)
            ticket.charged = prompt_tokens + max_tokens * tenant.used_share
            wait_s = tenant.bucket.wait_s(now, ticket.charged)
            if wait_s:
                return self._refuse(
                    now, key or identify(), ticket, wait_s, f"{ticket.who} used up {tier.tokens_per_s:g} tokens/s"
                )
            tenant.bucket.take(now, ticket.charged)
        if tier.shed_at is not None and load >= tier.shed_at:
            return self.shed(
                now, key or identify(), ticket, ends_per_s, 429, f"shed at load {load:.2f} (from {tier.shed_at:g} on)"
            )
        return ticket

    def shed(self, now: float, key: Hashable, ticket: Ticket, ends_per_s: float, status: int, because: str) -> Refused:
        """Refuses one that is paid for, for the stack's sake; its charge stays with the promise, or goes back."""
        lane = min(
            ticket.priority, _LANES - 1
        )  # one for the best tier, which only the queue drops, and one for the rest
        wait_s = self._promises.slot_wait_s(now, ends_per_s, lane)
        promised = self._promises.make(now, key, wait_s, ticket, lane=lane)
        if not promised:
            self._give_back(now, ticket)
        return Refused(status, f"{ticket.who}: {because}", wait_s, promised)

    def settle(self, now: float, ticket: Ticket, prompt_tokens: int, output_tokens: int) -> None:
        """The request ended and used so much; nothing if it was not served."""
        tenant = ticket.tenant
        if tenant is None:
            return
        if output_tokens and ticket.max_tokens:
            tenant.used_share += _MEAN_WEIGHT * (min(1.0, output_tokens / ticket.max_tokens) - tenant.used_share)
        used = prompt_tokens + output_tokens if output_tokens else 0
        tenant.bucket.give(now, ticket.charged - used)

    def _refuse(self, now: float, key: Hashable, ticket: Ticket, wait_s: float, why: str) -> Refused:
        promised = self._promises.make(now, key, wait_s, ticket)
        if promised and ticket.tenant is not None:
            ticket.tenant.bucket.take(now, ticket.charged)
        return Refused(429, why, wait_s, promised)

    def _lapse(self, now: float) -> None:
        for ticket in self._promises.lapsed(now):
            self._give_back(now, ticket)

    def _give_back(self, now: float, ticket: Ticket) -> None:
        if ticket.tenant is not None:
            ticket.tenant.bucket.give(now, ticket.charged)

    def _tenant(self, now: float, name: str, rate: float, burst: float) -> _Tenant:
        tenant = self._tenants.get(name)
        if tenant is None:
            tenant = self._tenants[name] = _Tenant(TokenBucket(rate, burst, now))
            if len(self._tenants) > self._config.max_tenants:
                self._tenants.popitem(last=False)
        else:
            self._tenants.move_to_end(name)
        return tenant
