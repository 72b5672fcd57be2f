"""A replica for each test that wants one, on uvloop as in a run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import uvloop
from replica_harness import running

from targets.replica.server import ReplicaServer


@pytest.fixture
def event_loop_policy() -> uvloop.EventLoopPolicy:
    return uvloop.EventLoopPolicy()


@pytest.fixture
async def replica() -> AsyncIterator[ReplicaServer]:
    async with running() as server:
        yield server
