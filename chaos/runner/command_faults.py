"""Faults by commands of the user's at the end of a run: they do not end with its processes, as others do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from chaos.runner.early_end import EarlyEnd
from chaos.runner.fault_play import FaultPlay
from chaos.supervision.command import GRACE_S
from chaos.supervision.undo import read_file

__all__ = ["reverts_s", "settle_commands"]


def reverts_s(plays: Mapping[str, FaultPlay]) -> float:
    """How long the reverts of the active ones may take at most, seconds: a signal does not cut them short."""
    faults = [play.fault for play in plays.values() if play.active and not play.fault.ends_with_targets]
    return sum(fault.last_revert_within_s + GRACE_S for fault in faults)


def settle_commands(plays: Mapping[str, FaultPlay], undo_file: Path, early: EarlyEnd) -> None:
    """After the end of the shepherd, which had the last try: record what became of each, by the undo file.

    One that is not reverted is a failure of the run.
    """
    try:
        undone = {one.fault: one.done_by for one in read_file(undo_file).faults}
    except OSError:
        undone = {}
    for fault_id, play in plays.items():
        if play.active and not play.fault.ends_with_targets:
            play.settle_command(undone.get(fault_id, ""))
            if play.active:
                early.end("failed", play.played.problem, 5)
