"""Which requests a behaviour hits: selectors, a seeded share, and triggers by what the replica counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from reports.shared.draws import uniform
from reports.shared.tenancy import account_of

__all__ = ["EVERY_REQUEST", "Only", "fraction"]

_Count = Annotated[int, msgspec.Meta(ge=0)]


class Only(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is given must fit. `tenant`, `model`: any of these; `header`: each with this value.

    `phase`: `prefill` hits streams that have sent nothing yet, `decode` those that have. Of the requests that fit and
    came since the behaviour was put on, the first `after_requests` are left alone; `at_most` are hit, in all.
    """

    tenant: tuple[str, ...] = ()
    header: dict[str, str] = {}
    model: tuple[str, ...] = ()
    phase: Literal["prefill", "decode"] | None = None
    after_requests: _Count = 0
    at_most: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def fits(self, headers: Mapping[str, str], model: str) -> bool:
        """Whether a request with these headers is one of those. `headers` are looked up without regard to case."""
        if self.model and model not in self.model:
            return False
        if self.tenant:
            key = headers.get("Authorization") or headers.get("x-api-key") or ""
            if account_of(key).tenant not in self.tenant:
                return False
        return all(headers.get(name) == value for name, value in self.header.items())


EVERY_REQUEST: Final = Only()


def fraction(seed: int, fault_id: str, key: str) -> float:
    """Where in [0, 1) a request falls for a fault: the same in every run with this seed."""
    return uniform(f"{seed}/{fault_id}/{key}")
