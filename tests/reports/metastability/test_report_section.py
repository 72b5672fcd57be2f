"""The section `metastability` of report.json."""

from __future__ import annotations

import re

from reports.metastability.judging import Metastability, metastability_of
from reports.metastability.report_section import report_section
from tests.support.paths import ROOT
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of
from tests.support.storm_records import add_storm_with_spare_capacity, write_twin


def test_the_section_has_the_documented_keys_also_where_nothing_is_known() -> None:
    section = report_section(Metastability(None, "no fault was injected"))
    documented = (ROOT / "docs" / "report-schema.md").read_text()
    keys = set(re.findall(r"^\| `metastability\.(\w+)(?:\[\][.\w]*)?`", documented, re.MULTILINE))
    assert set(section) == keys
    assert (section["state"], section["bar"], section["persisting"]) == (None, None, [])


def test_the_section_of_a_stack_that_is_down_has_its_evidence(record: RecordBuilder) -> None:
    write_twin(record, good=1.0)
    section = report_section(metastability_of(evidence_of(add_storm_with_spare_capacity(record))))
    assert (section["state"], section["confirmed_by"], section["unconfirmed"]) == ("metastable", ["twin"], False)
    assert (section["baseline_share"], section["bar"], section["share"]) == (1.0, 0.7, 0.0)
    assert (section["twin"], section["twin_share"], section["shedding_s"]) == ("twin", 1.0, None)
    assert section["persisting"][1] == {
        "what": "upstream attempts per call",
        "unit": "x",
        "baseline": 1.0,
        "after": 3.0,
        "worse": True,
    }
