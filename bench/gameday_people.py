"""People at the pages of a game day, in headless Chromium: what they press and type, and what they wait to see.

    with chromium() as browser:
        ana = Seat(browser, "Ana", size=(1400, 900))
        ana.enter(link)
        ana.press_i_see_something("calls are slow")
        ana.until("document.querySelector('#review .restored')", "the review is shown")

Everything goes through the pages, by label and by key, as a person would. A wait has a deadline; `NotShown` says what
was not seen. `problems`: errors of scripts and of the console. `refused`: what the server refused. Both must be empty.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, Response, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

__all__ = ["CHROMIUM", "WITHIN_S", "NotShown", "Seat", "chromium"]

CHROMIUM: Final = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
WITHIN_S: Final = 30.0
"""The deadline of a wait, unless another is given."""
POLL_MS: Final = 100
_ARGUMENTS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)
_LOST: Final = ("net::ERR_", "Failed to load resource")
"""What Chromium itself writes to the console while a connection is lost."""


class NotShown(Exception):
    """A page did not show in time what it must. The message names who waited, and for what."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window. It does not react to signals: whoever started it closes it."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=list(_ARGUMENTS),
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
        try:
            yield found
        finally:
            with contextlib.suppress(PlaywrightError):
                found.close()


class Seat:
    """One person, with a browser of their own. `page` is the page in front of them."""

    def __init__(self, browser: Browser, name: str, *, size: tuple[int, int] = (1400, 900)) -> None:
        self.name = name
        self.problems: list[str] = []
        self.refused: list[str] = []
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme="light")
        self.page = self.tab()

    def tab(self) -> Page:
        """Another tab of the same browser: the same session."""
        page = self.context.new_page()
        page.set_default_timeout(WITHIN_S * 1000)
        page.on("response", self._answered)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        return page

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} for {response.request.post_data or response.url}")

    @property
    def defects(self) -> list[str]:
        """The problems without those of a connection that was lost."""
        return [problem for problem in self.problems if not any(words in problem for words in _LOST)]

    # -- coming and looking -------------------------------------------------------------------------------------------
    def open_link(self, link: str) -> None:
        """Open the link of a role: the entry page asks for a name."""
        self.page.goto(link)
        self.page.get_by_label("Your name").fill(self.name)

    def enter(self, link: str) -> None:
        """Enter with the link of a role, and wait for the first numbers."""
        self.open_link(link)
        self.press_enter()

    def press_enter(self) -> None:
        """Enter, once the name is written."""
        self.page.get_by_role("button", name="Enter", exact=True).click()
        self.until("document.querySelector('#link[data-link=live]') !== null", "is connected")

    def reload(self) -> None:
        """Load the page again, and wait for its first numbers."""
        self.page.reload()
        self.until("document.querySelector('#link[data-link=live]') !== null", "is connected after a reload")

    def go_offline(self) -> None:
        """Cut the network off. Chromium keeps open streams then; the page closes its own as if it were hidden."""
        self.context.set_offline(True)
        self.page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")

    def go_online(self) -> None:
        """Have the network back."""
        self.context.set_offline(False)

    def until(
        self,
        script: str,
        what: str,
        *,
        argument: object = None,
        within_s: float = WITHIN_S,
        lasts_s: float = 0.0,
    ) -> None:
        """Wait until an expression of JavaScript holds on the page, or a function of `argument`. Raises NotShown.

        `lasts_s`: for so long without an interruption.
        Polled from outside: `wait_for_function` needs `eval`, which the security policy of the pages forbids.
        """
        deadline = time.monotonic() + within_s
        since = None
        while True:
            now = time.monotonic()
            since = (since or now) if self._holds(script, argument) else None
            if since is not None and now - since >= lasts_s:
                return
            if now > deadline:
                raise NotShown(f"{self.name} waited {within_s:g} s and did not see: {what}")
            self.page.wait_for_timeout(POLL_MS)

    def _holds(self, script: str, argument: object) -> bool:
        try:
            return bool(self.page.evaluate(script, argument))
        except PlaywrightError as error:
            if "navigat" in str(error) or "context was destroyed" in str(error):
                return False  # the page goes to another one just now
            raise

    def until_text(self, selector: str, text: str, what: str = "", *, within_s: float = WITHIN_S) -> None:
        """Wait until an element that is shown has a text."""
        script = """([selector, text]) => [...document.querySelectorAll(selector)]
          .some((one) => one.checkVisibility() && (one.innerText.includes(text) || one.textContent.trim() === text))"""
        self.until(script, what or f"{selector}: {text}", argument=[selector, text], within_s=within_s)

    def text(self, selector: str) -> str:
        """The text of the first element."""
        return (self.page.locator(selector).first.text_content() or "").strip()

    def picture(self, to: Path, *, most_height: int = 0) -> Path:
        """A picture of the window; with `most_height`, of the page from its top, at most so high. CSS pixels."""
        width, height = self._size()
        self.page.evaluate("window.scrollTo(0, 0)")
        if most_height:
            whole = int(self.page.evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)"))
            self.page.set_viewport_size({"width": width, "height": max(height, min(most_height, whole))})
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(to), animations="disabled")
        finally:
            if most_height:
                self.page.set_viewport_size({"width": width, "height": height})
        return to

    def _size(self) -> tuple[int, int]:
        size = self.page.viewport_size
        assert size is not None
        return size["width"], size["height"]

    # -- what everybody can do ----------------------------------------------------------------------------------------
    def press(self, button: str) -> None:
        """Press a button by its name."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def key(self, key: str) -> None:
        """Press a key, with no field in focus."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press(key)

    def note(self, text: str) -> None:
        """Write a note."""
        form = self.page.locator("#note form")
        form.get_by_label("Note", exact=True).fill(text)
        form.get_by_role("button", name="Write it down").click()
        self.until_text("#note .answer[data-kind=good]", "", "the note is written down")

    # -- responders ---------------------------------------------------------------------------------------------------
    def press_i_see_something(self, text: str) -> None:
        """Say that something is wrong, and what it looks like."""
        self.page.get_by_label("What I see (may be left empty)").fill(text)
        self.page.locator(".notice-button").click()
        self.until_text(".noticed", "First noticed by", "the notice is confirmed")

    def believe(self, text: str, cause: str, component: str) -> None:
        """Write down a belief, with the labels of its cause and of its component."""
        form = self.page.locator("#belief form")
        form.get_by_label("What I believe").fill(text)
        form.get_by_label("Cause").select_option(label=cause)
        form.get_by_label("Where").select_option(label=component)
        form.get_by_role("button", name="This is what I believe").click()
        self.until_text("#beliefs .strong", text, "the belief is in the list")

    def answer(self, text: str) -> None:
        """Answer the first question that is open."""
        form = self.page.locator(".question[data-state=open] form").first
        form.get_by_label("Your answer").fill(text)
        form.get_by_role("button", name="Answer", exact=True).click()
        self.until_text(".question[data-state=answered] .answered", text, "the answer is shown")

    def operate(self, operation: str, choice: str = "", *, within_s: float = WITHIN_S) -> str:
        """Carry out a repair, by its label. Returns what the page answers."""
        form = self.page.locator("form.operation").filter(has_text=operation)
        if choice:
            form.locator("select").select_option(label=choice)
        form.get_by_role("button", name=f"Do it: {operation}").click()
        answer = form.locator(".answer[data-kind=good], .answer[data-kind=bad]")
        try:
            answer.wait_for(timeout=within_s * 1000)
        except PlaywrightTimeout:
            raise NotShown(f"{self.name} waited {within_s:g} s for the answer to: {operation} {choice}") from None
        text = (answer.text_content() or "").strip()
        if answer.get_attribute("data-kind") == "bad":
            raise NotShown(f"{self.name}: {operation} {choice} was refused: {text}")
        return text

    # -- game masters -------------------------------------------------------------------------------------------------
    def preview(self, kind: str, targets: tuple[str, ...], duration: str = "") -> str:
        """Fill the form of a fault by hand. Returns what the page says that it will hit."""
        form = self.page.locator("#inject form")
        form.get_by_label("Fault", exact=True).select_option(kind)
        for target in targets:
            form.get_by_label(target, exact=True).check()
        form.get_by_label("For how long").fill(duration)
        chosen = ", ".join(targets)
        self.until_text("#inject .preview-box[data-kind=good]", targets[0], f"the preview of {kind} on {chosen}")
        return self.text("#inject .preview-box")

    def inject(self) -> None:
        """Inject what was previewed."""
        self.press("Inject it")
        self.until_text("#inject .answer[data-kind=good]", "", "the fault is injected")

    def hand_over(self, name: str) -> None:
        """Hand the controls over to another game master."""
        self.page.get_by_label("Hand over to").select_option(label=name)
        self.press("Hand over the controls")
        self.until_text("#holder", f"Controls: {name}", f"{name} has the controls")

    def end(self) -> None:
        """End the exercise: the button asks for a second press."""
        self.press("End the exercise")
        self.press("Press again to end it")
