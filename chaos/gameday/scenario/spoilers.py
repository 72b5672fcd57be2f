"""Texts for responders that would tell what is wrong: they name a kind of fault of the scenario, or its targets.

The title and the briefing must not, and hints and events not before people had time to look: `EARLY_S` after the begin
of the fault. A text that names everything of a sort (all pools) tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chaos.experiment.draft import Draft, mapping, views
from chaos.gameday.scenario.synthetic import Entry, seconds
from reports.shared.document import Document, Where
from reports.shared.documents import duration_text
from reports.shared.errors import Problem

__all__ = ["EARLY_S", "check_spoilers"]

EARLY_S: Final = 180.0
_REMEDY: Final = "write what people would notice, and let them find out where it comes from"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A text, and when responders see it, seconds; None: from the beginning."""

    path: Where
    what: str
    text: str
    at_s: float | None


def check_spoilers(document: Document, entries: list[Entry], made: Draft) -> Iterator[Problem]:
    """Every text that tells a fault too early."""
    sorts = _sorts(made)
    for shown in _texts(document.data):
        for index, entry in enumerate(entries):
            begin_s = entry.at_s if entry.at_s is not None else 0.0
            if shown.at_s is not None and shown.at_s >= begin_s + EARLY_S:
                continue
            told = next(_told(shown.text, entry, made, index, sorts), None)
            if told is None:
                continue
            until = "" if shown.at_s is None else f" before {duration_text(begin_s + EARLY_S)}"
            yield document.problem(shown.path, f"{shown.what} tells the fault{until}: it names {told}", _REMEDY)
            break


def _texts(data: Mapping[str, Any]) -> Iterator[_Shown]:
    for key in ("public_title", "briefing"):
        if isinstance(data.get(key), str):
            yield _Shown((key,), key, data[key], None)
    branches = data.get("branches")
    for path, part in [
        ((), data),
        *(
            (("branches", index), mapping(one))
            for index, one in enumerate(branches if isinstance(branches, list) else [])
        ),
    ]:
        for key, time, keys in (("hints", "after", ("text",)), ("events", "at", ("who", "text"))):
            given = part.get(key)
            for index, raw in enumerate(given if isinstance(given, list) else []):
                at_s = seconds(mapping(raw).get(time))
                for name in keys:
                    text = mapping(raw).get(name)
                    if isinstance(text, str) and at_s is not None:
                        yield _Shown((*path, key, index, name), f"the {key[:-1]}", text, at_s)


def _sorts(made: Draft) -> dict[str, list[str]]:
    """All replicas, pools, clouds and tenants."""
    replicas = views(made.stack) if made.stack is not None else []
    return {
        "replica": [one.name for one in replicas],
        "pool": list(dict.fromkeys(one.pool for one in replicas)),
        "cloud": list(dict.fromkeys(one.cloud for one in replicas)),
        "tenant": [one.name for one in made.profile.tenants] if made.profile is not None else [],
    }


def _told(text: str, entry: Entry, made: Draft, index: int, sorts: Mapping[str, list[str]]) -> Iterator[str]:
    """What of a fault the text names."""
    for kind in entry.kinds:
        if _names(text, kind) or _names(text, kind.replace("_", " ")) or _names(text, kind.replace("_", "-")):
            yield f"its kind ({kind})"
    spec = made.faults[index].spec
    if spec is None:
        return
    replicas = views(made.stack) if made.stack is not None else []
    targets = spec.select(replicas, made.seed, made.faults[index].id)
    hit = [one for one in replicas if one.name in targets]
    tenants: Any = getattr(spec, "tenant", None) or []
    told: dict[str, Iterable[str]] = {
        "replica": [one.name for one in hit],
        "pool": dict.fromkeys(one.pool for one in hit),
        "cloud": dict.fromkeys(one.cloud for one in hit),
        "tenant": [tenants] if isinstance(tenants, str) else tenants,
    }
    for sort, names in told.items():
        if len(sorts[sort]) > 1 and all(_names(text, name) for name in sorts[sort]):
            continue
        yield from (f"its {sort} {name}" for name in names if _names(text, name))


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None
