"""Which requests a behaviour hits: selectors by request and by count, and a seeded share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from reports.shared.draws import uniform
from reports.shared.tenancy import account_of

__all__ = ["EVERY_REQUEST", "RequestSelector", "share_draw"]

_Count = Annotated[int, msgspec.Meta(ge=0)]


class RequestSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request must match all fields that are given. `tenant`, `model`: one of these; `header`: each with this value.

    `phase`: `prefill` hits streams that have sent nothing yet, `decode` those that have. Of the matching requests that
    arrived after the PUT, the first `after_requests` are skipped. `at_most` is the maximum number of hits.
    """

    tenant: tuple[str, ...] = ()
    header: dict[str, str] = {}
    model: tuple[str, ...] = ()
    phase: Literal["prefill", "decode"] | None = None
    after_requests: _Count = 0
    at_most: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def matches(self, headers: Mapping[str, str], model: str) -> bool:
        """Whether a request with this model and these case-insensitive headers matches."""
        if self.model and model not in self.model:
            return False
        if self.tenant:
            key = headers.get("Authorization") or headers.get("x-api-key") or ""
            if account_of(key).tenant not in self.tenant:
                return False
        return all(headers.get(name) == value for name, value in self.header.items())


EVERY_REQUEST: Final = RequestSelector()


def share_draw(seed: int, fault_id: str, key: str) -> float:
    """Returns a number in [0, 1) for a fault and a request's key: the same in every run with this seed."""
    return uniform(f"{seed}/{fault_id}/{key}")
