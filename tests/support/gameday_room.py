"""A game day in memory, for tests of its server and its pages: rich documents, and actions that change them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from chaos.gameday.core.roles import NotAllowed, NotNow, Role
from chaos.gameday.server.room import Person
from reports.shared.errors import UserError
from tests.support.gameday_documents import CAUSES, COMPONENTS, OPERATIONS, gamemaster_part, live, review

__all__ = ["LARGE_POOLS", "SMALL_POOLS", "FakeRoom"]

SMALL_POOLS = {"gpu": 2, "tpu": 2, "spot": 2, "reserve": 1}
LARGE_POOLS = {"gpu": 8, "tpu": 8, "spot": 6, "reserve": 2}
"""24 replicas."""

LOG_LINES = 300
EVENTS = 10
_RESPONDER = ("notice", "belief", "operate", "undo", "answer", "record_action")
_WITHOUT_CONTROLS = ("take_controls", "hand_over", "abort", "finding", "preview")
_CONTROLS = ("start", "hold", "resume", "play", "skip", "repeat", "inject", "revert", "load_start", "load_stop",
             "load_level", "hint", "question", "release", "end")  # fmt: skip


class FakeRoom:
    """An exercise that plays itself as far as pages need it. `state` can be set by a test.

    `acts`: every action that was carried out, as (person, do, arguments). `gate`: where set, `act` waits for it.
    `log_lines`: notes that are there from the beginning. `running_s`: the exercise has been running for so long.
    """

    def __init__(
        self,
        pools: Mapping[str, int] | None = None,
        *,
        points: int = 150,
        log_lines: int = 12,
        running_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pools = dict(pools or SMALL_POOLS)
        self.points = points
        self.state = "briefing" if running_s is None else "running"
        self.aborted = False
        self.announcement = ""
        self.notice = ""
        self.people: dict[str, Person] = {}
        self.streams: dict[str, int] = {}
        self.controls: str | None = None
        self.log: list[dict[str, Any]] = []
        self.noticed: dict[str, Any] | None = None
        self.beliefs: list[dict[str, Any]] = []
        self.operations: list[dict[str, Any]] = []
        self.questions: list[dict[str, Any]] = []
        self.hints: list[dict[str, Any]] = []
        self.faults: list[dict[str, Any]] = []
        self.sheet: list[dict[str, Any]] = [
            {"id": "s1", "label": "tpu-0 grows slow", "at_s": 60.0, "for_s": None, "state": "next", "played": 0,
             "preview": "slow_decode on tpu-0: decodes at a tenth"},
            {"id": "s2", "label": "more sessions", "at_s": 420.0, "for_s": 60.0, "state": "planned", "played": 0,
             "preview": "surge: twice the rate"},
        ]  # fmt: skip
        self.level = 1.0
        self.load_running = True
        self.acts: list[tuple[Person, str, dict[str, Any]]] = []
        self.gate: asyncio.Event | None = None
        self.files = {
            "postmortem.html": b"<!doctype html><title>Post-mortem</title>",
            "postmortem.md": b"# Post-mortem",
        }
        self._clock = clock
        self._began = None if running_s is None else clock() - running_s
        self._n = 0
        for index in range(log_lines):
            self.tell("note", "Ana", f"note {index}: p95 of pool tpu is at {900 + index} ms, gpu is as before")

    # What the server calls.

    def view(self, role: Role) -> dict[str, Any]:
        seen = [
            line for line in self.log if role is Role.GAMEMASTER or line["kind"] not in ("fault", "step", "controls")
        ]
        document: dict[str, Any] = {
            "role": role.value,
            "exercise": {
                "title": "Tuesday's exercise",
                "state": self.state,
                "elapsed_s": self.elapsed_s,
                "length_s": 1200.0,
                "briefing": "You are on call for the inference stack. Say what you see, what you believe, what you do.",
                "aborted": self.aborted,
                "announcement": self.announcement,
                "notice": self.notice,
            },
            "live": self._live(),
            "events": seen[-EVENTS:],
            "log": seen[-LOG_LINES:],
            "people": [
                {"id": p.id, "name": p.name, "role": p.role.value, "connected": self.streams.get(p.id, 0) > 0}
                for p in self.people.values()
            ],
            "controls": {"id": self.controls, "name": self.people[self.controls].name} if self.controls else None,
            "review": review(self.beliefs) if self.state == "over" else None,
        }
        if role is not Role.AUDIENCE:
            document["responder"] = {
                "noticed": self.noticed,
                "beliefs": self.beliefs,
                "causes": CAUSES,
                "components": COMPONENTS,
                "operations": OPERATIONS,
                "questions": self.questions,
                "hints": self.hints,
            }
        if role is Role.GAMEMASTER:
            document["gamemaster"] = gamemaster_part(
                self.elapsed_s, self.sheet, self.faults, self.state == "held", self.aborted
            )
            document["gamemaster"]["beliefs"] = [{**belief, "verdict": "right"} for belief in self.beliefs]
        return document

    async def act(self, person: Person, do: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if self.gate is not None:
            await self.gate.wait()
        self._check(person, do)
        self.acts.append((person, do, dict(arguments)))
        handler = getattr(self, f"_do_{do}", None)
        text = handler(person, arguments) if handler else None
        return {"text": text or f"done: {do}"}

    def entered(self, person: Person) -> None:
        self.people[person.id] = person
        if person.role is Role.GAMEMASTER and self.controls is None:
            self.controls = person.id

    def connected(self, person: Person, streams: int) -> None:
        self.streams[person.id] = streams

    def file(self, name: str) -> bytes | None:
        return self.files.get(name) if self.state == "over" else None

    # What tests use.

    @property
    def elapsed_s(self) -> float:
        return 0.0 if self._began is None else round(self._clock() - self._began, 1)

    def tell(self, kind: str, who: str, text: str) -> None:
        """A line of the log."""
        self._n += 1
        self.log.append({"n": self._n, "t_s": self.elapsed_s, "kind": kind, "who": who, "text": text})

    def _live(self) -> dict[str, Any]:
        found = live(self.elapsed_s, self.pools, self.load_running, self.level, self.points)
        found["operations"] = self.operations
        return found

    def _check(self, person: Person, do: str) -> None:
        if do == "note":
            return
        if do in _RESPONDER:
            needed = Role.RESPONDER
        elif do in _WITHOUT_CONTROLS or do in _CONTROLS:
            needed = Role.GAMEMASTER
        else:
            raise UserError(f"there is no action {do}; look at the page for what there is")
        if person.role is not needed:
            raise NotAllowed(f"{do} is an action of the role {needed.value}; you are {person.role.value}")
        if do in _CONTROLS and self.controls != person.id:
            raise NotNow("somebody else has the controls; take them first")
        if self.state == "over":
            raise NotNow("the exercise is over; only notes are possible")

    def _do_note(self, person: Person, arguments: Mapping[str, Any]) -> None:
        self.tell("note", person.name, self._text(arguments))

    def _do_record_action(self, person: Person, arguments: Mapping[str, Any]) -> None:
        self.tell("action", person.name, self._text(arguments))

    def _do_notice(self, person: Person, arguments: Mapping[str, Any]) -> None:
        self.noticed = self.noticed or {"who": person.name, "t_s": self.elapsed_s}
        self.tell("notice", person.name, f"{person.name} sees something {arguments.get('text', '')}".strip())

    def _do_belief(self, person: Person, arguments: Mapping[str, Any]) -> None:
        self.beliefs.append(
            {
                "n": len(self.beliefs) + 1,
                "who": person.name,
                "t_s": self.elapsed_s,
                "text": self._text(arguments),
                "cause": arguments["cause"],
                "component": arguments["component"],
            }
        )
        self.tell("belief", person.name, self._text(arguments))

    def _do_operate(self, person: Person, arguments: Mapping[str, Any]) -> str:
        words = " ".join(str(value) for value in arguments.get("arguments", {}).values())
        text = f"{arguments['operation']} {words}".strip()
        self.operations.append({"n": len(self.operations) + 1, "text": text, "since_s": self.elapsed_s})
        self.tell("operation", person.name, text)
        return text

    def _do_undo(self, person: Person, arguments: Mapping[str, Any]) -> None:
        self.operations = [one for one in self.operations if one["n"] != arguments["n"]]
        self.tell("operation", person.name, f"undone: operation {arguments['n']}")

    def _do_answer(self, person: Person, arguments: Mapping[str, Any]) -> None:
        for question in self.questions:
            if question["id"] == arguments["question"]:
                question["answered"] = {"who": person.name, "t_s": self.elapsed_s, "text": self._text(arguments)}
        self.tell("answer", person.name, self._text(arguments))

    def _do_start(self, person: Person, _: Mapping[str, Any]) -> None:
        self.state = "running"
        self._began = self._clock()
        self.tell("state", person.name, "the exercise begins")

    def _do_hold(self, person: Person, _: Mapping[str, Any]) -> None:
        self.state = "held"
        self.tell("state", person.name, "the exercise is held")

    def _do_resume(self, person: Person, _: Mapping[str, Any]) -> None:
        self.state = "running"
        self.tell("state", person.name, "the exercise goes on")

    def _do_play(self, person: Person, arguments: Mapping[str, Any]) -> None:
        step = next(s for s in self.sheet if s["id"] == arguments.get("step", s["id"]) and s["state"] != "done")
        step.update(state="playing", played=step["played"] + 1)
        self._fault(step["preview"].split()[0].rstrip(":"), step["preview"])
        self.tell("step", person.name, f"played: {step['label']}")

    def _do_skip(self, person: Person, arguments: Mapping[str, Any]) -> None:
        for step in self.sheet:
            if step["id"] == arguments["step"]:
                step["state"] = "skipped"
        self.tell("step", person.name, f"skipped: {arguments['step']}")

    def _do_inject(self, person: Person, arguments: Mapping[str, Any]) -> None:
        self._fault(str(arguments["kind"]), f"{arguments['kind']} {arguments.get('options', {})}")
        self.tell("fault", person.name, f"injected {arguments['kind']}")

    def _do_preview(self, _: Person, arguments: Mapping[str, Any]) -> str:
        return f"{arguments['kind']} would hit: tpu-0"

    def _do_revert(self, person: Person, arguments: Mapping[str, Any]) -> None:
        self.faults = [f for f in self.faults if arguments.get("fault", f["id"]) != f["id"]]
        for step in self.sheet:
            if step["state"] == "playing":
                step["state"] = "done"
        self.tell("fault", person.name, "reverted")

    def _do_take_controls(self, person: Person, _: Mapping[str, Any]) -> None:
        self.controls = person.id
        self.tell("controls", person.name, f"{person.name} has the controls")

    def _do_hand_over(self, person: Person, arguments: Mapping[str, Any]) -> None:
        other = self.people.get(str(arguments["to"]))
        if other is None or other.role is not Role.GAMEMASTER:
            raise UserError("nobody of that id is a game master here; choose one of the people shown")
        self.controls = other.id
        self.tell("controls", person.name, f"{other.name} has the controls")

    def _do_abort(self, person: Person, _: Mapping[str, Any]) -> str:
        self.aborted, self.faults = True, []
        self.tell("warning", person.name, "aborted: everything is reverted")
        return "aborted: everything is reverted"

    def _do_release(self, person: Person, _: Mapping[str, Any]) -> None:
        self.aborted = False
        self.tell("state", person.name, "released")

    def _do_load_start(self, *_: object) -> None:
        self.load_running = True

    def _do_load_stop(self, *_: object) -> None:
        self.load_running = False

    def _do_load_level(self, _: Person, arguments: Mapping[str, Any]) -> None:
        self.level = float(arguments["factor"])

    def _do_hint(self, _: Person, arguments: Mapping[str, Any]) -> None:
        text = str(arguments.get("text") or f"hint {arguments['id']}")
        self.hints.append({"t_s": self.elapsed_s, "text": text})
        self.tell("hint", "", text)

    def _do_question(self, _: Person, arguments: Mapping[str, Any]) -> None:
        question = {
            "id": f"q{len(self.questions) + 1}",
            "who": arguments.get("who", "a customer"),
            "t_s": self.elapsed_s,
            "text": self._text(arguments),
            "answer_within_s": 120.0,
            "answered": None,
        }
        self.questions.append(question)
        self.tell("question", question["who"], question["text"])

    def _do_end(self, person: Person, _: Mapping[str, Any]) -> None:
        self.state, self.faults = "over", []
        self.announcement = "The exercise is over. Everything is restored."
        self.tell("state", person.name, "the exercise is over")

    def _fault(self, kind: str, text: str) -> None:
        self.faults.append(
            {
                "id": f"f{len(self.faults) + 1}",
                "text": text,
                "kind": kind,
                "targets": ["tpu-0"],
                "since_s": self.elapsed_s,
                "ends_in_s": None,
                "confirmed": True,
                "problem": "",
            }
        )

    @staticmethod
    def _text(arguments: Mapping[str, Any]) -> str:
        text = arguments.get("text")
        if not isinstance(text, str) or not text.strip():
            raise UserError("text: write 1 to 2000 characters")
        if len(text) > 2000:
            raise UserError("text: at most 2000 characters")
        return text.strip()
