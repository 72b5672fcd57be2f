"""The pages on small and large screens, by keyboard alone, and for a screen reader."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from chaos.gameday.core.roles import Role
from tests.support.gameday_browser import CHROMIUM, Site, chromium, site
from tests.support.gameday_room import LARGE_POOLS, FakeRoom

pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

LONG = "a-replica-of-a-pool-with-a-name-of-forty-c"
PAGES = [
    (Role.AUDIENCE, "wall"),
    (Role.RESPONDER, "respond"),
    (Role.RESPONDER, "scribe"),
    (Role.GAMEMASTER, "controls"),
]

WIDER = """() => [...document.querySelectorAll("body *")]
  .filter((part) => part.checkVisibility() && !part.closest(".sr, .long-name, .skip")
    && part.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((part) => part.outerHTML.slice(0, 120))"""
NAMELESS = """() => [...document.querySelectorAll(
    "button, a[href], input, select, textarea, summary, [role=img], [tabindex='0']")]
  .filter((part) => part.checkVisibility())
  .filter((part) => !(part.getAttribute("aria-label") || [...(part.labels ?? [])].map((one) => one.textContent).join("")
    || part.textContent.trim()) || (part.matches("select, input, textarea") && !part.labels.length))
  .map((part) => part.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this module."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def crowded(browser: Browser) -> Iterator[Site]:
    """24 replicas, 300 lines, long names, a question, a fault, a change in force."""
    room = FakeRoom({**LARGE_POOLS, "reserve": 1, LONG: 1}, log_lines=300, running_s=400.0)
    with site(browser, room) as found:
        found.act(Role.GAMEMASTER, LONG[:40], "play", {"step": "s1"})
        found.act(Role.GAMEMASTER, LONG[:40], "question", {"text": "Since when? " + "w" * 200, "who": LONG[:40]})
        found.act(Role.RESPONDER, LONG[:40], "operate", {"operation": "drain", "arguments": {"pool": LONG}})
        found.act(Role.RESPONDER, LONG[:40], "belief", {"text": "w" * 300, "cause": "other", "component": "load"})
        yield found


@pytest.fixture
def quiet(browser: Browser) -> Iterator[Site]:
    """A small exercise, for what changes it."""
    with site(browser) as found:
        yield found


@pytest.mark.parametrize(("role", "page"), PAGES)
def test_at_400_pixels_nothing_is_beyond_the_right_edge(crowded: Site, role: Role, page: str) -> None:
    window = crowded.enter(role, LONG[:40], page=page, size=(400, 860), scheme="dark")
    window.pushes(2)
    assert window.page.evaluate("document.documentElement.scrollWidth") <= 400
    assert window.page.evaluate(WIDER) == []
    assert window.problems == []
    window.context.close()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (3840, 2160)])
def test_the_wall_fits_its_screen_with_all_replicas_and_events(crowded: Site, size: tuple[int, int]) -> None:
    window = crowded.enter(Role.AUDIENCE, size=size)
    page = window.page
    expect(page.locator(".event")).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollHeight") <= size[1]
    inside = """parts => { const list = parts.map((part) => part.getBoundingClientRect());
      const box = parts[0].closest(".panel").getBoundingClientRect();
      return list.every((one) => one.bottom <= box.bottom && one.right <= box.right && one.height > 8); }"""
    assert page.locator(".event").evaluate_all(inside)
    assert page.locator(".replica").evaluate_all(inside)
    value = page.locator("#tile-good .value").bounding_box()
    assert value is not None
    assert value["height"] > size[1] / 22
    window.context.close()


@pytest.mark.parametrize(("role", "page"), PAGES)
def test_every_control_has_a_name_and_headings_are_in_order(crowded: Site, role: Role, page: str) -> None:
    window = crowded.enter(role, page=page)
    window.page.locator(".event").first.wait_for()
    assert window.page.evaluate(NAMELESS) == []
    assert window.page.locator("main").count() == 1
    levels = window.page.evaluate(
        """[...document.querySelectorAll('h1,h2,h3,h4')]
             .filter((one) => one.checkVisibility()).map((one) => Number(one.tagName[1]))"""
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = window.page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    window.context.close()


def test_notice_and_belief_work_by_keyboard_alone(quiet: Site) -> None:
    window = quiet.enter(Role.RESPONDER)
    keyboard = window.page.keyboard
    keyboard.press("i")
    expect(window.page.locator(".noticed")).to_contain_text("First noticed by Bo")
    keyboard.press("b")
    keyboard.type("tpu-0 answers slowly")
    keyboard.press("Tab")
    keyboard.type("a replica is s")
    keyboard.press("Tab")
    keyboard.type("replica t")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(window.page.locator("#beliefs")).to_contain_text("tpu-0 answers slowly")

    belief = quiet.room.beliefs[0]
    assert (belief["cause"], belief["component"]) == ("replica-slow", "replica:tpu-0")
    assert window.problems == []


def test_the_keys_of_a_page_are_listed_and_can_be_switched_off(quiet: Site) -> None:
    page = quiet.enter(Role.GAMEMASTER).page
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("abort: revert every fault now")
    keys.get_by_label("Single keys are on").uncheck()
    keys.get_by_role("button", name="Close").click()
    page.keyboard.press("a")
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    assert not quiet.room.aborted


def test_events_are_told_to_screen_readers_and_numbers_are_not(quiet: Site) -> None:
    window = quiet.enter(Role.AUDIENCE)
    quiet.act(Role.RESPONDER, "Ana", "note", {"text": "pool tpu is slow"})
    expect(window.page.locator("#live-polite")).to_have_text("note: Ana, pool tpu is slow")
    assert window.page.locator(".tiles").evaluate("node => node.closest('[aria-live]')") is None
    label = window.page.get_by_role("img", name="Calls").get_attribute("aria-label")
    assert label is not None
    assert "good: now" in label


def test_lines_have_gaps_and_their_labels_do_not_overlap(quiet: Site) -> None:
    page = quiet.enter(Role.AUDIENCE).page
    drawn = page.evaluate(
        """async () => {
          const { path, spread } = await import("./static/charts.js");
          const same = (value) => value;
          const line = path([1, 2, null, 3, null, 4, 5], same, same);
          return [line, spread([10, 11, 12], 5, 0, 100), spread([99, 99], 8, 0, 100)];
        }"""
    )
    assert drawn[0] == "M0.0 1.0h0L1.0 2.0M3.0 3.0h0M5.0 4.0h0L6.0 5.0"
    for places, gap in ((drawn[1], 5), (drawn[2], 8)):
        assert all(b - a >= gap for a, b in itertools.pairwise(sorted(places)))
        assert max(places) <= 100
