"""A whole exercise in headless browsers over the real process: two game masters, a responder, and what can go wrong."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.gameday_people import CHROMIUM, Seat, chromium
from bench.left_of_run import pending_faults
from tests.support.gameday_session import GameDayProcess, write_scenario
from tests.support.run_helpers import until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

NO_FAULT = ("#faults .empty", "No fault is active.")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this module."""
    with chromium() as found:
        yield found


def lost(seat: Seat) -> None:
    seat.until_text("#banner-link", "Connection lost", "the page says that the connection is lost")


def back(seat: Seat) -> None:
    seat.until_text("#banner-back", "Connected again", "the page says that it is connected again")
    seat.until("document.querySelector('#banner-link').hidden", "the page no longer says that the connection is lost")


def test_people_play_a_whole_exercise_in_browsers(tmp_path: Path, browser: Browser) -> None:
    with GameDayProcess(tmp_path, str(write_scenario(tmp_path)), "--stay", "60s") as day:
        mira, omar, ana = Seat(browser, "Mira"), Seat(browser, "Omar"), Seat(browser, "Ana")
        mira.enter(day.links["gamemaster"])
        ana.enter(day.links["responder"])
        mira.press("Start the exercise")
        mira.until_text("#faults .fault", "slow_decode on beta-0", "the step is played at its time")

        # notice, a second tab, a wrong belief, a reload in the middle, the right belief, the repair
        ana.press_i_see_something("answers are slow")
        second = ana.tab()
        second.goto(ana.page.url)
        second.locator("#link[data-link=live]").wait_for()
        ana.believe("the gateway is slow", "the scheduling of the gateway is slow", "the gateway")
        second.locator("#beliefs .strong", has_text="the gateway is slow").wait_for()
        second.close()
        ana.page.get_by_label("What I believe").fill("not sent yet")
        ana.reload()
        ana.until_text("#beliefs .strong", "the gateway is slow", "the belief is there after a reload")
        ana.believe("beta-0 is slow", "a replica is slow", "replica beta-0")
        mira.until_text("#beliefs .verdict.good", "right")
        ana.answer("It is us.")
        ana.operate("Drain a pool", "beta")
        mira.until_text(*NO_FAULT, "the drain has ended the fault")
        ana.until_text("#in-force .strong", "pool beta is drained")

        # the browser of the responder is offline for a while
        ana.go_offline()
        lost(ana)
        ana.page.locator("#note textarea").fill("written without a network")
        ana.press("Write it down")
        ana.until_text("#note .answer", "it is done only once", "the page says that it tries again")
        ana.go_online()
        back(ana)
        ana.until_text("#note .answer[data-kind=good]", "", "the note is written down")

        # inject by hand, hand over, abort by key, release
        assert "kill on alpha-0 (1 of 2 replicas)" in mira.preview("kill", ("alpha-0",), "2m")
        mira.inject()
        omar.enter(day.links["gamemaster"])
        mira.hand_over("Omar")
        omar.until_text("#holder", "You have the controls")
        assert mira.page.get_by_role("button", name="End the exercise").is_disabled()
        mira.key("a")  # without the controls, and asks nothing
        omar.until_text("#banner-aborted", "Aborted")
        omar.until_text(*NO_FAULT, "the abort has reverted the fault")
        omar.press("Release")
        omar.until("document.querySelector('#banner-aborted').hidden", "the abort is released")
        omar.end()

        ana.until("document.querySelector('#review .restored.good') !== null", "everything is restored")
        ana.until_text("#review .files", "postmortem.html", "the post-mortem", within_s=60)
        ana.page.get_by_role("link", name="Open postmortem.html").click()
        ana.page.get_by_role("heading", level=1).wait_for()
        assert [seat.defects for seat in (mira, omar, ana)] == [[], [], []]
        assert mira.problems == omar.problems == []
        assert [one["text"] for one in day.facts("note")] == ["written without a network"]
        day.process.terminate()
        assert day.ends() == 0
    whys = {one["data"]["fault"]: one["data"]["why"] for one in day.facts("reverted")}
    assert whys == {"h1": "repair", "h2": "abort"}


def test_after_a_short_stop_of_its_process_the_exercise_goes_on(tmp_path: Path, browser: Browser) -> None:
    with GameDayProcess(tmp_path, str(write_scenario(tmp_path)), "--stay", "1s") as day:
        mira, ana = Seat(browser, "Mira"), Seat(browser, "Ana")
        mira.enter(day.links["gamemaster"])
        ana.enter(day.links["responder"])
        mira.press("Start the exercise")
        mira.until_text("#faults .fault", "confirmed", "the fault is confirmed")
        os.kill(day.process.pid, signal.SIGSTOP)
        try:
            lost(ana)
        finally:
            os.kill(day.process.pid, signal.SIGCONT)
        back(ana)
        mira.until_text("#state", "Running", "the exercise goes on")
        ana.press_i_see_something("the page was lost for a moment")
        assert mira.defects == ana.defects == []
        mira.end()
        assert day.ends() == 0
    assert day.facts("restored")[0]["data"]["verified"] is True


def test_after_a_long_stop_faults_are_reverted_and_pages_say_that_it_ended(tmp_path: Path, browser: Browser) -> None:
    with GameDayProcess(tmp_path, str(write_scenario(tmp_path)), "--stay", "1s") as day:
        mira = Seat(browser, "Mira")
        mira.enter(day.links["gamemaster"])
        mira.press("Start the exercise")
        mira.until_text("#faults .fault", "confirmed", "the fault is confirmed")
        os.kill(day.process.pid, signal.SIGSTOP)
        try:
            lost(mira)
            until(lambda: not pending_faults(day.folder), "the shepherd has reverted the fault", 30)
        finally:
            os.kill(day.process.pid, signal.SIGCONT)
        mira.until_text("#banner-link", "has ended", "the page says that the game day has ended", within_s=60)
        assert mira.defects == []
        assert day.ends() == 5
    assert "lease expired" in day.output
    assert day.facts("restored")[0]["data"]["verified"] is True
