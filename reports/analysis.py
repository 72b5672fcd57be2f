"""From the record of a run to its verdict: `python -m reports.analysis RUN_DIR`.

Reads the record, writes spans.parquet, report.json, junit.xml, summary.md (and report.html), prints the verdict in one
line, and exits with its code. A process of its own: what it needs is too heavy for the others. A form that cannot be
written leaves the rest, and says so.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from reports.comparison.paired import twin_section
from reports.gates.grammar import Gate, GateError, parse_gate
from reports.gates.judging import GateResult, judge
from reports.gates.validity import Proofs, prove
from reports.gates.verdict import decide
from reports.history.evidence import Evidence, gather
from reports.metastability.judging import Metastability, metastability_of
from reports.record.parquet import SpanRows
from reports.record.reader import Record, read_record
from reports.record.spans import Span
from reports.report.build import Report, build
from reports.shared.errors import BrownoutError, RecordError
from reports.writers.json_report import write_json
from reports.writers.junit import write_junit
from reports.writers.markdown.summary import write_summary

WHEN_TOLD: Final = "--when-told"
"""Load everything, then wait for a line on standard input: for a run that is not over yet."""

STEADY: Final = "--steady"
"""Judge the `steady_state` gates alone, on the record so far, and write nothing."""

NOT_STEADY: Final = 10
"""Exit code of `--steady` when a gate failed; 1 is what a crash leaves."""

__all__ = ["NOT_STEADY", "WRITERS", "analyse", "main", "steady_failures"]

WRITERS: Final[dict[str, Callable[[Report, Path], Path]]] = {
    "report.json": write_json,
    "junit.xml": write_junit,
    "summary.md": write_summary,
}
"""What is written, by file name. `report.html` joins them where its module is there."""


def analyse(run_dir: Path, *, write: bool = True) -> Report:
    """Judge the run in `run_dir` and, unless told otherwise, write every form of its report there.

    Raises RecordError where there is no record of a run. What cannot be written is printed on stderr and changes no
    verdict.
    """
    record = read_record(run_dir)
    table = _ParquetTask(record.spans, run_dir / "spans.parquet") if write else None
    notes = record.notes
    if record.slo_problem:
        notes.append(f"the objectives cannot be read ({record.slo_problem}): calls are good without them")
    evidence = gather(record)
    proofs = prove(evidence)
    unread: list[str] = []
    gates = [judge(gate, evidence, proofs) for gate in _gates(record, "gates", unread)]
    steady = _steady(record, evidence, proofs, unread)
    metastability = _metastability(evidence, notes)
    verdict = decide(record, gates, steady, unread, metastability, proofs.latency_doubts)
    report = build(evidence, proofs, gates, steady, verdict, metastability, notes)
    report.data["twin"] = twin_section(evidence, [result.gate for result in gates], proofs.latency_doubts)
    if table is not None:
        _write_all(report, run_dir)
        table.finish()
    return report


def steady_failures(run_dir: Path) -> list[str]:
    """The `steady_state` gates that fail by the end of the baseline, in words. Raises RecordError.

    The run goes on meanwhile: calls under way have no span yet and do not count, nor is a span that has not come lost.
    """
    record = read_record(run_dir)
    record.ended = True  # the baseline is over, if not the run
    evidence = gather(record)
    proofs = replace(prove(evidence), source_doubts={})
    results = _steady(record, evidence, proofs, [])
    return [f"{result.gate.text}: {result.why}" for result in results if result.verdict == "fail"]


def _metastability(evidence: Evidence, notes: list[str]) -> Metastability:
    try:
        return metastability_of(evidence)
    except Exception as error:  # a check that crashes says nothing; it must not cost the report
        notes.append(f"whether the stack stayed down could not be judged: {error!r}")
        return Metastability(None, f"the check crashed: {error!r}")


def _steady(record: Record, evidence: Evidence, proofs: Proofs, unread: list[str]) -> list[GateResult]:
    return [
        judge(replace(gate, phase="baseline") if gate.spec.phased else gate, evidence, proofs)
        for gate in _gates(record, "steady_state", unread)
    ]


def _gates(record: Record, key: str, unread: list[str]) -> Iterable[Gate]:
    for entry in record.experiment.get(key) or ():
        given: dict[str, Any] = entry if isinstance(entry, dict) else {"gate": entry}
        try:
            yield parse_gate(str(given.get("gate", "")), given.get("on_inconclusive"))
        except GateError as error:
            unread.append(error.message)


def _write_all(report: Report, folder: Path) -> None:
    writers = dict(WRITERS)
    if importlib.util.find_spec("reports.writers.html.page_writer") is not None:
        writers["report.html"] = import_module("reports.writers.html.page_writer").write_html
    for name, writer in writers.items():
        try:
            writer(report, folder)
        except Exception:
            print(f"{name} could not be written:\n{traceback.format_exc()}", file=sys.stderr)


class _ParquetTask:
    """Writes spans.parquet beside the measuring: duckdb works in threads of its own."""

    def __init__(self, spans: list[Span], target: Path) -> None:
        self._spans, self._target = spans, target
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="parquet")
        self._thread.start()

    def _run(self) -> None:
        try:
            with SpanRows(self._target) as rows:
                rows.add_all(self._spans)
                rows.write()
        except Exception:
            self._problem = traceback.format_exc()

    def finish(self) -> None:
        """Wait for it; say what went wrong."""
        self._thread.join()
        if self._problem:
            print(f"{self._target.name} could not be written:\n{self._problem}", file=sys.stderr)


def _told() -> bool:
    """Load what takes time, beside a run that still drains; then whether the word to begin came."""
    os.nice(10)
    for name in ("duckdb", "scipy.stats", "reports.writers.html.page_writer"):
        import_module(name)
    return bool(sys.stdin.readline())


def _main_steady(run_dir: Path) -> int:
    os.nice(10)  # the load goes on beside it
    try:
        failures = steady_failures(run_dir)
    except BrownoutError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    print("; ".join(failures))
    return NOT_STEADY if failures else 0


def main(arguments: list[str]) -> int:
    """The command line: a run's folder. Returns the exit code of the verdict."""
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], [WHEN_TOLD], [STEADY]):
        print(f"usage: python -m reports.analysis RUN_DIR [{WHEN_TOLD} | {STEADY}]", file=sys.stderr)
        return 2
    if arguments[1:] == [STEADY]:
        return _main_steady(Path(arguments[0]))
    if arguments[1:] and not _told():
        return 0
    gc.disable()  # a short process that keeps what it makes: collecting costs a fifth of its time and frees nothing
    try:
        report = analyse(Path(arguments[0]))
    except RecordError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except BrownoutError as error:
        print(f"{error}", file=sys.stderr)
        return 5
    print(f"{report.verdict.verdict}: {report.verdict.why[0]}")
    return report.exit_code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
