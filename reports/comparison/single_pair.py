"""A single pair of runs, judged from their records by the stored spread of A/A pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.comparison.chance import MIN_PAIRS
from reports.comparison.paired import ONE_PAIR, difference_fields, differences, evidence_of, judged
from reports.comparison.sides import ComparedRun, doubt_text
from reports.comparison.spread import Spread, spread_facts, spreads_of_pair
from reports.gates.grammar import parse_gate
from reports.gates.validity import prove
from reports.shared.errors import BrownoutError

__all__ = ["judge_pair"]


def judge_pair(here: ComparedRun, there: ComparedRun, spreads: Sequence[Spread]) -> dict[str, Any]:
    """`note`, `spread` and `rows` of the contrast of two runs, `there` being the reference.

    Without an applicable spread, or where a record cannot be read, only `note`, which says why.
    """
    found = spreads_of_pair(spreads, here[1], there[1])
    again = f"play at least {MIN_PAIRS} seeds on both sides and compare all runs"
    if isinstance(found, str):
        return {"note": f"{ONE_PAIR}{f' ({found})' if found else ''}: {again}, or give --spread FILE"}
    try:
        ours, theirs = evidence_of(here[0]), evidence_of(there[0])
    except (OSError, ValueError, KeyError, BrownoutError) as error:
        return {"note": f"{ONE_PAIR} without the records, which cannot be read ({error}): {again}"}
    texts = dict.fromkeys(str(gate["text"]) for _, report in (here, there) for gate in report["gates"])
    proofs = prove(ours), prove(theirs)
    doubtful = any(one.latency_doubts for one in proofs)
    severe = any(one.severe_doubts for one in proofs)
    rows = judged(differences(ours, theirs, map(parse_gate, texts)), *found, doubtful=doubtful, severe=severe)
    doubt = doubt_text(doubtful=doubtful, severe=severe)
    return {"doubt": doubt, "spread": spread_facts(found), "rows": [difference_fields(row) for row in rows]}
