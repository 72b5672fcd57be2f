"""spans.parquet: one row per span, readable with SQL."""

from __future__ import annotations

from pathlib import Path

import duckdb

from reports.record.parquet import COLUMNS, SpanRows
from reports.record.spans import SpanFiles, read_spans
from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder


def test_the_table_has_one_row_per_span_and_is_readable_with_sql(record: RecordBuilder, tmp_path: Path) -> None:
    for turn in range(3):
        record.call("s0", turn, 6.0 + turn, outcome="truncated" if turn == 1 else "ok")
    spans = list(read_spans(record.write() / "spans", SpanFiles()))
    target = tmp_path / "it's a run.parquet"
    with SpanRows(target) as rows:
        rows.add_all(spans)
        rows.write()
    connection = duckdb.connect()
    table = connection.read_parquet(str(target))
    assert table.columns == list(COLUMNS)
    assert table.aggregate("count(*)").fetchall() == [(len(spans),)]
    quoted = str(target).replace("'", "''")
    rows_found = connection.sql(
        f"select turn, outcome, attributes->>'$.\"{names.CALL_TTFT}\"' from '{quoted}'"
        " where name like 'chat %' order by turn"
    ).fetchall()
    assert rows_found == [(0, "ok", "0.5"), (1, "truncated", "0.5"), (2, "ok", "0.5")]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
