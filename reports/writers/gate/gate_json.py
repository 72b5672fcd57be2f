"""gate.json: the whole result of a gate, for programs. Its fields: `docs/gate-schema.md`."""

from __future__ import annotations

import json
from pathlib import Path

from brownout.result import Result
from reports.shared.whole_file import write_whole

__all__ = ["write_gate_json"]


def write_gate_json(result: Result, folder: Path) -> Path:
    """Write `gate.json` into `folder`, atomically. Raises OSError.

    Only ASCII is written, so that any text, also one with half a character, can be written and read again.
    """
    text = json.dumps(result.to_json(), indent=1, allow_nan=False)
    return write_whole(folder / "gate.json", text.encode("ascii") + b"\n")
