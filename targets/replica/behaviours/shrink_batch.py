"""`shrink_batch`: fewer requests run at once. Running ones continue, the others wait."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineLimits

__all__ = ["ShrinkBatch"]


class ShrinkBatch(Behaviour, frozen=True, forbid_unknown_fields=True):
    """At most `max_sequences` run at once."""

    whole_replica: ClassVar[bool] = True

    max_sequences: Annotated[int, msgspec.Meta(ge=1)]

    @property
    def limits(self) -> EngineLimits:
        """The limit of the batch."""
        return EngineLimits(max_sequences=self.max_sequences)
