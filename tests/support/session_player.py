"""Plays sessions without a clock or a network, with the answers of a simulated replica."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from loadprofiles.sessions.session import Agent, Call, CallResult, Done, Fork, Message, Pause, SessionPlan
from reports.shared.tokens import TOKEN_CHARS, token_stream

FAILED = CallResult(False, "", (), "truncated")


def replica_answer(call: Call) -> CallResult:
    """A simulated replica's answer: `max_tokens` tokens, of which up to the last 8 are a tool call's arguments."""
    tokens = token_stream(call.marker.key, call.max_tokens)
    if not call.tools:
        return CallResult(True, tokens, (), "ok")
    split = (call.max_tokens - min(8, call.max_tokens // 2)) * TOKEN_CHARS
    return CallResult(True, tokens[:split], (f'{{"input":"{tokens[split:]}"}}',), "ok")


@dataclass
class Played:
    """The calls, pauses and forks of one session, by agent."""

    calls: dict[str, list[Call]] = field(default_factory=dict)
    pauses: dict[str, list[Pause]] = field(default_factory=dict)
    forks: list[tuple[str, ...]] = field(default_factory=list)
    succeeded: bool | None = None

    @property
    def count(self) -> int:
        return sum(map(len, self.calls.values()))


class _Runner:
    """One agent, and the sub-agents that it waits for."""

    def __init__(self, agent: Agent, played: Played, answer: Callable[[Call], CallResult]) -> None:
        self.agent, self.played, self.answer = agent, played, answer
        self.last: CallResult | None = None
        self.children: list[_Runner] = []
        self.done: Done | None = None

    def runnable(self) -> list[_Runner]:
        below = [runner for child in self.children for runner in child.runnable()]
        if below or self.done:
            return below
        return [self]

    def step(self) -> None:
        self.children = []
        step = self.agent.next(0.0, self.last)
        self.last = None
        match step:
            case Call():
                self.played.calls.setdefault(self.agent.id, []).append(step)
                self.last = self.answer(step)
            case Pause():
                self.played.pauses.setdefault(self.agent.id, []).append(step)
            case Fork():
                self.played.forks.append(tuple(agent.id for agent in step.agents))
                self.children = [_Runner(agent, self.played, self.answer) for agent in step.agents]
            case Done():
                self.done = step


def play(
    plans: Iterable[SessionPlan],
    *,
    interleave: int | None = None,
    answer: Callable[[Call], CallResult] = replica_answer,
) -> dict[str, Played]:
    """Plays the sessions to their ends: one after another, or interleaved in an order drawn from `interleave`."""
    result: dict[str, Played] = {}
    roots: list[tuple[Played, _Runner]] = []
    for plan in plans:
        result[plan.id] = Played()
        roots.append((result[plan.id], _Runner(plan.agent, result[plan.id], answer)))
    order = random.Random(interleave)
    while ready := [runner for _, root in roots for runner in root.runnable()]:
        (ready[0] if interleave is None else order.choice(ready)).step()
    for played, root in roots:
        assert root.done is not None
        played.succeeded = root.done.succeeded
    return result


def text_of(messages: Iterable[Message]) -> str:
    """All characters of a prompt."""
    return "".join(message.text + "".join(call.arguments for call in message.tool_calls) for message in messages)


def common_chars(a: str, b: str) -> int:
    """Length of the common prefix."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
