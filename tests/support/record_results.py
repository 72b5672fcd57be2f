"""Results of the analysis of a built record: evidence, measures and gates."""

from __future__ import annotations

import hashlib
from pathlib import Path

from reports.gates.grammar import parse_gate
from reports.gates.judging import GateResult, judge, measure
from reports.gates.validity import prove
from reports.history.evidence import Evidence, Scope, gather
from reports.measures.measurement import Measurement
from reports.record.reader import read_record
from tests.support.record_builder import RecordBuilder

__all__ = ["evidence_of", "judged", "measured", "value"]


def evidence_of(builder: RecordBuilder) -> Evidence:
    """Write the record and read it back, once for the same content."""
    folder = builder.write()
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        content.update(f"{path.relative_to(folder)}\n".encode() + (path.read_bytes() if path.is_file() else b""))
    key = (folder, content.hexdigest())
    if key not in _GATHERED:
        _GATHERED.clear()  # a test has one record, seldom two
        _GATHERED[key] = gather(read_record(folder))
    return _GATHERED[key]


_GATHERED: dict[tuple[Path, str], Evidence] = {}


def value(builder: RecordBuilder, name: str, phase: str | None = None, where: tuple[str, str] | None = None) -> float:
    """The value of a measure of the record; fails if there is none."""
    found = measured(builder, name, phase, where)
    assert found.value is not None, found.why_not
    return found.value


def measured(
    builder: RecordBuilder, name: str, phase: str | None = None, where: tuple[str, str] | None = None
) -> Measurement:
    """The result of a measure such as "ttft.p95" on the record."""
    measure_name, _, stat = name.partition(".")
    return measure(evidence_of(builder), measure_name, Scope(phase, where), stat)


def judged(builder: RecordBuilder, *gates: str) -> list[GateResult]:
    """The results of gates on the record."""
    evidence = evidence_of(builder)
    proofs = prove(evidence)
    return [judge(parse_gate(gate), evidence, proofs) for gate in gates]
