"""Which requests a behaviour hits: selectors, counts, shares, phases."""

from __future__ import annotations

import asyncio
from typing import Any, get_args, get_type_hints

import aiohttp
import pytest
from multidict import CIMultiDict

from reports.shared.tenancy import key_of
from targets.replica.behaviours.selector import EVERY_REQUEST, RequestSelector, share_draw
from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import MODEL, chat, control, marked, put, until


@pytest.mark.parametrize(
    ("selector", "headers", "matches"),
    [
        (EVERY_REQUEST, {}, True),
        (RequestSelector(tenant=("acme",)), {"authorization": f"Bearer {key_of('acme', 'batch')}"}, True),
        (RequestSelector(tenant=("acme", "evil")), {"X-Api-Key": key_of("evil")}, True),
        (RequestSelector(tenant=("acme",)), {"authorization": "Bearer sk-other"}, False),
        (RequestSelector(tenant=("acme",)), {}, False),
        (RequestSelector(model=("m", "n")), {}, True),
        (RequestSelector(model=("n",)), {}, False),
        (RequestSelector(header={"x-beta": "1"}), {"X-Beta": "1"}, True),
        (RequestSelector(header={"x-beta": "1", "x-team": "a"}), {"X-Beta": "1"}, False),
        (RequestSelector(header={"x-beta": "1"}), {"X-Beta": "2"}, False),
        (RequestSelector(tenant=("acme",), model=("n",)), {"authorization": f"Bearer {key_of('acme')}"}, False),
    ],
)
def test_a_request_must_match_all_given_fields(
    selector: RequestSelector, headers: dict[str, str], matches: bool
) -> None:
    assert selector.matches(CIMultiDict(headers), "m") == matches


def test_a_share_hits_about_that_share_and_always_the_same_requests() -> None:
    keys = [f"s{session}/main#{turn}" for session in range(200) for turn in range(10)]
    hit = {key for key in keys if share_draw(7, "f1", key) < 0.3}
    assert 0.26 < len(hit) / len(keys) < 0.34
    assert hit == {key for key in keys if share_draw(7, "f1", key) < 0.3}
    assert hit != {key for key in keys if share_draw(7, "f2", key) < 0.3}
    assert hit != {key for key in keys if share_draw(8, "f1", key) < 0.3}


async def statuses(replica: ReplicaServer, turns: range, **headers: str) -> list[int]:
    async with aiohttp.ClientSession() as http:
        found = []
        for turn in turns:
            body = chat(marked("x", turn=turn), max_tokens=1)
            async with http.post(replica.url + "/v1/chat/completions", json=body, headers=headers) as response:
                await response.read()
                found.append(response.status)
    return found


async def test_the_first_requests_are_skipped_and_then_at_most_so_many_hit(replica: ReplicaServer) -> None:
    only = {"tenant": ["acme"], "after_requests": 2, "at_most": 3}
    await put(replica, "f1", "http_error", only=only)
    assert await statuses(replica, range(4)) == [200] * 4  # they do not match, and so are not counted
    mine = {"Authorization": f"Bearer {key_of('acme')}"}
    assert await statuses(replica, range(7), **mine) == [200, 200, 503, 503, 503, 200, 200]
    await put(replica, "f1", "http_error", only=only)  # a new PUT starts a new count
    assert await statuses(replica, range(3), **mine) == [200, 200, 503]
    assert replica.snapshot()["hits"] == {"f1": 4}


async def test_a_model_and_a_header_can_be_selected(replica: ReplicaServer) -> None:
    await put(replica, "f1", "http_error", only={"model": [MODEL], "header": {"X-Beta": "yes"}})
    assert await statuses(replica, range(1), **{"x-beta": "yes"}) == [503]
    assert await statuses(replica, range(1)) == [200]


PHASES = {"prefill": False, "decode": True}
"""Whether a phase selects a stream that has sent tokens."""


def test_every_phase_is_known_here() -> None:
    phases, _ = get_args(get_type_hints(RequestSelector)["phase"])
    assert set(get_args(phases)) == set(PHASES)


@pytest.mark.parametrize(("phase", "hit"), PHASES.items())
async def test_a_phase_selects_streams_by_whether_they_have_sent_tokens(
    replica: ReplicaServer, phase: str, hit: bool
) -> None:
    async def call(turn: int, tokens: int) -> bool:
        async with aiohttp.ClientSession() as http:
            body = chat(marked("x", turn=turn), max_tokens=tokens)
            try:
                async with http.post(replica.url + "/v1/chat/completions", json=body) as response:
                    return b"[DONE]" in await response.read()
            except aiohttp.ClientError:
                return False

    running = asyncio.create_task(call(0, 100))
    await until(lambda: replica.snapshot()["decoded_tokens"] > 5, "it is in progress")
    await put(replica, "f1", "cut", only={"phase": phase})
    assert await running != hit
    assert replica.snapshot()["hits"] == {"f1": int(hit)}
    assert not await call(1, 4)  # a new stream passes both phases


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"kind": "shrink_kv", "params": {"lost": 0.5}, "only": {"tenant": ["a"]}}, "selector"),
        ({"kind": "latency", "params": {"ms": 1}, "only": {"phase": "decode"}}, "phase"),
        ({"kind": "cut", "only": {"phase": "later"}}, "phase"),
        ({"kind": "cut", "only": {"at_most": 0}}, "at_most"),
        ({"kind": "cut", "only": {"colour": "red"}}, "colour"),
    ],
)
async def test_an_invalid_selector_is_400(replica: ReplicaServer, body: dict[str, Any], what: str) -> None:
    status, answer = await control(replica, "PUT", "/behaviours/f1", {"lease_s": 5, **body})
    assert status == 400
    assert what in answer["error"]
