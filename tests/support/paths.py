"""Where things are on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["DATA", "ROOT"]

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout."""

DATA: Final = Path(os.environ.get("BROWNOUT_DATA") or ROOT.parent / "shared" / "data")
"""Real traces, where the machine has them; a test that needs them skips where the folder is missing."""
