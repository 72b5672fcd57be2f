"""The JSON Schema of experiment files, for editors. `python -m chaos.experiment.schema` rewrites it.

At the top of a file: `# yaml-language-server: $schema=<path of experiment.schema.json>`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

__all__ = ["SCHEMA_FILE", "schema_text"]

SCHEMA_FILE: Final = Path(__file__).with_name("experiment.schema.json")


def schema_text() -> str:
    """The schema as it stands in the file."""
    from chaos.experiment.file import experiment_json_schema

    return json.dumps(experiment_json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
