"""A game day that plays itself: `brownout gameday` as a user starts it, and people at its pages in headless browsers.

    python -m bench.gameday_demo                      # about 100 s; pictures into runs/gameday-demo
    python -m bench.gameday_demo --out DIR
    python -m bench.gameday_demo --pictures docs/img  # the four pictures of docs/game-days.md too

Mira and Omar are game masters, Ana is on call, and a wall hangs in the room. A chip becomes slow; Ana notices it, is
wrong first and right then, answers a customer, and restarts the replica. Mira injects a second fault by hand and hands
the controls over; Omar aborts, releases and ends. Then everybody reads the post-mortem. The scenario is
`bench/scenarios/gameday-demo.yaml`.

Prints what happens with minutes and seconds since the start. Exit codes: 0 when everything held that must; 1 with the
reason otherwise; 2 where it cannot be played here; 130 when it was interrupted. Nothing is left after it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

from bench.gameday_child import Failed, GameDayChild
from bench.left_of_run import listens, members, pending_faults, ports

__all__ = ["PICTURES", "main", "problems_of"]

SCENARIO: Final = Path(__file__).parent / "scenarios" / "gameday-demo.yaml"
OUT: Final = Path("runs/gameday-demo")
PICTURES: Final = {
    "wall.png": "gameday-wall.png",
    "controls.png": "gameday-controls.png",
    "responder.png": "gameday-responder.png",
    "postmortem.png": "gameday-postmortem.png",
}
"""The pictures of the documentation, by those that the demo makes."""
SLOW: Final = "trainium-0"
"""The replica that the scenario makes slow."""
TWIN: Final = "trainium-1"
"""Another replica of its pool."""
NO_FAULT: Final = "No fault is active."
SECOND: Final = "nvidia-1"
"""The replica that Mira kills by hand."""
REVIEW_WITHIN_S: Final = 60.0
BETTER_WITHIN_S: Final = 60.0
"""How soon the right repair must show on the pages."""
CALM_WITHIN_S: Final = 20.0
LONGEST_S: Final = 180.0
"""The length of the scenario: no time of people is longer."""
LASTS_S: Final = 3.0
"""How long a page must show something before the next step."""
MOST_HEIGHT: Final = 1500
"""Of a picture of a page that scrolls, CSS pixels."""
CALLS: Final = """(name) => {
  const replica = [...document.querySelectorAll(".replica")].find((one) => one.textContent.includes(name));
  return replica
    ? [".running", ".waiting"].reduce((sum, one) => sum + Number.parseInt(replica.querySelector(one).textContent), 0)
    : NaN;
}"""
"""The running and waiting calls of a replica, as its page shows them."""
STANDS_OUT: Final = f"(slow) => ({CALLS})(slow) >= 4"
"""The gateway of this stack lets at most 4 or 5 calls pile up at a replica; on an ordinary day, there are 1 to 3."""
IS_BETTER: Final = f"(slow) => ({CALLS})(slow) <= 3"
IS_CALM: Final = """() => [...document.querySelectorAll(".replica .waiting")]
  .every((one) => !(Number.parseInt(one.textContent) > 2)) && !document.querySelector(".tile[data-kind=bad]")"""


class Play:
    """The exercise, step by step. `out`: the folder of the pictures."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Print one step, with the time since the start."""
        whole = int(time.monotonic() - self._began)
        print(f"{whole // 60:02}:{whole % 60:02}  {text}", flush=True)

    def run(self, child: GameDayChild) -> None:
        """Play it all. Raises Failed, or NotShown of the people."""
        from playwright.sync_api import Error as PlaywrightError

        from bench.gameday_people import NotShown, Seat, chromium

        self.say(f"brownout gameday {SCENARIO.name} starts a stack of six replicas behind a gateway")
        with chromium() as browser:
            links = child.links()
            self.say("the stack is ready; three links were printed: game master, responders, wall")
            mira, omar = Seat(browser, "Mira", size=(1400, 1000)), Seat(browser, "Omar")
            ana, wall = Seat(browser, "Ana", size=(1400, 1000)), Seat(browser, "Wall", size=(1400, 860))
            ana.open_link(links["responders"])
            ana.picture(self._out / "entry.png")
            ana.press_enter()
            mira.enter(links["game master"])
            omar.enter(links["game master"])
            wall.enter(links["audience (wall)"])
            self.say("Ana (on call), Mira and Omar (game masters) and the wall have entered")
            try:
                self._find_and_repair(mira, ana, wall)
                self._by_hand(mira, omar, ana)
                self._review(omar, ana, wall)
            except (NotShown, PlaywrightError):
                for seat in (mira, omar, ana, wall):
                    with contextlib.suppress(PlaywrightError):
                        seat.picture(self._out / f"failed-{seat.name}.png", most_height=MOST_HEIGHT)
                raise
            found = [f"{seat.name}: {one}" for seat in (mira, omar, ana, wall) for one in seat.problems + seat.refused]
            if found:
                raise Failed("a page wrote errors to its console, or was refused something:\n  " + "\n  ".join(found))

    def _find_and_repair(self, mira: Any, ana: Any, wall: Any) -> None:
        from bench.gameday_people import NotShown

        try:
            wall.until(IS_CALM, "an ordinary day", within_s=CALM_WITHIN_S, lasts_s=LASTS_S)
        except NotShown:
            self.say("this machine is busy: calls wait without a fault, so what follows may be hard to see")
        mira.press("Start the exercise")
        wall.until_text("#state", "Running")
        self.say("Mira starts the exercise; Ana sees an ordinary day")
        mira.until_text("#faults .fault", "slow_decode", "the fault is played at its time")
        self.say(f"the fault plays at its time: {SLOW} is slow. Only the game masters are told")
        wall.until(
            STANDS_OUT,
            f"calls pile up at {SLOW}",
            argument=SLOW,
            within_s=BETTER_WITHIN_S,
            lasts_s=LASTS_S,
        )
        self.say(f"the wall shows it: {self._calls(wall)}")
        wall.picture(self._out / "wall.png")
        ana.press_i_see_something("some calls take very long")
        self.say("Ana presses I see something")
        ana.believe("the gateway is slow today", "the scheduling of the gateway is slow", "the gateway")
        mira.until_text("#beliefs .verdict", "wrong", "the game master is told that this belief is wrong")
        self.say("Ana believes that it is the gateway: wrong, says the page of the game masters")
        ana.until_text(".question[data-state=open]", "one call in six", "the customer's question")
        ana.answer("It is us. We are looking into it and write again in five minutes.")
        self.say("a customer calls, and Ana answers")
        ana.until_text("#hints li", "Compare the replicas", "the hint")
        self.say("a hint comes by itself, because nobody has said what it is")
        ana.page.get_by_label("What I believe").fill("half a sentence")
        ana.reload()
        self.say("Ana reloads her page in the middle of a sentence: what she wrote down before is still there")
        if "the gateway is slow today" not in ana.text("#beliefs"):
            raise Failed("after a reload, the page of the responder has lost a belief")
        ana.believe(f"{SLOW} is slow: calls pile up there, and not at {TWIN}", "a replica is slow", f"replica {SLOW}")
        mira.until_text("#beliefs .verdict.good", "right", "the game master is told that this belief is right")
        self.say(f"Ana believes that {SLOW} is slow: right")
        ana.picture(self._out / "responder.png", most_height=MOST_HEIGHT)
        ana.operate("Restart a replica", SLOW, within_s=BETTER_WITHIN_S)
        mira.until_text(
            "#faults .empty", "No fault is active.", "the restart has ended the fault", within_s=BETTER_WITHIN_S
        )
        self.say(f"Ana restarts {SLOW}: the right repair, the fault is over")
        wall.until(IS_BETTER, f"{SLOW} is as fast as before", argument=SLOW, within_s=BETTER_WITHIN_S, lasts_s=LASTS_S)
        self.say(f"the wall shows it: {self._calls(wall)}")
        mira.page.get_by_label("Health checks stayed green").check()
        self.say("Mira ticks the finding: health checks stayed green for the whole time")

    def _calls(self, wall: Any) -> str:
        slow, twin = (wall.page.evaluate(CALLS, name) for name in (SLOW, TWIN))
        return f"running and waiting calls: {slow} at {SLOW}, {twin} at {TWIN}"

    def _by_hand(self, mira: Any, omar: Any, ana: Any) -> None:
        preview = mira.preview("kill", (SECOND,), "1m")
        self.say(f"Mira looks what a second fault would hit: {preview}")
        mira.inject()
        mira.until_text("#faults .fault", "confirmed", "the second fault is confirmed")
        self.say("Mira injects it by hand")
        ana.until_text(".replica[data-state=silent]", SECOND, "the replica is silent on the responder's page")
        ana.press_i_see_something(f"{SECOND} is silent")
        ana.operate("Drain a pool", "nvidia", within_s=BETTER_WITHIN_S)
        self.say(f"Ana sees that {SECOND} is silent, and drains its pool")
        mira.picture(self._out / "controls.png")
        mira.hand_over("Omar")
        omar.until_text("#holder", "You have the controls")
        self.say("Mira hands the controls over to Omar")
        omar.key("a")
        omar.until_text("#banner-aborted", "Aborted", "the abort is shown")
        omar.until_text("#faults .empty", NO_FAULT, "every fault is reverted", within_s=BETTER_WITHIN_S)
        self.say("Omar aborts with one key: every fault is reverted")
        omar.press("Release")
        omar.until("document.querySelector('#banner-aborted').hidden", "the abort is released")
        self.say("Omar releases the abort")
        ana.note("To do: an alert that compares the replicas of a pool")
        scribe = ana.tab()
        scribe.goto(f"{ana.page.url.rpartition('/')[0]}/scribe")
        scribe.locator("#log .event").first.wait_for()
        scribe.screenshot(path=str(self._out / "scribe.png"))
        scribe.close()
        self.say("Ana writes a note; the scribe's page has the whole log")

    def _review(self, omar: Any, ana: Any, wall: Any) -> None:
        omar.end()
        self.say("Omar ends the exercise")
        wall.until("document.querySelector('#review .restored.good') !== null", "everything is restored", within_s=60)
        self.say("everything is reverted and verified; every page shows what it was")
        wall.until_text("#review .files", "postmortem.html", "the post-mortem", within_s=REVIEW_WITHIN_S)
        wall.picture(self._out / "review.png", most_height=MOST_HEIGHT)
        ana.page.get_by_role("link", name="Open postmortem.html").click()
        ana.page.get_by_role("heading", level=1).wait_for()
        ana.picture(self._out / "postmortem.png", most_height=MOST_HEIGHT)
        self.say("the post-mortem is on the pages: the truth beside what Ana believed, and the times")


def problems_of(exercise: dict[str, Any]) -> list[str]:
    """What does not hold in the part `exercise` of a report, one sentence each."""
    found = []
    if not (exercise.get("restored") or {}).get("verified"):
        found.append("the report does not say that everything is restored and verified")
    ended = {one["kind"]: one["ended_by"] for one in exercise["truth"]}
    for kind, why in (("slow_decode", "repair"), ("slow_prefill", "repair"), ("kill", "abort")):
        if why not in str(ended.get(kind)):
            found.append(f"{kind} should have been ended by {why}, and was by {ended.get(kind, 'nothing: not played')}")
    verdicts = [one["verdict"] for one in exercise["beliefs"]]
    if verdicts != ["wrong", "right"]:
        found.append(f"the verdicts of the beliefs should be wrong, right, and are {', '.join(verdicts) or 'none'}")
    times = {one["what"]: one["seconds"] for one in exercise["times"] if one["who"] == "people" and one["period"] == 1}
    found += [
        f"the {what} of people is no time that is possible: {seconds}"
        for what, seconds in times.items()
        if not isinstance(seconds, int | float) or not 0 <= seconds < LONGEST_S
    ]
    return found


def _check_after(child: GameDayChild, code: int) -> None:
    folder = child.folder
    if code != 0 or folder is None:
        raise Failed(f"brownout gameday ended with exit code {code}:\n{child.output.strip()[-1500:]}")
    found = problems_of(json.loads((folder / "report.json").read_text())["exercise"])
    found += [f"there is no {name}" for name in ("postmortem.md", "postmortem.html") if not (folder / name).exists()]
    found += [f"a process is left: {pid}" for pid in members(folder)]
    found += [f"a port still listens: {port}" for port in ports(folder) if listens(port)]
    found += [f"the write-ahead file lists {fault}" for fault in pending_faults(folder)]
    if found:
        raise Failed("\n".join(found))


@contextlib.contextmanager
def _interrupts() -> Iterator[None]:
    """A signal to end is an interrupt, also the one of a closed terminal: everything is tidied up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _why_not() -> str:
    if not any(map(shutil.which, ("chromium", "chromium-browser"))):
        return "Chromium is not installed: make gameday-demo installs Debian's, or apt-get install chromium"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed: it is one of the development requirements; use make gameday-demo"
    return ""


def _play(options: argparse.Namespace) -> None:
    out: Path = options.out
    shutil.rmtree(out / "runs", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    play = Play(out)
    with GameDayChild(SCENARIO, out) as child:
        from playwright.sync_api import Error as PlaywrightError

        from bench.gameday_people import NotShown

        try:
            play.run(child)
        except NotShown as error:
            raise Failed(str(error)) from None
        except PlaywrightError as error:
            raise Failed(f"a page could not be used: {error}") from None
        code = child.leave()
    _check_after(child, code)
    for source, name in PICTURES.items() if options.pictures else ():
        options.pictures.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / source, options.pictures / name)
    play.say(f"everything held; pictures: {out}, record: {child.folder}")


def main(argv: Sequence[str]) -> int:
    """Play the exercise. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"for pictures and the record ({OUT})")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="copy those of the documentation into this folder")
    options = parser.parse_args(argv)
    if why := _why_not():
        print(why, file=sys.stderr)
        return 2
    with _interrupts():
        try:
            _play(options)
        except Failed as error:
            print(f"gameday-demo: failed: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("gameday-demo: interrupted; everything is ended", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
