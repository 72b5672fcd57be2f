"""`stale_metrics`: `/metrics` does not say what is: a balancer that believes it sends its load to the wrong place."""

from __future__ import annotations

import re
from typing import ClassVar, Final, Literal

from targets.replica.behaviours.base import Behaviour

__all__ = ["StaleMetrics"]

_LOAD: Final = re.compile(
    rb"^((?:vllm:num_requests_running|vllm:num_requests_waiting|vllm:kv_cache_usage_perc)(?:\{[^}]*\})?) .*$", re.M
)


class StaleMetrics(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`how`: `frozen` (what it was when this began) or `idle` (nobody running, nobody waiting, an empty cache)."""

    whole_replica: ClassVar[bool] = True

    how: Literal["frozen", "idle"] = "frozen"

    def metrics(self, true: bytes, first: bytes) -> bytes:
        """The page."""
        return first if self.how == "frozen" else _LOAD.sub(rb"\1 0.0", true)
