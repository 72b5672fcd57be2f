"""`flush_cache`: the prefix cache is emptied. Running requests continue; later prompts are computed in full."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineControls

__all__ = ["FlushCache"]


class FlushCache(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Empties the cache once, or every `every_s` seconds while it is active."""

    whole_replica: ClassVar[bool] = True

    every_s: Annotated[float, msgspec.Meta(ge=0.01, le=3600)] | None = None

    def act_on_engine(self, engine: EngineControls) -> None:
        """Empty the cache."""
        engine.flush_cache()
