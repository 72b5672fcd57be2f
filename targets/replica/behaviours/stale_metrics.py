"""`stale_metrics`: `/metrics` is not up to date, so a balancer that relies on it sends load to the wrong replica."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar, Final, Literal

from targets.replica.behaviours.base import Behaviour

__all__ = ["PAGES", "StaleMetrics"]

_LOAD: Final = re.compile(
    rb"^((?:vllm:num_requests_running|vllm:num_requests_waiting|vllm:kv_cache_usage_perc)(?:\{[^}]*\})?) .*$", re.M
)

PAGES: Final[dict[str, Callable[[bytes, bytes], bytes]]] = {
    "frozen": lambda current, at_start: at_start,
    "idle": lambda current, at_start: _LOAD.sub(rb"\1 0.0", current),
}
"""The false pages by `how`, from the true page now and at the PUT."""


class StaleMetrics(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`how`: `frozen` (the page at the PUT) or `idle` (no running or waiting requests, an empty cache)."""

    whole_replica: ClassVar[bool] = True

    how: Literal["frozen", "idle"] = "frozen"

    def metrics(self, current: bytes, at_start: bytes) -> bytes:
        """The false page."""
        return PAGES[self.how](current, at_start)
