"""The commands that change or undo an operation: `operate` and `undo`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.by_hand.control import Say
from chaos.by_hand.hand_fault import HandFault, HandWorld
from chaos.by_hand.operations import NOT_OURS, HandOperations
from reports.shared.errors import UserError

__all__ = ["OperateCommands", "arguments_of"]


@dataclass(slots=True)
class OperateCommands:
    """Carries out one request on the operations of a stack; `operations` None: the gateway is not ours.

    `note(action, text)` records what was done.
    """

    operations: HandOperations | None
    world: HandWorld
    faults: Mapping[str, HandFault]
    note: Callable[[str, str], None]

    async def __call__(self, request: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """Carry out `operate` or `undo`. Raises UserError or TargetFailed."""
        if self.operations is None:
            raise UserError(f"{NOT_OURS}\n    brownout restart NAME")
        if request.get("do") == "undo":
            return await self._undo(self.operations, request.get("n"), say)
        return await self._operate(self.operations, request, say)

    async def _operate(self, operations: HandOperations, request: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        operation, arguments = str(request.get("operation")), arguments_of(request)
        if request.get("dry_run"):
            return {"n": None, "text": operations.preview(operation, arguments)}
        n, text = await operations.perform(operation, arguments, say)
        self.note("operate", f"{n}: {text}")
        return {"n": n, "text": text, "ended": [], "left": []}

    async def _undo(self, operations: HandOperations, named: Any, say: Say) -> Mapping[str, Any]:
        """One operation by its number, or all (`named`: "all"), the newest first."""
        if named == "all":
            numbers = sorted(operations.in_force, reverse=True)
            if not numbers:
                raise UserError("no operation is in force")
        elif isinstance(named, int) and not isinstance(named, bool):
            numbers = [named]
        else:
            raise UserError("undo needs the number of an operation, or all")
        texts = []
        for n in numbers:
            self._check_no_fault(operations, n)
            texts.append(await operations.undo(n, say))
            self.note("undo", f"{n}: {texts[-1]}")
        return {"undone": numbers, "text": "; ".join(texts)}

    def _check_no_fault(self, operations: HandOperations, n: int) -> None:
        """A pool with a fault is not taken away: the revert needs its processes. Raises UserError."""
        one = operations.in_force.get(n)
        if one is None or one.operation != "add_pool":
            return
        names = {name for name, view in self.world.replicas.items() if view.pool == one.argument}
        for fault_id, fault in self.faults.items():
            both = sorted(names.intersection(fault.targets)) if fault.active else []
            if both:
                kind = fault.injection.occurrence.spec.kind
                raise UserError(
                    f"{', '.join(both)}: {kind} ({fault_id}) is active there\n    brownout revert {fault_id}"
                )


def arguments_of(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of an operation, as a request has them."""
    arguments = request.get("arguments")
    return arguments if isinstance(arguments, dict) else {}
