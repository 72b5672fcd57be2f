"""Admission: a token bucket per tenant, in model tokens, and load shedding by tier, lowest tier first. Pure.

A request is charged when it arrives; the charge is settled when it ends. A refusal names the seconds until the request
will be admitted, and reserves that time (`promises`).
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

_MEAN_WEIGHT = 0.1  # of the newest request, in the mean share of max_tokens that a tenant uses
_LANES = 2


@dataclass(slots=True)
class _Tenant:
    bucket: TokenBucket
    used_share: float = 1.0  # of max_tokens


@dataclass(slots=True)
class Ticket:
    """A charged request. `priority`: of its tier, 0 is the best. `promised`: an earlier refusal promised its
    admission."""

    account: Account
    tier: str
    priority: int
    max_tokens: int
    charged: float = 0.0
    promised: bool = False
    tenant: _Tenant | None = None

    @property
    def label(self) -> str:
        """Tenant and tier, for messages."""
        return f"{self.account.tenant or 'no tenant'} ({self.tier})"


@dataclass(frozen=True, slots=True)
class Refused:
    """Not admitted. `retry_after_s`: seconds until it would be; None = not known. `retriable`: whether to retry at
    all."""

    status: int
    why: str
    retry_after_s: float | None
    retriable: bool = True


class AdmissionControl:
    """The tenants of one gateway. Times in seconds on the caller's clock."""

    def __init__(self, config: Admission) -> None:
        self._config = config
        self._priority = {name: place for place, name in enumerate(config.tiers)}
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()
        self._promises = Promises(config.trickle, config.longest_wait_s, config.keep_s)

    def admit(
        self,
        now: float,
        account: Account,
        prompt_tokens: int,
        max_tokens: int,
        load: float,
        completions_per_s: float,
        identify: Callable[[], Hashable],
    ) -> Ticket | Refused:
        """Admits or refuses a request. `load`: of the stack, 1 = every place is taken. `completions_per_s`: requests
        that end per second now. `identify` returns the key of a repeated request; called only when needed."""
        self._refund_expired(now)
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
                return Refused(429, f"{account.tenant} ({name}) retried {early_s:.1f} s too early", early_s)
        ticket = Ticket(account, name, self._priority[name], max_tokens)
        if account.tenant and tier.tokens_per_s is not None and tier.burst_tokens is not None:
            tenant = ticket.tenant = self._tenant(now, account.tenant, tier.tokens_per_s, tier.burst_tokens)
            ticket.charged = prompt_tokens + max_tokens * tenant.used_share
            wait_s = tenant.bucket.wait_s(now, ticket.charged)
            if wait_s:
                return self._refuse(
                    now, key or identify(), ticket, wait_s, f"{ticket.label} exceeds {tier.tokens_per_s:g} tokens/s"
                )
            tenant.bucket.take(now, ticket.charged)
        if tier.shed_at is not None and load >= tier.shed_at:
            return self.shed(
                now,
                key or identify(),
                ticket,
                completions_per_s,
                429,
                f"shed at load {load:.2f} (threshold {tier.shed_at:g})",
            )
        return ticket

    def shed(
        self, now: float, key: Hashable, ticket: Ticket, completions_per_s: float, status: int, because: str
    ) -> Refused:
        """Refuses a charged request because of load. The charge stays with the promise, or is refunded."""
        lane = min(ticket.priority, _LANES - 1)  # one lane for the best tier, one for all others
        wait_s = self._promises.slot_wait_s(now, completions_per_s, lane)
        promised = self._promises.make(now, key, wait_s, ticket, lane=lane)
        if not promised:
            self._refund(now, ticket)
        return Refused(status, f"{ticket.label}: {because}", wait_s, promised)

    def settle_charge(self, now: float, ticket: Ticket, prompt_tokens: int, output_tokens: int) -> None:
        """The request ended: refunds what it did not use of its charge; all of it if it was not served."""
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

    def _refund_expired(self, now: float) -> None:
        for ticket in self._promises.take_expired(now):
            self._refund(now, ticket)

    def _refund(self, now: float, ticket: Ticket) -> None:
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
