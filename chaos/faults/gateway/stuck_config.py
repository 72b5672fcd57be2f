"""`stuck_config`: the gateway keeps routing to replicas that it knows to be unhealthy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.selection import Names
from chaos.faults.spec import OnGateway
from chaos.faults.world import ReplicaView
from reports.shared.documents import did_you_mean

__all__ = ["StuckConfig"]


class StuckConfig(OnGateway):
    """The gateway keeps routing calls to replicas that it knows to be unhealthy."""

    kind: ClassVar[str] = "stuck_config"

    replicas: Names = Field(description="the replicas that stay in its list, as [tpu-0, tpu-1]")

    def unknown_replicas(self, replicas: Sequence[ReplicaView]) -> list[tuple[str, str, str]]:
        known = [replica.name for replica in replicas]
        return [
            ("replicas", f'the stack has no replica "{name}"', did_you_mean(name, known))
            for name in self.replicas
            if name not in known
        ]

    def params(self) -> dict[str, Any]:
        return {"replicas": list(self.replicas)}
