"""The processes of a stack, for commands: what state they are in, and how one is started again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from chaos.by_hand.control import Say
from chaos.runner.counters import Counters
from chaos.runner.deployment import GATEWAY
from chaos.runner.early_end import Ended
from chaos.runner.ports import check_free, holder
from chaos.runner.readiness import ProcessEnded, all_ready, unless_ended
from chaos.runner.setup import Setup
from reports.shared.errors import TargetFailed, UserError

__all__ = ["READY_WITHIN_S", "process_facts", "start_lent_again", "start_process_again", "wait_until_ready"]

GRACE_S: Final = 3.0
READY_WITHIN_S: Final = 60.0
FREE_WITHIN_S: Final = 15.0
POLL_S: Final = 0.1


async def start_process_again(setup: Setup, name: str, say: Say) -> None:
    """Start a replica or the gateway again; one that is there is ended first.

    Raises TargetFailed if it is not ready in time, and as soon as it has ended by itself.
    """
    assert setup.deployment is not None
    if setup.supervisor.state(name) != "gone":
        say(f"{name} ends")
        await setup.supervisor.stop(name, GRACE_S)
    say(f"{name} starts")
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            if name != GATEWAY:
                await setup.start_again(name, 0.0)
                await wait_until_ready(setup, {name: setup.deployment.replica_url(name)})
            elif setup.gateway is not None:
                await setup.start_gateway()
            else:
                await setup.spawn(setup.deployment.gateway_spec())
                await wait_until_ready(setup, {name: setup.deployment.gateway_url})
    except TimeoutError:
        raise TargetFailed(f"{name} is not ready after {READY_WITHIN_S:g} s") from None
    except Ended as ended:
        raise TargetFailed(ended.why) from None


async def start_lent_again(setup: Setup) -> None:
    """Start every replica again after a run had its own on their ports. Raises TargetFailed.

    Those of a run that was killed end a moment after it.
    """
    assert setup.deployment is not None
    deadline_s = time.monotonic() + FREE_WITHIN_S
    for name, address in setup.addresses.items():
        while not _is_free(address.port):
            if time.monotonic() > deadline_s:
                who = holder(address.port) or "another process"
                raise TargetFailed(f"port {address.port} of {name} is in use by {who}\n    brownout restart {name}")
            await asyncio.sleep(POLL_S)
    await asyncio.gather(*(setup.start_again(name, 0.0) for name in setup.addresses))
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            await wait_until_ready(setup, {name: setup.deployment.replica_url(name) for name in setup.addresses})
    except TimeoutError:
        raise TargetFailed(f"the replicas are not ready after {READY_WITHIN_S:g} s") from None


async def wait_until_ready(setup: Setup, urls: Mapping[str, str]) -> None:
    """Wait until these processes serve, and record when. Raises TargetFailed with the log of one that has ended."""
    try:
        await unless_ended(setup.supervisor, urls, all_ready(urls, setup.is_ready))
    except ProcessEnded as ended:
        raise TargetFailed(f"{ended}{setup.watch.log_excerpt(ended.name)}") from None


def _is_free(port: int) -> bool:
    try:
        check_free(port)
    except UserError:
        return False
    return True


def process_facts(setup: Setup, last: Mapping[str, Counters]) -> dict[str, Any]:
    """Stack, gateway and replicas for `status`; a replica of the reserve that was not added is `off`.

    `last`: the last counters of each process by its name.
    """
    experiment, stack = setup.experiment, setup.experiment.stack
    state = setup.supervisor.state
    reserve = setup.deployment.reserve if setup.deployment is not None else {}
    gateway = None
    if setup.url and experiment.url is None:
        gateway = {"name": str(experiment.gateway or "reference"), "state": state(GATEWAY)}
    return {
        "stack": stack.name if stack is not None else "",
        "model": stack.model if stack is not None else experiment.url.model if experiment.url is not None else "",
        "url": f"{setup.url}/v1" if setup.url else "",
        "folder": str(setup.folder.path.absolute()),
        "gateway": gateway,
        "replicas": [
            {
                "name": name,
                "pool": address.view.pool,
                "url": f"http://127.0.0.1:{address.port}/v1",
                "state": state(name) if name in setup.addresses or state(name) != "gone" else "off",
                "running": _now(last.get(name), state(name), "running"),
                "waiting": _now(last.get(name), state(name), "waiting"),
                "reserve": name in reserve,
            }
            for name, address in {**setup.addresses, **reserve}.items()
        ],
    }


def _now(counters: Counters | None, state: str, key: str) -> int | None:
    """A number that a process posted last; None where it does not run."""
    if counters is None or state != "running":
        return None
    value = counters.data.get(key)
    return value if isinstance(value, int) else None
