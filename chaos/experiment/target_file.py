"""A file that names a target, for `--target FILE`: a `target:` alone, or an experiment whose `target:` is used.

brownout: 1
target: {url: "http://127.0.0.1:4000", model: my-model, replicas: {stack: multi-cloud, first_port: 18101}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from chaos.experiment.target_format import TargetFile
from chaos.experiment.value_checks import check_values
from reports.shared.document import Document
from reports.shared.documents import FormatVersion, read_document, validate
from reports.shared.errors import InvalidFile, Problem

__all__ = ["TargetDocument", "read_target"]

_OF_EXPERIMENTS: Final = frozenset(("name", "load", "timeline", "gates"))


class TargetDocument(BaseModel):
    """A file that has at least a `target:`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    brownout: FormatVersion = Field(description="the version of the format: 1")
    target: TargetFile = Field(description="the target: {stack: multi-cloud}, or {url: ..., model: ...}")


class _TargetAlone(TargetDocument):
    model_config = ConfigDict(extra="forbid", frozen=True)


def read_target(path: Path) -> tuple[Document, list[Problem]]:
    """Read the file and check its `target:` by itself: every mistake. Raises UserError if it cannot be read."""
    document = read_document(path)
    of_experiment = _OF_EXPERIMENTS & document.data.keys()
    problems: list[Problem] = []
    try:
        validate(document, TargetDocument if of_experiment else _TargetAlone)
    except InvalidFile as error:
        problems.extend(error.problems)
    if not of_experiment:
        problems.extend(check_values(document))
    return document, problems
