"""The sessions of a profile: agents whose conversations are drawn step by step.

A conversation starts with the shared prefix (the system message, equal in all sessions) and the session's own prefix
(the first user message). Each call then appends the answer as received, and a tool's result or a person's message,
which ends in the marker of the next call. Text is generated when it is first needed, and differs between sessions.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import accumulate

from loadprofiles.draws import Distribution, Draws, filler
from loadprofiles.sessions.profile import Profile, Tenant
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
    SessionPlan,
    Step,
)
from loadprofiles.sessions.tool_results import answer_message, pending_calls, tool_results
from reports.shared.tokens import TOKEN_CHARS, Marker, marker_text, tokens_in

__all__ = ["ConversationAgent", "marked_text", "sessions", "sessions_at", "shared_prefix"]

_SUMMARISE_TOKENS = 40  # length of the request to summarise, including its marker


def sessions(profile: Profile, seed: int, run: str) -> Iterator[SessionPlan]:
    """The profile's sessions in the order of their start; endless unless the profile's arrivals end.

    Session i depends only on (profile, seed, i). `run` is part of its id and its text, so that the prefix cache of an
    endpoint that outlives the run does not contain it yet.
    """
    return sessions_at(profile, profile.arrivals.arrivals(Draws(seed).of("arrivals")), Draws(seed), run)


def sessions_at(profile: Profile, times: Iterator[float], root: Draws, run: str) -> Iterator[SessionPlan]:
    """Like `sessions`, but drawn from `root` and starting at these times."""
    system = shared_prefix(profile.name, profile.shared_prefix)
    for index, at in enumerate(times):
        draws = root.of("session", index)
        session = f"{run}-{index}"
        agents = [
            ConversationAgent(sub, profile, draws.of(sub), session, system) for sub in _sub_agents(profile, draws)
        ]
        main = ConversationAgent(MAIN_AGENT, profile, draws.of(MAIN_AGENT), session, system, agents)
        planned = main.calls + sum(agent.calls for agent in agents)
        tenant = _tenant(profile, draws)
        name, tier = (tenant.name, tenant.tier) if tenant is not None else (None, "")
        yield SessionPlan(index, session, name, at, planned, main, tier)


def shared_prefix(scope: str, tokens: int) -> tuple[Message, ...]:
    """The system message that all sessions of `scope` share; empty if `tokens` is 0."""
    return (Message("system", filler(f"shared/{scope}", tokens * TOKEN_CHARS)),) if tokens > 0 else ()


def marked_text(key: str, tokens: int, marker: Marker, before: str = "") -> str:
    """`before`, text of `key`, and the marker: `tokens` in total, or more if `before` and the marker need more."""
    end = marker_text(marker)
    return before + filler(key, tokens * TOKEN_CHARS - len(before) - len(end)) + end


class ConversationAgent:
    """An agent whose calls, tokens and pauses are drawn from its profile. See `loadprofiles.sessions.session.Agent`."""

    __slots__ = (
        "_draws",
        "_fork_after",
        "_profile",
        "_session",
        "_steps",
        "_sub_agents",
        "_system",
        "calls",
        "id",
        "lost",
    )

    def __init__(
        self,
        agent_id: str,
        profile: Profile,
        draws: Draws,
        session: str,
        system: tuple[Message, ...],
        sub_agents: Sequence[ConversationAgent] = (),
    ) -> None:
        self.id = agent_id
        self.lost = False
        self._profile, self._draws, self._session, self._system = profile, draws, session, system
        spec = profile.sub_agents if agent_id != MAIN_AGENT else None
        self.calls = max((spec.calls if spec else profile.calls).whole(draws.uniform("calls")), 2 if sub_agents else 1)
        self._sub_agents = tuple(sub_agents)
        self._fork_after = int(draws.uniform("fork") * (self.calls - 1)) if sub_agents else None
        self._steps: Generator[Step, CallResult | None, None] | None = None

    def next(self, now: float, last: CallResult | None) -> Step:
        """See `loadprofiles.sessions.session.Agent.next`."""
        try:
            if self._steps is None:
                self._steps = self._play()
                return next(self._steps)
            return self._steps.send(last)
        except StopIteration:
            raise ValueError(f"agent {self.id} of session {self._session} has already ended") from None

    def _play(self) -> Generator[Step, CallResult | None, None]:
        own = filler(self._key(0), self._own_prefix() * TOKEN_CHARS)
        messages = self._begin(own, "", 0)
        compacting = False
        for turn in range(self.calls):
            final = turn == self.calls - 1
            forking = turn == self._fork_after
            person = not (final or forking or compacting) and self._person_follows(turn)
            result = yield self._call(turn, messages, tools=not (final or person or compacting), summary=compacting)
            if result is None:
                raise ValueError(f"agent {self.id} of session {self._session} needs the result of its call")
            if not result.ok or final:
                self.lost = not result.ok
                yield Done(result.ok)
                return
            if compacting:
                messages, compacting = self._begin(own, result.text, turn + 1), False
                continue
            messages.append(answer_message(result, turn))
            if forking:
                yield Fork(self._sub_agents)
                if any(agent.lost for agent in self._sub_agents):
                    self.lost = True
                    yield Done(False)
                    return
            else:
                yield self._pause(turn, person)
            messages += self._appended(turn + 1, messages)
            compacting = self._too_long(messages) and turn + 1 not in (self._fork_after, self.calls - 1)
            if compacting:
                text = marked_text(self._key(turn + 1) + "/summarise", _SUMMARISE_TOKENS, self._marker(turn + 1))
                if messages[-1].role == "user":  # strict servers refuse two messages of the user in a row
                    text = messages.pop().text.removesuffix(marker_text(self._marker(turn + 1))) + text
                messages.append(Message("user", text))

    def _begin(self, own: str, summary: str, turn: int) -> list[Message]:
        # The marker counts towards the tokens of the own prefix, so cut the prefix to make room for it.
        end = marker_text(self._marker(turn))
        room = max(len(own) - len(end), 0)
        return [*self._system, Message("user", own[:room] + summary + end)]

    def _call(self, turn: int, messages: Sequence[Message], *, tools: bool, summary: bool) -> Call:
        return Call(
            agent=self.id,
            turn=turn,
            messages=tuple(messages),
            max_tokens=max(self._output(turn, summary).whole(self._draws.uniform(turn, "output")), 1),
            tools=tools,
            marker=self._marker(turn),
            stream=self._profile.client.stream,
        )

    def _output(self, turn: int, summary: bool) -> Distribution:
        compaction, thinking = self._profile.compaction, self._profile.thinking
        if compaction is not None and summary:
            return compaction.summary
        if thinking is not None and self._draws.uniform(turn, "thinking") < thinking.share:
            return thinking.output
        return self._profile.output

    def _pause(self, turn: int, person: bool) -> Pause:
        if person and self._profile.person is not None:
            return Pause(self._profile.person.at(self._draws.uniform(turn, "pause")), "person")
        return Pause(self._profile.tool.at(self._draws.uniform(turn, "tool")), "tool", TOOL_NAME)

    def _appended(self, turn: int, messages: Sequence[Message]) -> list[Message]:
        tokens = self._profile.appended.whole(self._draws.uniform(turn, "appended"))
        text = marked_text(self._key(turn), tokens, self._marker(turn))
        calls = pending_calls(messages)
        return tool_results(calls, text) if calls else [Message("user", text)]

    def _person_follows(self, turn: int) -> bool:
        profile = self._profile
        return (
            self.id == MAIN_AGENT
            and profile.person is not None
            and self._draws.uniform(turn, "person") < profile.person_share
        )

    def _too_long(self, messages: Sequence[Message]) -> bool:
        compaction = self._profile.compaction
        # Summarise only if messages follow the summary: a summary that is itself too long would be summarised forever.
        return (
            compaction is not None
            and len(messages) > len(self._system) + 1
            and sum(tokens_in(message.text) for message in messages) > compaction.above_tokens
        )

    def _own_prefix(self) -> int:
        spec = self._profile.sub_agents if self.id != MAIN_AGENT else None
        tokens = spec.own_prefix if spec else self._profile.own_prefix
        return tokens.whole(self._draws.uniform("own_prefix"))

    def _marker(self, turn: int) -> Marker:
        return Marker(self._session, self.id, turn)

    def _key(self, turn: int) -> str:
        return self._marker(turn).key


def _sub_agents(profile: Profile, draws: Draws) -> list[str]:
    spec = profile.sub_agents
    if spec is None or draws.uniform("fan_out") >= spec.share:
        return []
    return [f"sub-{k}" for k in range(1, spec.count.whole(draws.uniform("sub_agents")) + 1)]


def _tenant(profile: Profile, draws: Draws) -> Tenant | None:
    if not profile.tenants:
        return None
    bounds = list(accumulate(tenant.share for tenant in profile.tenants))
    point = draws.uniform("tenant") * bounds[-1]
    return next(tenant for tenant, bound in zip(profile.tenants, bounds, strict=True) if point < bound)


_conforms: type[Agent] = ConversationAgent
