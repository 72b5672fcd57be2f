"""Active readiness probes: shut out after some failures in a row, back after some successes (HAProxy's fall and rise).

A failed probe is repeated at once, so that `fall` 2 costs two timeouts and not two intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.gateway.config import Probes

__all__ = ["Probed", "Readiness"]


@dataclass(frozen=True, slots=True)
class Probed:
    """How a probe ended. `said_so`: the replica itself answers that it is not ready (503): it takes no new calls, and
    what it has it goes on serving. `refused`: nobody listens there."""

    ok: bool
    what: str = ""
    said_so: bool = False
    refused: bool = False


class Readiness:
    """What the probes of one replica say. A replica counts as ready until they say otherwise.

    `ready`; `draining`: it says itself that it is not; `refuses`: the last probe found nobody there.
    """

    def __init__(self, config: Probes) -> None:
        self._config = config
        self._in_a_row = 0
        self.ready = True
        self.draining = False
        self.refuses = False

    def record(self, probed: Probed) -> bool | None:
        """A probe ended: True = it is ready again, False = it no longer is, None = nothing changed.

        What a replica says against itself is believed at once.
        """
        ok, self.draining, self.refuses = probed.ok, probed.said_so, probed.refused
        if probed.said_so and self.ready:
            self.ready = False
            self._in_a_row = 0
            return False
        if ok == self.ready:
            self._in_a_row = 0
            return None
        self._in_a_row += 1
        if self._in_a_row < (self._config.rise if ok else self._config.fall):
            return None
        self.ready = ok
        self._in_a_row = 0
        return ok

    def pause_s(self, ok: bool) -> float:
        """Seconds until the next probe: none after a failure that has not been believed yet."""
        return 0.0 if not ok and self.ready else self._config.interval_s
