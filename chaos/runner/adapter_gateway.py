"""A real gateway that the run starts in front of its replicas, by its adapter (`targets.adapters`).

Its files are written into the run's folder, where it may write too. Its statistics, if it has any, are read twice a
second; a change of them is an event of the record.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from chaos.runner.deployment import GATEWAY, Deployment
from chaos.runner.record_writer import RecordFull, RunFolder
from chaos.supervision.supervisor import ChildSpec, child_environment
from reports.shared.errors import TargetFailed
from targets.adapters.base import (
    Adapter,
    AdminPage,
    Installation,
    LogFile,
    Site,
    Upstream,
    UpstreamState,
    whole_environment,
    whole_lines,
)

__all__ = ["KIND", "AdapterGateway"]

KIND: Final = "adapter"
"""The kind of its process: it posts no counters, and SIGTERM ends it."""

POLL_EVERY_S: Final = 0.05
READ_EVERY_S: Final = 0.5
READ_WITHIN_S: Final = 1.0


@dataclass(slots=True)
class AdapterGateway:
    """One gateway of one run. `make` prepares it; `spec`, `wait_until_ready` and `watch` follow in this order."""

    adapter: Adapter
    installed: Installation
    site: Site
    folder: RunFolder
    _last_states: dict[str, UpstreamState] = field(default_factory=dict)
    _counted: dict[str, UpstreamState] = field(default_factory=dict)
    _read_to: int = 0
    _rest: str = ""
    _lines_lost: bool = False

    @classmethod
    def make(
        cls, adapter: Adapter, preset: str, installed: Installation, deployment: Deployment, folder: RunFolder
    ) -> AdapterGateway:
        """Write its files. Raises RecordFull."""
        place = (folder.path / GATEWAY).absolute()
        upstreams = tuple(
            Upstream(name, deployment.replica_url(name), address.view.pool)
            for name, address in deployment.addresses.items()
        )
        site = Site(upstreams, deployment.gateway_port, deployment.admin_port, place, deployment.stack.model, preset)
        gateway = cls(adapter, installed, site, folder)
        gateway._write_files(place)
        return gateway

    def _write_files(self, place: Path) -> None:
        try:
            place.mkdir(mode=0o700)
            for name in self.adapter.files(self.site):
                path = place / name
                (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordFull(f"cannot write the gateway's files: {error.filename}: {error.strerror}") from error
        for name, text in self.adapter.files(self.site).items():
            if not name.endswith("/"):
                self.folder.write(f"{GATEWAY}/{name}", text)

    @property
    def headers(self) -> Mapping[str, str]:
        """What clients must send to it."""
        return self.adapter.headers(self.site)

    def spec(self) -> ChildSpec:
        """How to start it."""
        return ChildSpec(
            name=GATEWAY,
            argv=list(self.adapter.command(self.site, self.installed)),
            env=whole_environment(self.adapter, self.site, self.installed, child_environment({})),
            log=self.folder.log(GATEWAY),
            kind=KIND,
            cwd=self.site.folder,
        )

    async def wait_until_ready(self) -> None:
        """Wait until its API answers. Raises TargetFailed with the end of its log if it does not in time."""
        url = f"http://127.0.0.1:{self.site.port}{self.adapter.ready}"
        deadline_s = time.monotonic() + self.adapter.ready_within_s
        said = "no connection"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2), trust_env=False) as session:
            while time.monotonic() < deadline_s:
                try:
                    async with session.get(url, headers=self.adapter.headers(self.site)) as answer:
                        if answer.status == 200:
                            return
                        said = f"status {answer.status}"
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    said = str(error) or type(error).__name__
                await asyncio.sleep(POLL_EVERY_S)
        within = f"{self.adapter.ready_within_s:g} s"
        raise TargetFailed(f"{self.adapter.name} started, and does not serve within {within}: GET {url}: {said}")

    # -- statistics -------------------------------------------------------------------------------------------------
    def start_watch(self) -> asyncio.Task[None]:
        """Start `watch`. If that crashes, the record says that the numbers are not known from then on."""
        watching = asyncio.create_task(self.watch())
        watching.add_done_callback(self._watch_ended)
        return watching

    def _watch_ended(self, watching: asyncio.Task[None]) -> None:
        if not watching.cancelled() and watching.exception() is not None:
            self.note({})

    async def watch(self) -> None:
        """Read its statistics until cancelled, and record each change."""
        while self.adapter.statistics is not None:
            await self.read()
            await asyncio.sleep(READ_EVERY_S)

    async def read(self) -> None:
        """Read its statistics once. Where they cannot be read, the record says so: it has no number then."""
        if self.adapter.statistics is None:
            return
        timeout = aiohttp.ClientTimeout(total=READ_WITHIN_S)
        states: Mapping[str, UpstreamState] = {}
        with contextlib.suppress(Exception):  # whatever a parser raises, it is a gap in the record, and no end of it
            async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
                states = await self._read(session, self.adapter.statistics)
        self.note(states)

    async def _read(self, session: aiohttp.ClientSession, source: AdminPage | LogFile) -> Mapping[str, UpstreamState]:
        if isinstance(source, AdminPage):
            url = f"http://127.0.0.1:{self.site.admin_port}{source.path}"
            async with session.get(url, raise_for_status=True) as answer:
                states = source.parse(self.site, await answer.text())
            if missing := {upstream.name for upstream in self.site.upstreams} - states.keys():
                raise ValueError(f"the statistics lack {', '.join(sorted(missing))}")
            return states
        with (self.site.folder / source.name).open("rb") as log:
            log.seek(self._read_to)
            data = log.read()
        self._read_to += len(data)
        lines, self._rest = whole_lines(self._rest + data.decode(errors="replace"))
        try:
            increments = source.parse(self.site, lines)
        except Exception:
            self._lines_lost = True
            raise
        for name, more in increments.items():
            self._counted[name] = _sum(self._counted.get(name, UpstreamState(0, 0)), more)
        return self._counted

    def note(self, states: Mapping[str, UpstreamState]) -> None:
        """Record the statistics if they have changed. None at all: they cannot be read."""
        if dict(states) == self._last_states:
            return
        self._last_states = dict(states)
        shown = {
            name: {"attempts": state.attempts, "refused": state.refused, "available": state.available}
            for name, state in states.items()
        }
        source = self.adapter.statistics
        with contextlib.suppress(RecordFull):
            exact = (source is None or source.exact) and not self._lines_lost
            self.folder.events.write("upstreams", states=shown, exact=exact)


def _sum(before: UpstreamState, more: UpstreamState) -> UpstreamState:
    def added(one: int | None, other: int | None) -> int | None:
        return None if one is None or other is None else one + other

    return UpstreamState(added(before.attempts, more.attempts), added(before.refused, more.refused), more.available)
