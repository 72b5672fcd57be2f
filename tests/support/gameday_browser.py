"""Game day pages in a browser: a server in a thread of its own, a room in memory, windows that note problems."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from chaos.gameday.core.roles import Role
from chaos.gameday.server.page_server import PageServer
from chaos.gameday.server.pages import Pages
from chaos.gameday.server.room import Person
from chaos.gameday.server.serving import Serving
from tests.support.gameday_room import FakeRoom

__all__ = ["CHROMIUM", "PAGE_OF", "Site", "Window", "chromium", "site"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGE_OF = {Role.GAMEMASTER: "controls", Role.RESPONDER: "respond", Role.AUDIENCE: "wall"}
WITHIN_MS = 10_000
TICK_S = 0.25

T = TypeVar("T")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


@dataclass
class Window:
    """One page in a browser of its own. `problems`: errors of scripts, of the console, and of the security policy."""

    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WITHIN_MS)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda request: self.asked.append(request.url))

    def until(self, script: str, argument: object = None) -> None:
        """Wait until an expression of JavaScript holds."""
        self.page.wait_for_function(script, arg=argument, timeout=WITHIN_MS)

    def pushes(self, count: int = 3) -> None:
        """Wait for `count` more pushes."""
        self.page.evaluate(
            """count => new Promise((done) => {
                 const source = new EventSource("api/stream");
                 source.addEventListener("state", () => { count -= 1; if (count < 0) { source.close(); done(); } });
               })""",
            count,
        )


@dataclass
class Site:
    """The server with its room, and the browser."""

    browser: Browser
    room: FakeRoom
    server: PageServer
    loop: asyncio.AbstractEventLoop

    def do(self, action: Callable[[], T]) -> T:
        """Call something in the server's thread."""

        async def call() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(WITHIN_MS / 1000)

    def act(self, role: Role, name: str, do: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Somebody else enters where needed, and acts. A game master has the controls meanwhile."""
        person = Person(f"other-{name}", name, role)
        before = self.room.controls
        self.do(lambda: self.room.entered(person))
        if role is Role.GAMEMASTER:
            self.room.controls = person.id
        asyncio.run_coroutine_threadsafe(self.room.act(person, do, arguments or {}), self.loop).result(10)
        self.room.controls = before

    def window(self, size: tuple[int, int] = (1280, 800), scheme: Literal["light", "dark"] = "light") -> Window:
        """A browser that has not entered."""
        context = self.browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        return Window(context, context.new_page())

    def enter(
        self,
        role: Role,
        name: str = "Bo",
        *,
        page: str = "",
        size: tuple[int, int] = (1280, 800),
        scheme: Literal["light", "dark"] = "light",
    ) -> Window:
        """A browser that came with the link of a role and shows a page: that of the role if none is given."""
        window = self.window(size, scheme)
        window.page.goto(self.server.links[role])
        window.page.get_by_label("Your name").fill(name)
        window.page.get_by_role("button", name="Enter").click()
        window.page.wait_for_url(f"**/{PAGE_OF[role]}")
        if page:
            window.page.goto(f"{self.server.url}/{page}")
        window.page.locator("#link[data-link=live]").wait_for()
        return window


@contextmanager
def site(browser: Browser, room: FakeRoom | None = None) -> Iterator[Site]:
    """A game day that is being served."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    async def begin() -> PageServer:
        made = PageServer(found, Serving(), Pages.shipped(), tick_s=TICK_S)
        await made.start()
        return made

    found = room or FakeRoom(running_s=400.0)
    try:
        server = run(begin())
        try:
            yield Site(browser, found, server, loop)
        finally:
            for context in browser.contexts:
                context.close()
            run(server.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
