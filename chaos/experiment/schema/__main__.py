"""Writes the JSON Schema of experiment files."""

from __future__ import annotations

from chaos.experiment.schema import SCHEMA_FILE, schema_text

SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
