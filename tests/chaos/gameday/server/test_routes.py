"""What each path answers to the pages: entry, state, actions, the post-mortem."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from chaos.gameday.core.roles import Role
from chaos.gameday.server.answers import PAGE_POLICY
from reports.shared.errors import TargetFailed
from tests.support.gameday_documents import FAULT_WORDS
from tests.support.gameday_room import FakeRoom
from tests.support.gameday_server import Browser, exercise, until

KEY = "0d9b4f1e-8c55-4c0e-9d6b-0d0d0d0d0d{:02d}"


async def test_an_entry_page_is_the_same_for_everybody_and_holds_no_data() -> None:
    async with exercise() as site:
        inside = await site.enter(Role.GAMEMASTER)
        for path in ("/", "/wall", "/controls", "/respond", "/scribe", "/static/app.js"):
            stranger, entered = await Browser(site).get(path), await inside.get(path)
            assert (stranger.status, stranger.text) == (200, entered.text)
            assert stranger.headers["Cache-Control"] == "no-cache"
            again = await Browser(site).get(path, {"If-None-Match": stranger.headers["ETag"]})
            assert (again.status, again.text) == (304, "")


@pytest.mark.parametrize(
    ("role", "page"), [(Role.GAMEMASTER, "/controls"), (Role.RESPONDER, "/respond"), (Role.AUDIENCE, "/wall")]
)
async def test_a_token_is_exchanged_for_a_cookie_that_scripts_cannot_read(role: Role, page: str) -> None:
    async with exercise() as site:
        browser = Browser(site)
        answer = await browser.post("/api/enter", {"token": site.token(role), "name": "Ana"})
        assert answer.json == {"role": role.value, "name": "Ana", "page": page}
        name, _, rest = answer.headers["Set-Cookie"].partition("=")
        secret, *flags = rest.split("; ")
        assert name == f"brownout-gameday-{site.port}"
        assert len(secret) == 43
        assert flags == ["Path=/", "HttpOnly", "SameSite=Strict"]
        assert site.token(role) not in answer.text + str(answer.headers)
        assert [person.name for person in site.room.people.values()] == ["Ana"]
        state = await browser.get("/api/state")
        assert (state.json["role"], state.json["seq"] >= 0, "at" in state.json) == (role.value, True, True)


async def test_data_is_refused_without_a_session_and_with_a_wrong_one() -> None:
    async with exercise() as site:
        wrong = Browser(site, {f"brownout-gameday-{site.port}": site.token(Role.GAMEMASTER)})
        other_port = await site.enter(Role.GAMEMASTER)
        other_port.cookies = {"brownout-gameday-1": next(iter(other_port.cookies.values()))}
        for browser in (Browser(site), wrong, other_port):
            answers = [await browser.get(path) for path in ("/api/state", "/api/stream", "/review/postmortem.html")]
            answers.append(await browser.act(KEY.format(1), "note", text="x"))
            assert [answer.status for answer in answers] == [401] * 4
            assert all("open your link again" in answer.json["error"] for answer in answers)
        assert site.room.acts == []


async def test_a_wrong_token_gets_403_and_no_cookie() -> None:
    async with exercise() as site:
        answer = await Browser(site).post("/api/enter", {"token": "wrong", "name": "Eve"})
        assert (answer.status, answer.json["ok"]) == (403, False)
        assert "Set-Cookie" not in answer.headers
        assert site.room.people == {}


async def test_who_leaves_has_no_session_any_more() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        before = dict(browser.cookies)
        async with browser.stream() as events:
            await anext(events)
            answer = await browser.post("/api/leave", {})
            assert answer.status == 200
            assert "Max-Age=0" in answer.headers["Set-Cookie"]
            assert [event.kind async for event in events if event.kind != "state"] == []
        assert (await Browser(site, before).get("/api/state")).status == 401


async def test_who_enters_again_in_one_browser_replaces_the_session() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.AUDIENCE)
        before = dict(browser.cookies)
        await browser.post("/api/enter", {"token": site.token(Role.RESPONDER), "name": "Ana"})
        assert (await browser.get("/api/state")).json["role"] == "responder"
        assert (await Browser(site, before).get("/api/state")).status == 401


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.AUDIENCE])
async def test_only_the_game_master_receives_what_is_withheld(role: Role) -> None:
    async with exercise(room=FakeRoom(running_s=100)) as site:
        master, other = await site.enter(Role.GAMEMASTER, "Gus"), await site.enter(role)
        await master.act(KEY.format(1), "play")
        told = (await master.get("/api/state")).text
        assert [word for word in FAULT_WORDS if word not in told] == []
        seen = (await other.get("/api/state")).text
        assert [word for word in (*FAULT_WORDS, '"gamemaster":') if word in seen] == []


async def test_an_action_is_carried_out_and_its_text_comes_back() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        answer = await browser.act(KEY.format(1), "operate", operation="drain", arguments={"pool": "tpu"})
        assert (answer.status, answer.json) == (200, {"ok": True, "text": "drain tpu"})
        person, do, arguments = site.room.acts[0]
        assert (person.name, do, arguments) == ("Ana", "operate", {"operation": "drain", "arguments": {"pool": "tpu"}})


async def test_markup_in_a_note_comes_back_as_the_same_text_in_json() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.AUDIENCE, "</script>")
        text = "</script><img src=x onerror=alert(1)> \u2028 &amp;"
        await browser.act(KEY.format(1), "note", text=text)
        state = await browser.get("/api/state")
        assert state.headers["Content-Type"] == "application/json"
        assert (state.json["log"][-1]["text"], state.json["log"][-1]["who"]) == (text, "</script>")


async def test_refusals_of_the_exercise_have_their_status_and_text() -> None:
    async with exercise() as site:
        responder, audience = await site.enter(Role.RESPONDER), await site.enter(Role.AUDIENCE, "Ben")
        master, second = await site.enter(Role.GAMEMASTER, "Gus"), await site.enter(Role.GAMEMASTER, "Hal")
        assert (await audience.act(KEY.format(1), "abort")).status == 403
        assert (await responder.act(KEY.format(1), "inject", kind="kill", options={})).status == 403
        assert (await second.act(KEY.format(1), "start")).status == 409
        unknown = await master.act(KEY.format(1), "format_disk")
        assert (unknown.status, "format_disk" in unknown.json["error"]) == (400, True)
        assert (await responder.act(KEY.format(2), "note", text="")).status == 400
        assert (await master.act(KEY.format(2), "end")).status == 200
        over = await responder.act(KEY.format(3), "notice")
        assert (over.status, "over" in over.json["error"]) == (409, True)


async def test_a_failed_target_is_409_and_a_defect_500_without_details(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(FakeRoom):
        async def act(self, person: Any, do: str, arguments: Any) -> dict[str, Any]:
            raise TargetFailed("tpu-0 did not start again") if do == "operate" else LookupError("inner detail")

    async with exercise(room=Failing()) as site:
        browser = await site.enter(Role.RESPONDER)
        failed, defect = await browser.act(KEY.format(1), "operate"), await browser.act(KEY.format(2), "note")
        assert (failed.status, failed.json["error"]) == (409, "tpu-0 did not start again")
        assert defect.status == 500
        assert "inner detail" not in defect.text
        assert "inner detail" in caplog.text


async def test_two_presses_with_one_key_at_once_do_one_thing() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        site.room.gate = asyncio.Event()
        presses = [asyncio.ensure_future(browser.act(KEY.format(1), "notice", text=str(n))) for n in range(5)]
        await until(lambda: site.server.connections >= 5)
        site.room.gate.set()
        assert {answer.text for answer in await asyncio.gather(*presses)} == {'{"ok":true,"text":"done: notice"}'}
        assert len(site.room.acts) == 1
        assert (await browser.act(KEY.format(1), "note", text="later")).json["text"] == "done: notice"
        other = await site.enter(Role.RESPONDER, "Ben")
        await other.act(KEY.format(1), "notice")
        assert len(site.room.acts) == 2


async def test_an_action_whose_browser_is_gone_is_done_once_and_answered_later() -> None:
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        site.room.gate = asyncio.Event()
        press = asyncio.ensure_future(browser.act(KEY.format(1), "notice"))
        session = next(iter(site.server.access._sessions.values()))
        await until(lambda: len(session.once.under_way()) == 1)
        press.cancel()
        await asyncio.gather(press, return_exceptions=True)
        site.room.gate.set()
        assert (await browser.act(KEY.format(1), "notice")).status == 200
        assert len(site.room.acts) == 1


async def test_too_many_actions_are_refused_with_a_time_and_others_go_on() -> None:
    async with exercise() as site:
        browser, other = await site.enter(Role.RESPONDER), await site.enter(Role.RESPONDER, "Ben")
        answers = [await browser.act(f"key-{number:08d}", "note", text="x") for number in range(60)]
        late = [answer for answer in answers if answer.status == 429]
        assert late
        assert late[0].headers["Retry-After"] == "1"
        assert {answer.status for answer in answers[:40]} == {200}
        assert (await other.act(KEY.format(1), "note", text="x")).status == 200


async def test_the_post_mortem_is_there_for_every_role_when_it_is_over() -> None:
    async with exercise() as site:
        people = [await site.enter(role, role.value) for role in Role]
        assert [(await one.get("/review/postmortem.html")).status for one in people] == [404] * 3
        site.room.state = "over"
        for one in people:
            page, text = await one.get("/review/postmortem.html"), await one.get("/review/postmortem.md")
            assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert "script-src" not in page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
            assert (text.status, page.headers["Cache-Control"]) == (200, "no-store")
        assert (await people[0].get("/review/report.json")).status == 404


async def test_every_answer_has_the_headers_and_no_log_has_a_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with exercise() as site:
        browser = await site.enter(Role.RESPONDER)
        answers = [
            await browser.get(path) for path in ("/", "/static/look.css", "/api/state", "/nothing", "/api/enter")
        ]
        answers.append(await browser.get("/", {"Origin": site.url}, "PUT"))
        answers.append(await browser.post("/api/action", b"{", {}))
        answers.append(await browser.post("/api/enter", {"token": site.token(Role.AUDIENCE), "name": 5}))
        answers.append(await Browser(site).get("/api/stream"))
        assert [answer.status for answer in answers] == [200, 200, 200, 404, 405, 405, 400, 400, 401]
        for answer in answers:
            assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "Cache-Control" in answer.headers
            assert answer.headers["Server"] == "brownout"
        secrets = [*(site.token(role) for role in Role), *browser.cookies.values()]
        told = caplog.text + "".join(answer.text for answer in answers)
        assert [secret for secret in secrets if secret in told] == []
