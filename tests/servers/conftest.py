"""Fixtures: the tiny models, made once, and each server, started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.real_server import KINDS, Kind, RealServer, make_model, running


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of all servers."""
    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        make_model(kind, folder)
    return folder


@pytest.fixture(scope="session", params=KINDS, ids=lambda kind: kind.environment)
def server(
    request: pytest.FixtureRequest, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    """A server with its default settings. A test that kills its server starts one of its own."""
    kind: Kind = request.param
    with running(kind, models, tmp_path_factory.mktemp("log") / "server.log") as started:
        yield started
