"""A replica for each test that asks for one, on uvloop as in a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import running


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def replica() -> AsyncIterator[ReplicaServer]:
    async with running() as server:
        yield server
