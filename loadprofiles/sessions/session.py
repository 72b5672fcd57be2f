"""The session model: the protocol between an agent session and the player that plays it.

A session is partly open-loop: its start is scheduled, the calls inside are sequential. An `Agent` is a pure object: it
gets the time and the result of its last call, and returns the next step. The player (the load's player, a simulation, a
test) carries out the step: it sends the call, waits for the pause, plays forked agents concurrently, or stops.

    main agent   Call, Pause(tool), Call, Fork(sub-1, sub-2), Call, Pause(person), Call, Done

Every draw is keyed by (seed, session, agent, turn, purpose), so the same seed plays the same sessions, independent of
timing and of the number of workers.
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
"""The only tool of an agent. It has one string parameter, `input`."""

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call in an assistant's message. `arguments` is the JSON text of an object."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. Immutable, so that a client may cache its encoding by identity.

    Only an assistant's message has `tool_calls`. Only a tool's message has a `tool_call_id`: the call it answers. Each
    call is answered by a message of its own, directly after the assistant's.
    """

    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Send the conversation, collect the answer, and pass a `CallResult` to `Agent.next`.

    `messages` is the whole conversation. From one call of an agent to the next it only grows (the same objects, then
    new ones), unless the conversation was compacted. A simulated replica produces exactly `max_tokens` tokens. `tools`
    False: the answer must be text; still send the tools, with `tool_choice` "none", because the prompt begins with the
    tools and a different beginning would miss the prefix cache.
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
    """Wait `seconds` while a tool (named `tool`) runs or a person reads; then call `next(now, None)`."""

    seconds: float
    why: Literal["tool", "person"]
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Fork:
    """Play these sub-agents concurrently; when all have ended, call `next(now, None)`."""

    agents: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The agent has ended. If it is the main agent, the session has ended: succeeded or lost."""

    succeeded: bool


Step: TypeAlias = Call | Pause | Fork | Done


@dataclass(frozen=True, slots=True)
class CallResult:
    """The result of a call, after the client's retries.

    `ok` is True only for a complete answer. `text` is its text; `tool_arguments` has the arguments of each of its tool
    calls, as received (mostly the JSON text of an object). `outcome` is a value of `reports.shared.attributes.Outcome`.
    The target reports the token counts.
    """

    ok: bool
    text: str
    tool_arguments: tuple[str, ...]
    outcome: str
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


class Agent(Protocol):
    """One agent of a session, with its own conversation."""

    @property
    def id(self) -> str:
        """Unique in its session: `main`, `sub-1`, ..."""

    def next(self, now: float, last: CallResult | None) -> Step:
        """Returns the next step.

        `now`: seconds since the load's start. `last`: the result of the call if the last step was a `Call`; None at
        the beginning, after a `Pause` and after a `Fork`. Returns `Done(succeeded=False)` after a failed call and
        after a fork in which an agent failed. Raises ValueError if called after `Done`.
        """


@dataclass(slots=True)
class SessionPlan:
    """One session, to be started at `start_at_s` (seconds since the load's start).

    `index` numbers the sessions of a load from 0; `id` is unique across runs. `calls_planned` includes the calls of
    sub-agents. `tier`: the tenant's tier, "" for none. `fault`: id of the demand fault that adds the session ("":
    none); `index` then numbers that fault's sessions.
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
        raise ValueError(f"worker {worker} of {workers}: workers are numbered from 0 to {workers - 1}")
    return islice(plans, worker, None, workers)
