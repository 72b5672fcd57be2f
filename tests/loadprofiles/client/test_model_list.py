"""The models that an endpoint lists, where a model was refused; whatever it answers, nothing is raised."""

from __future__ import annotations

import json

import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.model_list import MOST_MODELS
from loadprofiles.client.records import ClientOptions
from tests.support.scripted_server import Script, ScriptedServer, reset, silent, whole


def listed(script: Script, within_s: float = 5.0) -> tuple[list[str], str]:
    """The models, and the head of the request."""
    with ScriptedServer(script) as server:
        client = Client(ClientOptions(f"{server.url}/v1", "m", headers=(("X-Team", "payments"),)))
        try:
            return client.models(within_s), server.requests[0].head if server.requests else ""
        finally:
            client.close()


def models(*names: object) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]}).encode()


def test_the_models_are_asked_for_with_the_headers_of_the_target() -> None:
    found, head = listed(whole(200, models("llama", "qwen\x1b[2J", 7, "")))
    assert found[0] == "llama"
    assert len(found) == 2
    assert "\x1b" not in found[1]
    assert head.startswith("GET /v1/models HTTP/1.1")
    assert "X-Team: payments" in head


def test_a_long_list_is_cut() -> None:
    found, _ = listed(whole(200, models(*(f"m{number}" for number in range(100)))))
    assert len(found) == MOST_MODELS


@pytest.mark.parametrize(
    "script",
    [
        whole(404, models("llama")),
        whole(200, b"<html>"),
        whole(200, b'{"data": 7}'),
        whole(200, b"[]"),
        whole(200, b'{"data": ["llama"]}'),
        reset,
    ],
    ids=["404", "HTML", "no list", "another list", "no objects", "closed"],
)
def test_an_endpoint_without_a_list_has_none(script: Script) -> None:
    assert listed(script)[0] == []


def test_an_endpoint_that_says_nothing_is_waited_for_as_long_as_given() -> None:
    assert listed(silent, within_s=0.1)[0] == []
