"""Active readiness probes: a replica is shut out after `fall` consecutive failures and readmitted after `rise`
consecutive successes (HAProxy).

A failed probe is repeated at once, so that `fall: 2` takes two timeouts, not two intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

from targets.gateway.config import Probes

__all__ = ["ProbeResult", "Readiness"]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How a probe ended. `says_not_ready`: the replica returned 503: it takes no new requests, and those in flight go
    on. `connection_refused`: no process listens at its port."""

    ok: bool
    what: str = ""
    says_not_ready: bool = False
    connection_refused: bool = False


class Readiness:
    """The readiness of one replica by its probes. It starts as ready.

    `draining`: the latest probe returned 503. `refuses_connections`: the latest probe was refused a connection.
    """

    def __init__(self, config: Probes) -> None:
        self._config = config
        self._consecutive = 0
        self.ready = True
        self.draining = False
        self.refuses_connections = False

    def record(self, probed: ProbeResult) -> bool | None:
        """A probe ended. Returns True if the replica became ready, False if it became not ready, None for no change.

        A 503 counts at once, without `fall` repetitions.
        """
        ok, self.draining, self.refuses_connections = probed.ok, probed.says_not_ready, probed.connection_refused
        if probed.says_not_ready and self.ready:
            self.ready = False
            self._consecutive = 0
            return False
        if ok == self.ready:
            self._consecutive = 0
            return None
        self._consecutive += 1
        if self._consecutive < (self._config.rise if ok else self._config.fall):
            return None
        self.ready = ok
        self._consecutive = 0
        return ok

    def pause_s(self, ok: bool) -> float:
        """Seconds until the next probe: 0 after a failure while the replica still counts as ready."""
        return 0.0 if not ok and self.ready else self._config.interval_s
