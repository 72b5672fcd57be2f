"""The other side of `brownout gate --against`: what its argument names."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaos.cli.gate.request import GateRequest
from chaos.experiment.model import Experiment
from reports.shared.documents import read_document
from reports.shared.errors import UserError
from targets.adapters.catalogue import ADAPTERS
from targets.stack import stack_names

__all__ = ["OWN_SIDE", "SideOptions", "other_side", "run_command"]


@dataclass(frozen=True, slots=True)
class SideOptions:
    """Where a side plays, as the options of `brownout run`. None: the experiment's own."""

    stack: str | None = None
    gateway: str | None = None
    target: Path | None = None

    @property
    def label(self) -> str:
        """In words; "" for the experiment's own."""
        parts = [self.gateway, self.stack, str(self.target) if self.target is not None else None]
        return " on ".join(part for part in parts if part)


OWN_SIDE: Final = SideOptions()
"""Where the experiment itself plays."""


def other_side(against: str, head: SideOptions) -> SideOptions:
    """The side that `--against` names: a stack, with the head's gateway if that has one; a gateway in front of the
    head's stack; or a target file.

    Raises UserError where it is none of these.
    """
    path = Path(against)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        document = read_document(path)
        return (
            SideOptions(target=path) if "target" in document.data else SideOptions(stack=against, gateway=head.gateway)
        )
    if against in stack_names():
        return SideOptions(stack=against, gateway=head.gateway)
    if against.partition(":")[0] in ADAPTERS:
        return SideOptions(gateway=against, stack=head.stack)
    raise UserError(
        f"--against {against}: neither a stack ({', '.join(stack_names())}), nor a gateway ({', '.join(ADAPTERS)}), "
        f"nor a file with a stack or a `target:`. See: brownout list stacks, brownout targets"
    )


def run_command(experiment: Experiment, name: str, side: SideOptions, request: GateRequest) -> str:
    """The command that plays one run of a side alone, with this experiment's seed."""
    words = ["brownout", "run", name]
    words += ["--stack", side.stack] if side.stack is not None else []
    words += ["--gateway", side.gateway] if side.gateway is not None else []
    words += ["--target", str(side.target)] if side.target is not None else []
    words += ["--scale", repr(experiment.scale)] if experiment.scale != 1.0 else []
    words += ["--short"] if request.short else []
    words += ["--yes-i-may"] if request.may_leave_loopback else []
    words += ["--allow-exec"] if request.allow_exec else []
    words += ["--allow-exposed"] if request.allow_exposed else []
    return shlex.join([*words, "--seed", str(experiment.seed)])
