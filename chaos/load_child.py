"""What the load generator is told while it runs: wait, run, drain, stop. And what it has told of itself."""

from __future__ import annotations

import asyncio
from typing import Any

from chaos.collector import Counters

__all__ = ["LoadControl"]


class LoadControl:
    """The answer to every post of counters, and the conditions the runner waits for."""

    def __init__(self) -> None:
        self.command = "wait"
        self.started_ns: int | None = None
        """Wall time at which the load began: the timeline's zero."""
        self.connected = asyncio.Event()
        self.started = asyncio.Event()
        self.done = asyncio.Event()
        self.data: dict[str, Any] = {}

    def heard(self, counters: Counters) -> str:
        """A process posted; answers the command to give it."""
        if counters.kind != "load":
            return "run"
        self.connected.set()
        self.data = counters.data
        started = counters.data.get("load_started")
        if started and self.started_ns is None:
            self.started_ns = int(started)
            self.started.set()
        if counters.data.get("done"):
            self.done.set()
        return self.command
