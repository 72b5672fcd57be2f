"""What an agent session says to whoever plays it.

A session is partly open: it arrives by itself, the calls inside follow one another. An `Agent` is a pure object: it is
told the time and how its last call ended, and answers with the next step. The player (the Locust user, a simulation, a
test) does what the step says: sends the call, waits out the pause, plays forked agents side by side, or stops.

    main agent   Call, Pause(tool), Call, Fork(sub-1, sub-2), Call, Pause(person), Call, Done

Every draw is keyed by (seed, session, agent, turn, purpose), so the same seed plays the same sessions, whatever the
timing and however they are spread over workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol, TypeAlias

from reports.shared.tokens import Marker

__all__ = [
    "MAIN_AGENT",
    "TOOL_NAME",
    "Agent",
    "Call",
    "CallResult",
    "Done",
    "Fork",
    "Message",
    "Pause",
    "Role",
    "SessionPlan",
    "Step",
    "ToolCall",
    "share_of_worker",
]

MAIN_AGENT = "main"
"""Id of a session's first agent. Its sub-agents are `sub-1`, `sub-2`, ..."""

TOOL_NAME = "bash"
"""The one tool that an agent offers: it takes one string, `input`."""

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """An assistant asked for a tool. `arguments` is JSON text, as received."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. Never changed once made: a client may keep its encoding by identity.

    `tool_call` only in an assistant's message, `tool_call_id` only in a tool's (the call whose result it is).
    """

    role: Role
    text: str
    tool_call: ToolCall | None = None
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Send the conversation, collect the answer, and hand a `CallResult` to `Agent.next`.

    `messages` is the whole conversation; from one call of an agent to the next it only grows (the same objects, then
    new ones), except where the conversation was compacted. `max_tokens` is also how many tokens a simulated replica
    produces. `tools` False: the answer must be text; offer the tools all the same with `tool_choice` "none", because a
    prompt begins with its tools and another beginning misses the prefix cache.
    """

    agent: str
    turn: int
    messages: Sequence[Message]
    max_tokens: int
    tools: bool
    marker: Marker
    stream: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait `seconds`, while a tool (named `tool`) runs or a person reads; then `next(now, None)`."""

    seconds: float
    why: Literal["tool", "person"]
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Fork:
    """Play these sub-agents side by side; when all have ended, `next(now, None)`."""

    agents: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The agent has ended. Of the main agent: the session has; lost where not `succeeded`."""

    succeeded: bool


Step: TypeAlias = Call | Pause | Fork | Done


@dataclass(frozen=True, slots=True)
class CallResult:
    """How a call ended, the client's retries included.

    `ok` only for a complete answer. `text` is its text, `tool_arguments` the JSON text of its tool call, None if it
    had none. `outcome` is a value of `reports.shared.attributes.Outcome`. Token counts as the target reported them.
    """

    ok: bool
    text: str
    tool_arguments: str | None
    outcome: str
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


class Agent(Protocol):
    """One agent of a session: a conversation of its own."""

    @property
    def id(self) -> str:
        """Unique in its session: `main`, `sub-1`, ..."""

    def next(self, now: float, last: CallResult | None) -> Step:
        """What to do next.

        `now`: seconds since the load's start. `last`: how the call ended, if the last step was a `Call`; None at the
        beginning, after a `Pause` and after a `Fork`. A failed call is answered with `Done(succeeded=False)`, and so
        is a fork in which an agent failed. After `Done` it must not be called again (ValueError).
        """


@dataclass(slots=True)
class SessionPlan:
    """One session to be started at `start_at_s` (seconds since the load's start).

    `index` counts a load's sessions from 0; `id` is unique among runs. `calls_planned` includes sub-agents' calls.
    `tier`: the tenant's, "" for none. `fault`: id of the demand fault that adds the session, whose sessions it then
    counts among; "" for the profile's own.
    """

    index: int
    id: str
    tenant: str | None
    start_at_s: float
    calls_planned: int
    agent: Agent
    tier: str = ""
    fault: str = ""


def share_of_worker(plans: Iterator[SessionPlan], worker: int, workers: int) -> Iterator[SessionPlan]:
    """The sessions of worker `worker` (from 0) of `workers`: those whose index is `worker` modulo `workers`."""
    if not 0 <= worker < workers:
        raise ValueError(f"worker {worker} of {workers}: workers count from 0")
    return islice(plans, worker, None, workers)
