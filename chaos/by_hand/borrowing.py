"""A run on the replicas of an `up --replicas-only`: those end for the run, which starts its own on the same ports.

So every fault, span and counter of the run is its own. The stack that is up starts its replicas again when the run
closes its connection: also where the run was killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from typing import Final

from chaos.by_hand.control import ask, exchange
from chaos.by_hand.controls import LENT
from chaos.by_hand.runtime import Entry, entries
from chaos.experiment.model import Experiment
from reports.shared.errors import TargetFailed, UserError
from targets.stack import Stack

__all__ = ["borrowed_replicas", "check_lender", "lender_of", "replicas_digest"]

LENT_WITHIN_S: Final = 15.0


def lender_of(experiment: Experiment) -> Entry | None:
    """The stack that is up and has the replicas of this experiment's target; None: there is none.

    Raises UserError if the stack on these ports is another one, also under the same name.
    """
    if experiment.stack is None or not experiment.first_port:
        return None
    for entry in entries():
        if entry.what != "up" or entry.url or entry.first_port != experiment.first_port:
            continue
        if entry.stack != experiment.stack.name:
            raise UserError(
                f"on port {entry.first_port} are the replicas of the stack {entry.stack}, and the target names "
                f"{experiment.stack.name}\n    write replicas: {{stack: {entry.stack}, ...}}, or end that stack"
            )
        if entry.replicas and entry.replicas != replicas_digest(experiment.stack):
            raise UserError(
                f"on port {entry.first_port} are the replicas of a stack {entry.stack} with other contents than the "
                f"target's\n    its file was changed, or is another one: end that stack, and start it again"
            )
        return entry
    return None


def replicas_digest(stack: Stack) -> str:
    """A digest of what makes the replicas of two stacks the same: their names, hardware and model. No prices."""
    facts = [stack.model, stack.context_limit, *((one.name, one.cloud, one.hardware) for one in stack.replicas)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def check_lender(entry: Entry) -> None:
    """Whether this stack can lend its replicas now, asked before a run begins. Raises UserError or TargetFailed."""
    facts = ask(entry, {"do": "status"})
    if facts.get("lent_to"):
        raise UserError(f"the replicas of {entry.name} are lent to {facts['lent_to']}\n    wait for its end")
    if facts.get("faults"):
        at = f" --at {entry.name}"
        raise UserError(f"a fault is active on the replicas of {entry.name}\n    brownout revert{at}")


@contextlib.contextmanager
def borrowed_replicas(experiment: Experiment, name: str) -> Iterator[Entry | None]:
    """Inside the block, the ports of the replicas are free for this run. Yields the lender; None where none is needed.

    Raises UserError or TargetFailed in the words of the stack that is up.
    """
    entry = lender_of(experiment)
    if entry is None:
        yield None
        return
    with contextlib.closing(exchange(entry, {"do": "lend", "to": name}, LENT_WITHIN_S)) as messages:
        for message in messages:
            if message.get("say") == LENT:
                break
            if "error" in message:
                error_text = str(message["error"])
                raise UserError(error_text) if message.get("code") == 2 else TargetFailed(error_text)
        else:
            raise TargetFailed(f"{entry.name} has ended before it lent its replicas")
        yield entry
