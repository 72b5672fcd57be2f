"""The pages of a game day: HTML, CSS and JavaScript modules, served as they are; no build step, nothing from elsewhere.

Pages:
    index.html     the entry: exchanges the token of a link for a session, under a name
    wall.html      one screen for everybody in the room
    controls.html  the game master's page
    respond.html   the responders' page
    scribe.html    the whole log, and a field for notes
Style sheets:
    base.css       colours, type, controls, header, banners, review
    charts.css     charts, numbers, pools, events
    wall.css, work.css, entry.css   the layout of the wall; of controls, respond and scribe; of the entry
Modules, each described at its top:
    wall.js, controls.js, responder.js, scribe.js, entry.js     one for each page
    shell.js       what every page of the exercise has; review.js: the review after the end
    stream.js, api.js, actions.js      pushes; requests; buttons and forms that carry out an action
    dom.js, format.js, announce.js, shortcuts.js     elements; texts; live regions; keys
    numbers.js, charts.js, live_charts.js, pools.js, events.js, people.js     what shows the stack and the room
    beliefs.js, operations.js, questions.js     what responders do
    sheet.js, faults.js, inject.js, catalogue_form.js, prompts.js, holding.js     what game masters do
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

__all__ = ["SUFFIXES", "read_pages"]

SUFFIXES: Final = (".html", ".css", ".js")


def read_pages() -> Mapping[str, bytes]:
    """The content of every file of the pages, by name. They hold nothing of an exercise."""
    return {
        entry.name: entry.read_bytes()
        for entry in sorted(files(__name__).iterdir(), key=lambda entry: entry.name)
        if entry.is_file() and entry.name.endswith(SUFFIXES)
    }
