"""The control port of a replica (docs/wire.md): the body of a PUT. The port itself is `targets.control`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from reports.shared.port_limits import PortLimits
from targets import control
from targets.replica.behaviours.active import ActiveBehaviours
from targets.replica.behaviours.selector import EVERY_REQUEST, RequestSelector

__all__ = ["ReplicaControl"]


class _Put(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    lease_s: Annotated[float, msgspec.Meta(gt=0, le=3600)]
    params: dict[str, Any] = {}
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    seed: int = 0
    only: RequestSelector = EVERY_REQUEST


class _Behaviours:
    """Adapts the active behaviours to the control port."""

    def __init__(self, active: ActiveBehaviours) -> None:
        self._active = active

    def put(self, fault_id: str, body: bytes) -> str:
        put = msgspec.json.decode(body, type=_Put)
        self._active.put(
            fault_id, put.kind, put.params, share=put.share, seed=put.seed, lease_s=put.lease_s, only=put.only
        )
        return put.kind

    def renew(self, fault_ids: Sequence[str]) -> list[str]:
        return self._active.renew(fault_ids)

    def remove(self, fault_id: str) -> int:
        return self._active.remove(fault_id)

    def listing(self) -> dict[str, dict[str, Any]]:
        return self._active.listing()


class ReplicaControl(control.Control):
    """Serves the control port of a replica."""

    def __init__(self, behaviours: ActiveBehaviours, token: str, limits: PortLimits | None = None) -> None:
        super().__init__(_Behaviours(behaviours), token, limits)
