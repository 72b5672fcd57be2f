"""An agent that plays a recording: with the recorded token counts, prefixes, order and pauses, and generated text.

A prompt is the text of the earlier prompt it began with (cut where the recording diverged), then the answer received,
then new text that ends in the call's marker. So a prefix cache sees the recorded hits: equal blocks have equal text,
and text after a divergence differs (its key is the call's own). An answer is cut if the recorded prompt had no room for
it (thinking is not sent back). If prompts were recorded as blocks shared by sessions, a prompt is one message: the
blocks' text and the marker.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from loadprofiles.draws import filler
from loadprofiles.replay.blocks import text_of_blocks
from loadprofiles.replay.recorded import CommonPrefix, RecordedAgent, RecordedCall, RecordedFork, RecordedSession
from loadprofiles.replay.shaping import TraceOptions
from loadprofiles.sessions.session import (
    MAIN_AGENT,
    TOOL_NAME,
    Agent,
    Call,
    CallResult,
    Done,
    Fork,
    Message,
    Pause,
    Role,
    Step,
)
from loadprofiles.sessions.tool_results import answer_message, pending_calls, tool_results
from reports.shared.tokens import TOKEN_CHARS, Marker, marker_text

__all__ = ["ReplayAgent", "replay_agent"]

_MARKER_BEGIN = "[session "
_NEW_CHARS = 16 * TOKEN_CHARS  # least new text of a prompt: room for its marker


@dataclass(slots=True)
class _Session:
    """What the agents of one played session share."""

    id: str
    options: TraceOptions
    agents: Mapping[str, RecordedAgent]
    text_scope: str


def replay_agent(recorded: RecordedSession, session: str, options: TraceOptions, text_scope: str = "") -> ReplayAgent:
    """The main agent of a session that plays `recorded`, already shortened to `max_calls`.

    Sessions with the same `text_scope` have the same text for equal blocks.
    """
    agents = {recorded.main.id: recorded.main}
    for step in recorded.main.steps:
        if isinstance(step, RecordedFork):
            agents |= {agent.id: agent for _, agent in step.agents}
    return ReplayAgent(recorded.main, _Session(session, options, agents, text_scope), 0.0)


class ReplayAgent:
    """See `loadprofiles.sessions.session.Agent`."""

    __slots__ = ("_answers", "_delay_s", "_prompts", "_recorded", "_session", "_steps", "id", "lost")

    def __init__(self, recorded: RecordedAgent, session: _Session, delay_s: float) -> None:
        self.id = recorded.id
        self.lost = False
        self._recorded, self._session, self._delay_s = recorded, session, delay_s
        self._prompts: list[tuple[Message, ...]] = []
        self._answers: list[Message] = []
        self._steps: Generator[Step, CallResult | None, None] | None = None

    def next(self, now: float, last: CallResult | None) -> Step:
        """See `loadprofiles.sessions.session.Agent.next`."""
        try:
            if self._steps is None:
                self._steps = self._play()
                return next(self._steps)
            return self._steps.send(last)
        except StopIteration:
            raise ValueError(f"agent {self.id} of session {self._session.id} has already ended") from None

    def _play(self) -> Generator[Step, CallResult | None, None]:
        options = self._session.options
        if self._delay_s > 0:
            yield self._pause(self._delay_s, "tool")
        for step in self._recorded.steps:
            if isinstance(step, RecordedFork):
                if step.wait_s > 0:
                    yield self._pause(step.wait_s, "tool")
                agents = tuple(ReplayAgent(agent, self._session, delay_s) for delay_s, agent in step.agents)
                yield Fork(agents)
                if any(agent.lost for agent in agents):
                    self.lost = True
                    yield Done(False)
                    return
                continue
            if step.wait_s > 0:
                yield self._pause(step.wait_s, step.wait_why)
            turn = len(self._prompts)
            prompt = self._prompt(step, turn)
            result = yield Call(
                agent=self.id,
                turn=turn,
                messages=prompt,
                max_tokens=options.tokens(step.output_tokens),
                tools=step.asks_tool,
                marker=self._marker(turn),
                stream=step.streamed or options.streaming == "force",
            )
            if result is None:
                raise ValueError(f"agent {self.id} of session {self._session.id} needs the result of its call")
            if not result.ok:
                self.lost = True
                yield Done(False)
                return
            self._prompts.append(prompt)
            self._answers.append(answer_message(result, turn))
        yield Done(True)

    def _pause(self, recorded_s: float, why: str) -> Pause:
        seconds = self._session.options.pause_s(recorded_s)
        return Pause(seconds, "person") if why == "person" else Pause(seconds, "tool", TOOL_NAME)

    def _prompt(self, call: RecordedCall, turn: int) -> tuple[Message, ...]:
        size = self._session.options.tokens(call.input_tokens) * TOKEN_CHARS
        if call.blocks is not None:
            end = marker_text(self._marker(turn))
            room = max(size, _NEW_CHARS) - len(end)
            text = text_of_blocks(call.blocks, self._session.options, self._session.text_scope, room)
            return (Message("user", text + end),)
        common = call.common
        if common is None or common.agent is not None:
            system, text = _first(self._session, self._recorded, turn, call, common)
            return (*system, self._ending("user", text, size - _chars(system), turn))
        earlier = self._prompts[common.call]
        room = size - _NEW_CHARS
        if common.tokens is None and _chars(earlier) <= room:
            kept = [*earlier]
            answer = _cut_answer(self._answers[common.call], room - _chars(earlier))
            if answer is not None:
                kept.append(answer)
            opened: Message | None = None
        else:
            shared = size if common.tokens is None else self._session.options.tokens(common.tokens) * TOKEN_CHARS
            kept, opened = _cut(earlier, min(shared, room))
        calls = pending_calls(kept)
        if opened is not None and (len(calls) <= 1 or calls[-1].id == opened.tool_call_id):
            return (*kept, self._ending(opened.role, opened.text, size - _chars(kept), turn, opened.tool_call_id))
        if opened is not None:  # further calls of the same message need their answers after it
            kept.append(opened)
            calls = pending_calls(kept)
        if not calls:
            return (*kept, self._ending("user", "", size - _chars(kept), turn))
        kept += tool_results(calls, "")[:-1]
        return (*kept, self._ending("tool", "", size - _chars(kept), turn, calls[-1].id))

    def _ending(self, role: Role, text: str, chars: int, turn: int, tool_call_id: str | None = None) -> Message:
        """The last message: `text`, then new text, then the marker; `chars` characters in total."""
        end = marker_text(self._marker(turn))
        key = f"{self._session.id}/{self.id}#{turn}"
        return Message(role, text + filler(key, chars - len(text) - len(end)) + end, tool_call_id=tool_call_id)

    def _marker(self, turn: int) -> Marker:
        return Marker(self._session.id, self.id, turn)


def _first(
    session: _Session, agent: RecordedAgent, turn: int, call: RecordedCall, common: CommonPrefix | None
) -> tuple[tuple[Message, ...], str]:
    """The system message of a new conversation, and the beginning of its first user message.

    The tools' text is the same in all sessions (one for main agents, one for sub-agents). The system prompt's text is
    the same in all sessions with the same token counts of tools and system prompt. An agent's second conversation has
    different texts, which are again the same in all sessions.
    """
    options = session.options
    size = options.tokens(call.input_tokens) * TOKEN_CHARS
    tools = options.tokens(agent.tool_tokens) * TOKEN_CHARS if agent.tool_tokens else 0
    prompt = options.tokens(agent.system_tokens) * TOKEN_CHARS if agent.system_tokens else 0
    scope = f"replay/{'main' if agent.id == MAIN_AGENT else 'sub'}/{_conversation(agent, turn)}"
    system = _system_message(scope, tools, prompt, max(size - _NEW_CHARS, 0))
    text = system[0].text if system else ""
    if common is None or common.agent is None or common.tokens is None:
        return system, ""
    other = session.agents.get(common.agent)
    first = next((step for step in other.steps if isinstance(step, RecordedCall)), None) if other else None
    if other is None or first is None:
        return system, ""
    # Both agents began the same conversation: use the text of the other's first prompt, up to where they diverge.
    others_system, begin = _first(session, other, 0, first, first.common)
    wanted = min(options.tokens(common.tokens) * TOKEN_CHARS, size - _NEW_CHARS) - len(text)
    others_size = options.tokens(first.input_tokens) * TOKEN_CHARS
    if others_system != system or wanted <= 0:
        return system, ""
    key = f"{session.id}/{other.id}#0"
    whole = begin + filler(key, max(others_size - len(text) - len(begin), 0))
    return system, whole[:wanted]


@lru_cache(maxsize=64)
def _system_message(scope: str, tools: int, prompt: int, at_most: int) -> tuple[Message, ...]:
    text = filler(f"{scope}/tools", tools) + filler(f"{scope}/system {tools} {prompt}", prompt)
    return (Message("system", text[:at_most]),) if text and at_most else ()


def _conversation(agent: RecordedAgent, turn: int) -> int:
    """The number, from 0, of the agent's conversation that the call begins."""
    calls = [step for step in agent.steps if isinstance(step, RecordedCall)]
    return sum(1 for call in calls[1 : turn + 1] if call.common is None)


def _chars(messages: Sequence[Message]) -> int:
    return sum(len(message.text) + sum(len(call.arguments) for call in message.tool_calls) for message in messages)


def _cut_answer(answer: Message, room: int) -> Message | None:
    """The answer, or as much of its text as fits into `room` characters; None if nothing fits."""
    if _chars([answer]) <= room:
        return answer
    text = answer.text[: max(room, 0) // TOKEN_CHARS * TOKEN_CHARS]
    return Message("assistant", text) if text else None


def _cut(messages: Sequence[Message], chars: int) -> tuple[list[Message], Message | None]:
    """The messages' first `chars` characters, and separately the user's or tool's message that was cut, if any.

    The caller continues the cut message with new text.
    """
    kept: list[Message] = []
    for message in messages:
        size = _chars([message])
        if size <= chars:
            kept.append(message)
            chars -= size
            continue
        text = message.text[:chars]
        if message.role in ("user", "tool"):
            text = text[: message.text.rfind(_MARKER_BEGIN)]  # without any part of the marker at its end
            return kept, Message(message.role, text, tool_call_id=message.tool_call_id)
        if text:
            kept.append(Message(message.role, text))
        break
    return kept, None


_conforms: type[Agent] = ReplayAgent
