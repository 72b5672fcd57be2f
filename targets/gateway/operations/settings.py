"""The operator's settings of one gateway: checks them, applies them to the running router, refuses requests by them.

drained   the pool's replicas get no new attempt; streams under way go on
shed      requests of the tier are refused with 429
policies  switches (`targets.gateway.operations.switches`)
added     pools of the reserve that take part; without it, they are as if they were not there
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec

from reports.shared.tenancy import TIERS, Account
from targets.control import OperationError
from targets.gateway.config import GatewayConfig, Operations
from targets.gateway.operations.switches import SWITCHES, switched
from targets.gateway.policies.overload.admission import Refused
from targets.gateway.routing.router import Router

__all__ = ["DRAINED", "IN_RESERVE", "GatewayOperations", "tiers_of"]

DRAINED: Final = "drained by the operator"
IN_RESERVE: Final = "in reserve"
RETRY_AFTER_S: Final = 10.0
"""`Retry-After` of what the operator's settings refuse: about how often people look again."""


class _Put(msgspec.Struct, forbid_unknown_fields=True):
    drained: list[str] = []
    shed: list[str] = []
    policies: list[str] = []
    added: list[str] = []


def tiers_of(config: GatewayConfig) -> tuple[str, ...]:
    """The tiers that can be shed: those of admission, else all that clients may have."""
    admission = config.policies.admission
    return tuple(admission.tiers) if admission is not None else TIERS


class GatewayOperations:
    """The settings in force. `clock`: the router's, seconds. `applied()`: called after each change."""

    def __init__(
        self,
        config: GatewayConfig,
        router: Router,
        clock: Callable[[], float],
        applied: Callable[[], None] = lambda: None,
    ) -> None:
        self.current = Operations()
        self._config = config
        self._router = router
        self._clock = clock
        self._applied = applied
        self._pools = tuple(dict.fromkeys(upstream.pool for upstream in config.upstreams))
        self._tiers = tiers_of(config)
        admission = config.policies.admission
        self._default_tier = admission.default_tier if admission is not None else TIERS[0]
        try:
            self._check(config.operations)
        except OperationError as error:
            raise ValueError(str(error)) from None
        self._apply(config.operations)

    # -- the control port -------------------------------------------------------------------------------------------
    def put(self, body: bytes) -> dict[str, Any]:
        """See `targets.control.OperatorSettings.put`."""
        wanted = msgspec.json.decode(body, type=_Put)
        try:
            operations = Operations(
                tuple(wanted.drained), tuple(wanted.shed), tuple(wanted.policies), tuple(wanted.added)
            )
        except ValueError as error:
            raise OperationError(str(error)) from None
        self._check(operations)
        self._apply(operations)
        self._applied()
        return self.listing()

    def listing(self) -> dict[str, Any]:
        """See `targets.control.OperatorSettings.listing`."""
        return {name: list(values) for name, values in asdict(self.current).items()}

    # -- a request --------------------------------------------------------------------------------------------------
    def refusal(self, account: Account) -> Refused | None:
        """Why a new request of this account is refused, or None."""
        if self.current.shed:
            tier = account.tier if account.tier in self._tiers else self._default_tier
            if tier in self.current.shed:
                why = f"{account.tenant or 'no tenant'} ({tier}): the tier is shed by the operator"
                return Refused(429, why, RETRY_AFTER_S)
        if self._router.out_of_service:
            return Refused(503, self._router.out_of_service, RETRY_AFTER_S)
        return None

    def in_reserve(self, pool: str) -> bool:
        """Whether the pool is a reserve that was not added: its replicas may not exist."""
        return pool in self._config.reserve and pool not in self.current.added

    # -- internal ---------------------------------------------------------------------------------------------------
    def _check(self, wanted: Operations) -> None:
        _known("pool", wanted.drained, self._pools)
        _known("tier", wanted.shed, self._tiers)
        _known("switch", wanted.policies, tuple(SWITCHES))
        _known("reserve pool", wanted.added, self._config.reserve)
        changed = [SWITCHES[name].policy for name in wanted.policies]
        twice = sorted({policy for policy in changed if changed.count(policy) > 1})
        if twice:
            raise OperationError(f"two switches of the same policy: {', '.join(twice)}; keep one of them")

    def _apply(self, wanted: Operations) -> None:
        now = self._clock()
        self.current = wanted
        out = {}
        for replica in self._router.replicas.values():
            pool = replica.upstream.pool
            if self.in_reserve(pool):
                out[replica.name] = IN_RESERVE
            elif pool in wanted.drained:
                out[replica.name] = DRAINED
        self._router.use(now, switched(self._config.policies, wanted.policies))
        self._router.take_out(now, out)


def _known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise OperationError(f"unknown {what}: {', '.join(unknown)}; known: {', '.join(known) or 'none'}")
