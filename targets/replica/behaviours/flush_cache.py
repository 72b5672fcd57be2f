"""`flush_cache`: the prefix cache is dropped. Who is running goes on; who comes next is computed from the beginning."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineControls

__all__ = ["FlushCache"]


class FlushCache(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Once, or every `every_s` seconds as long as it is on."""

    whole_replica: ClassVar[bool] = True

    every_s: Annotated[float, msgspec.Meta(ge=0.01, le=3600)] | None = None

    def pulse(self, engine: EngineControls) -> None:
        """Drop it."""
        engine.flush_cache()
