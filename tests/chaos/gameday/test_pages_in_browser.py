"""The pages in a browser: what each shows, what people press and type, and what happens when the connection is lost."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from chaos.gameday.core.roles import Role
from tests.support.gameday_browser import CHROMIUM, Site, chromium, site
from tests.support.gameday_room import FakeRoom

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

MARKUP = "</script><img src=x onerror=window.hit=1>"
PAGES = [
    (Role.AUDIENCE, "wall"),
    (Role.RESPONDER, "respond"),
    (Role.RESPONDER, "scribe"),
    (Role.GAMEMASTER, "controls"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this module."""
    with chromium() as found:
        yield found


@pytest.fixture
def played(browser: Browser) -> Iterator[Site]:
    """An exercise that has been running for a while."""
    with site(browser) as found:
        yield found


@pytest.mark.parametrize(("role", "page"), PAGES)
def test_each_page_shows_the_exercise_without_any_error(played: Site, role: Role, page: str) -> None:
    played.act(Role.GAMEMASTER, "Grace", "play", {"step": "s1"})
    window = played.enter(role, page=page)

    expect(window.page.get_by_role("heading", level=1)).to_have_text("Tuesday's exercise")
    expect(window.page.locator("#state")).to_have_text("Running")
    expect(window.page.locator("#link")).to_contain_text("Numbers")
    if page != "scribe":
        expect(window.page.locator("#tile-good .value")).to_have_text("11.4")
        expect(window.page.locator(".chart .line.good .stroke")).to_have_attribute("d", re.compile(r"^M.*L"))
    window.pushes(3)
    assert window.problems == []
    assert all(url.startswith((played.server.url, "data:")) for url in window.asked)


@pytest.mark.parametrize(("role", "page"), PAGES[1::2])
def test_markup_in_names_and_notes_is_text(played: Site, role: Role, page: str) -> None:
    played.act(Role.AUDIENCE, MARKUP, "note", {"text": MARKUP})
    window = played.enter(role, MARKUP[:40], page=page)

    expect(window.page.locator(".event .text").first).to_contain_text(MARKUP)
    assert window.page.locator("img").count() == 0
    assert window.page.evaluate("window.hit") is None
    assert window.problems == []


def test_a_draft_its_focus_and_an_open_list_survive_pushes(played: Site) -> None:
    page = (window := played.enter(Role.RESPONDER)).page
    text = page.get_by_role("textbox", name="What I believe")
    page.get_by_label("Cause").select_option("replica-slow")
    text.press_sequentially("tpu-0 is ")
    page.evaluate("window.same = document.activeElement")
    played.act(Role.RESPONDER, "Ana", "note", {"text": "something else happens"})
    played.act(Role.GAMEMASTER, "Grace", "question", {"text": "Since when?", "who": "A customer"})
    page.get_by_label("Your answer").wait_for()
    window.pushes(3)
    text.press_sequentially("slow")

    assert page.evaluate("window.same === document.activeElement")
    expect(text).to_have_value("tpu-0 is slow")
    expect(page.get_by_label("Cause")).to_have_value("replica-slow")


def test_a_double_click_is_one_action(played: Site) -> None:
    window = played.enter(Role.RESPONDER)
    sent: list[str] = []
    window.page.on("request", lambda request: sent.append(request.url) if "api/action" in request.url else None)
    gate = played.do(asyncio.Event)
    played.room.gate = gate
    button = window.page.get_by_role("button", name="I see something")
    button.dblclick()
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_be_focused()
    played.do(gate.set)
    expect(window.page.locator(".noticed")).to_contain_text("First noticed by Bo")

    assert len(sent) == 1
    assert [do for _, do, _ in played.room.acts] == ["notice"]


def test_a_lost_answer_is_asked_for_again_with_the_same_key(played: Site) -> None:
    page = played.enter(Role.RESPONDER).page
    keys: list[str] = []

    def lose_the_first(route: Route) -> None:
        keys.append(json.loads(route.request.post_data or "{}")["key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/action", lose_the_first)
    page.get_by_role("textbox", name="Note", exact=True).fill("seen once")
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_role("textbox", name="Note", exact=True)).to_have_value("")

    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert [do for _, do, _ in played.room.acts] == ["note"]


def test_a_refusal_is_shown_at_its_control_and_keeps_the_draft(played: Site) -> None:
    page = played.enter(Role.RESPONDER).page
    page.get_by_role("textbox", name="What I believe").fill("tpu-0 is slow")
    page.get_by_role("button", name="This is what I believe").click()
    expect(page.locator("#belief .answer")).to_have_text(
        "Cause: choose one. \u201csomething else\u201d is one of them."
    )
    page.get_by_label("Cause").select_option("replica-slow")
    page.get_by_label("Where", exact=True).select_option("replica:tpu-0")
    played.room.state = "over"
    page.get_by_role("button", name="This is what I believe").click()

    expect(page.locator("#belief .answer")).to_contain_text("the exercise is over")
    expect(page.locator("#live-assertive")).to_contain_text("the exercise is over")
    expect(page.get_by_role("textbox", name="What I believe")).to_have_value("tpu-0 is slow")


def test_one_key_aborts_but_not_while_somebody_types(played: Site) -> None:
    played.act(Role.GAMEMASTER, "Grace", "play", {"step": "s1"})
    page = played.enter(Role.GAMEMASTER).page
    note = page.get_by_role("textbox", name="Note", exact=True)
    note.press_sequentially("a a A")
    expect(note).to_have_value("a a A")
    assert not played.room.aborted
    note.press("Escape")
    page.keyboard.press("a")

    expect(page.locator("#banner-aborted")).to_contain_text("Aborted")
    assert played.room.aborted
    page.get_by_role("button", name="Release").click()
    expect(page.locator("#banner-aborted")).to_be_hidden()


def test_a_fault_is_previewed_before_it_can_be_injected(played: Site) -> None:
    page = played.enter(Role.GAMEMASTER).page
    page.get_by_role("combobox", name="Fault").select_option("slow_decode")
    preview = page.locator(".preview-box")
    expect(preview).to_have_text("Choose: targets.")
    page.get_by_role("button", name="Inject it").click()
    expect(page.locator("#inject .answer")).to_contain_text("Wait for the preview")
    page.get_by_label("tpu-0", exact=True).check()
    page.get_by_label("tpu-1", exact=True).check()
    page.get_by_label("For how long").fill("30s")
    expect(preview).to_have_text("slow_decode would hit: tpu-0")
    page.get_by_role("button", name="Inject it").click()
    expect(page.locator("#faults")).to_contain_text("confirmed")

    options = {"targets": ["tpu-0", "tpu-1"]}
    assert [(do, rest) for _, do, rest in played.room.acts][-1] == (
        "inject", {"kind": "slow_decode", "options": options, "for": "30s"},
    )  # fmt: skip
    page.get_by_role("button", name="Revert: ").click()
    expect(page.locator("#faults")).to_contain_text("No fault is active")


def test_the_next_step_is_played_by_its_name_and_not_the_one_after_it(played: Site) -> None:
    page = played.enter(Role.GAMEMASTER).page
    page.get_by_role("button", name="Play the next step").click()
    expect(page.locator("#sheet .answer[data-kind=good]").first).to_be_visible()
    assert [(do, rest) for _, do, rest in played.room.acts][-1] == ("play", {"step": "s1"})


@pytest.mark.long
def test_who_lacks_the_controls_sees_who_has_them_and_can_take_them(played: Site) -> None:
    first = played.enter(Role.GAMEMASTER, "Grace").page
    second = played.enter(Role.GAMEMASTER, "Ada").page
    expect(second.locator("#holder")).to_have_text("Controls: Grace")
    expect(second.get_by_role("button", name="Hold", exact=True)).to_be_disabled()
    expect(second.get_by_role("button", name="Abort")).to_be_enabled()
    second.get_by_role("button", name="Take the controls").click()

    expect(first.locator("#holder")).to_have_text("Controls: Ada")
    expect(second.get_by_role("button", name="Hold", exact=True)).to_be_enabled()
    second.get_by_label("Hand over to").select_option(label="Grace")
    second.get_by_role("button", name="Hand over the controls").click()
    expect(first.locator("#holder")).to_have_text("You have the controls")


@pytest.mark.long
def test_a_lost_connection_and_its_return_are_shown(played: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    window = played.enter(Role.AUDIENCE)

    def silent(_: Role) -> dict[str, object]:
        raise ConnectionError("no document now")

    with monkeypatch.context() as patch:
        patch.setattr(played.room, "view", silent)
        expect(window.page.locator("#banner-old")).to_contain_text("These numbers are old", timeout=10_000)
        expect(window.page.locator("#banner-link")).to_contain_text("Connection lost", timeout=10_000)
    expect(window.page.locator("#banner-back")).to_contain_text("Connected again after", timeout=10_000)
    expect(window.page.locator("#banner-link")).to_be_hidden()
    expect(window.page.locator("body")).to_have_attribute("data-numbers", "fresh")


def test_a_session_that_is_gone_leads_back_to_the_entry(played: Site) -> None:
    window = played.enter(Role.RESPONDER)
    window.context.clear_cookies()
    window.page.get_by_role("textbox", name="Note", exact=True).fill("a note")
    window.page.get_by_role("button", name="Write it down").click()

    expect(window.page.get_by_role("alert")).to_contain_text("Your session has ended. Open your link again")
    assert window.page.url == f"{played.server.url}/"


def test_the_token_leaves_the_address_and_the_name_is_remembered(played: Site) -> None:
    window = played.window()
    window.page.goto(played.server.links[Role.RESPONDER])
    window.page.get_by_label("Your name").wait_for()
    assert window.page.url == f"{played.server.url}/"
    window.page.get_by_role("button", name="Enter").click()
    expect(window.page.get_by_role("alert")).to_contain_text("Write your name first")
    window.page.get_by_label("Your name").fill("Bo")
    window.page.keyboard.press("Enter")
    window.page.wait_for_url("**/respond")
    expect(window.page.locator("#you")).to_have_text("Bo, responder")
    window.page.goto(played.server.links[Role.RESPONDER])
    expect(window.page.get_by_label("Your name")).to_have_value("Bo")
    assert window.page.evaluate("localStorage.length") == 0
    assert "t=" not in str(window.page.evaluate("JSON.stringify(sessionStorage)"))


@pytest.mark.parametrize(
    ("fragment", "said"), [("", "This address has no token"), ("#t=wrong-token-that-opens-nothing", "link")]
)
def test_a_missing_or_wrong_token_is_said_clearly(played: Site, fragment: str, said: str) -> None:
    page = played.window().page
    page.goto(f"{played.server.url}/{fragment}")
    if fragment:
        page.get_by_label("Your name").fill("Bo")
        page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert")).to_contain_text(said)


def test_a_page_of_another_role_says_so_and_leads_to_the_own_one(played: Site) -> None:
    page = played.enter(Role.AUDIENCE, page="controls").page
    expect(page.get_by_role("alert")).to_contain_text("Controls is not for your role")
    page.get_by_role("link", name="Go to Wall").click()
    expect(page.locator("#tile-good .value")).to_have_text("11.4")


def test_the_scribe_writes_filters_and_copies(played: Site) -> None:
    window = played.enter(Role.RESPONDER, page="scribe")
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = window.page
    expect(page.get_by_role("textbox", name="Note", exact=True)).to_be_focused()
    page.keyboard.type("the provider answers")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#log .event").first).to_contain_text("Bo: the provider answers")
    page.get_by_label("Filter by words").fill("provider")
    expect(page.locator("#log .event")).to_have_count(1)
    page.get_by_role("button", name="Copy as text").click()
    expect(page.locator("#copied")).to_have_text("Copied.")
    assert "note\tBo\tthe provider answers" in page.evaluate("navigator.clipboard.readText()")


def test_the_end_is_announced_and_the_truth_stands_beside_beliefs(played: Site) -> None:
    belief = {"text": "tpu-0 is slow", "cause": "replica-slow", "component": "replica:tpu-0"}
    played.act(Role.RESPONDER, "Ana", "belief", belief)
    window = played.enter(Role.AUDIENCE)
    expect(window.page.locator("#review")).to_be_hidden()
    played.act(Role.GAMEMASTER, "Grace", "end")

    expect(window.page.locator("#banner-announcement")).to_have_text("The exercise is over. Everything is restored.")
    review = window.page.get_by_role("region", name="Review")
    for text in (
        "tpu-0 decodes 10 times slower",
        "tpu-0 is slow",
        "right",
        "1 min 36 s",
        "the gateway never ejected it",
    ):
        expect(review).to_contain_text(text)
    assert review.get_by_role("link", name="postmortem.html").get_attribute("href") == "review/postmortem.html"


@pytest.mark.long
def test_an_exercise_in_which_nothing_happened_yet_has_no_error(browser: Browser) -> None:
    room = FakeRoom({}, points=0, log_lines=0)
    room.sheet = []
    with site(browser, room) as found:
        for role, page in PAGES:
            window = found.enter(role, page=page)
            expect(window.page.locator("#state")).to_have_text("Briefing")
            window.pushes(2)
            assert window.problems == [], page
            window.context.close()
