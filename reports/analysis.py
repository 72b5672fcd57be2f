"""Analyses the record of a run: `python -m reports.analysis RUN_DIR`.

Reads the record, writes spans.parquet, report.json, junit.xml, summary.md and report.html, of an exercise also
postmortem.md and postmortem.html, prints the verdict in one line, and exits with its code. It runs in its own process,
because its libraries are too large for the others. Where one file cannot be written, the others still are, and the
error is printed on stderr.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from reports.by_hand.section import window_section
from reports.by_hand.windows import FaultWindow, by_windows, fault_windows, of_window
from reports.comparison.paired import twin_section
from reports.gameday.section import exercise_section
from reports.gates.carrying import Carrying, carrying, undecided
from reports.gates.dead_target import dead_target
from reports.gates.grammar import Gate, GateError, parse_gate
from reports.gates.judging import GateResult, judge
from reports.gates.offered_load import no_load
from reports.gates.validity import Proofs, prove
from reports.gates.verdict import decide
from reports.history.calls import Calls
from reports.history.evidence import Evidence, gather
from reports.history.token_counts import estimated_tokens_note
from reports.metastability.judging import Metastability, metastability_of
from reports.record.parquet import SpanRows
from reports.record.reader import Record, read_record
from reports.record.spans import Span
from reports.record.undo_facts import left_texts, undo_facts
from reports.report.build import Report, build
from reports.shared.errors import BrownoutError, RecordError
from reports.shared.wording import without_call_text
from reports.writers.json_report import write_json
from reports.writers.junit import write_junit
from reports.writers.markdown.summary import write_summary

WAIT: Final = "--wait"
"""Import the libraries, then wait for a line on standard input: for a run that has not ended yet."""

STEADY: Final = "--steady"
"""Judge only the `steady_state` gates, on the record so far, and write nothing."""

_PR_SET_PDEATHSIG: Final = 1
"""Of prctl(2): the signal that this process gets when its parent ends."""

NOT_STEADY: Final = 10
"""Exit code of `--steady` when a gate failed. Not 1, which is the exit code of a crash."""

__all__ = ["NOT_STEADY", "WRITERS", "analyse", "main", "steady_failures"]

WRITERS: Final[dict[str, Callable[[Report, Path], Path]]] = {
    "report.json": write_json,
    "junit.xml": write_junit,
    "summary.md": write_summary,
}
"""The writer of each file by its name. `report.html` is added where its module exists."""


def analyse(run_dir: Path, *, write: bool = True) -> Report:
    """Analyse the run in `run_dir`; with `write`, write all forms of its report there.

    Raises RecordError where the folder has no record of a run. A file that cannot be written is reported on stderr and
    does not change the verdict.
    """
    record = read_record(run_dir)
    table = _ParquetTask(record.spans, run_dir / "spans.parquet") if write else None
    windows = fault_windows(record) if record.by_hand else []
    evidence = gather(by_windows(record, windows) if windows else record)
    report = _report(evidence, run_dir)
    if record.by_hand:
        joined = evidence.calls
        report.data["windows"] = [_window(record, window, joined, run_dir, write=write) for window in windows]
    report.data["exercise"] = _exercise(evidence, report.data)
    if table is not None:
        _write_all(report, run_dir)
        table.finish()
    return report


def _exercise(evidence: Evidence, data: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return exercise_section(evidence.record, evidence, data)
    except Exception as error:  # the report of the run is still written
        data["notes"].append(f"the analysis of the exercise crashed: {error!r}")
        return None


def _window(record: Record, window: FaultWindow, joined: Calls, run_dir: Path, *, write: bool) -> dict[str, Any]:
    """Analyse one fault window by itself; with `write`, write its report into a folder of its own.

    `joined`: the calls of the record.
    """
    evidence = gather(of_window(record, window), joined)
    folder = Path("windows") / str(window.number)
    if write:
        (run_dir / folder).mkdir(parents=True, exist_ok=True)
        _write_all(_report(evidence, run_dir), run_dir / folder, page="write_window_html")
    return window_section(window, evidence, str(folder))


def _report(evidence: Evidence, run_dir: Path) -> Report:
    record = evidence.record
    notes = list(record.notes)
    if record.slo_problem:
        notes.append(f"the objectives are not valid ({record.slo_problem}): calls are good without meeting them")
    notes += estimated_tokens_note(evidence.calls.calls)
    proofs = prove(evidence)
    notes += [without_call_text(proofs.idle_replicas, "in the baseline")] if proofs.idle_replicas else []
    notes += proofs.upstream_doubts if record.by_hand else ()
    unreadable: list[str] = []
    gates = [judge(gate, evidence, proofs) for gate in _gates(record, "gates", unreadable)]
    steady = _steady(record, evidence, proofs, unreadable)
    carried = _carrying(evidence, proofs, notes)
    gates, steady = undecided(gates, carried), undecided(steady, carried)
    metastability = _metastability(evidence, notes)
    unknown: list[str] = []
    undo = undo_facts(run_dir, (fault.id for fault in record.faults if "confirmed" in fault.stages), unknown)
    kinds = {fault.id: f"{fault.kind} on {', '.join(fault.targets)}" for fault in record.faults}
    verdict = decide(
        record,
        gates,
        steady,
        unreadable,
        metastability,
        proofs.latency_doubts,
        failures=_failures(evidence, notes),
        no_load=no_load(evidence),
        severe=proofs.severe_doubts,
        not_reverted=[*left_texts(undo, kinds, run_dir), *unknown],
        carried=carried,
        elsewhere=proofs.upstream_doubts,
    )
    report = build(evidence, proofs, gates, steady, verdict, metastability, notes, undo, carried)
    report.data["exercise"] = None
    report.data["twin"] = twin_section(evidence, [result.gate for result in gates], proofs.latency_doubts)
    return report


def steady_failures(run_dir: Path) -> list[str]:
    """The `steady_state` gates that fail at the end of the baseline, each with its reason. Raises RecordError.

    The run continues meanwhile: calls in flight have no span yet and do not count, and missing spans are not lost.
    """
    record = read_record(run_dir)
    record.ended = True  # the baseline has ended, though the run has not
    evidence = gather(record)
    proofs = replace(prove(evidence), source_doubts={})
    results = _steady(record, evidence, proofs, [])
    return [f"{result.gate.text}: {result.why}" for result in results if result.verdict == "fail"]


def _failures(evidence: Evidence, notes: list[str]) -> list[str]:
    try:
        dead = dead_target(evidence)
    except Exception as error:  # a check that crashes is unknown; the report is still written
        notes.append(f"the check for a dead target crashed: {error!r}")
        return []
    return [str(dead)] if dead is not None else []


def _carrying(evidence: Evidence, proofs: Proofs, notes: list[str]) -> Carrying | None:
    """The finding that a gateway does not carry the load. Chaos by hand has no gates: there it is a note only."""
    try:
        found = carrying(evidence, proofs.latency_doubts)
        if found is None or not evidence.record.by_hand:
            return found
        notes.append(f"{found.text}; what helps: {found.helps}")
        return None
    except Exception as error:  # a check that crashes is unknown; the report is still written
        notes.append(f"the check whether the gateway carries the load crashed: {error!r}")
        return None


def _metastability(evidence: Evidence, notes: list[str]) -> Metastability:
    try:
        return metastability_of(evidence)
    except Exception as error:  # a check that crashes is unknown; the report is still written
        notes.append(f"the check for metastability crashed: {error!r}")
        return Metastability(None, f"the check crashed: {error!r}")


def _steady(record: Record, evidence: Evidence, proofs: Proofs, unreadable: list[str]) -> list[GateResult]:
    return [
        judge(replace(gate, phase="baseline") if gate.spec.phased else gate, evidence, proofs)
        for gate in _gates(record, "steady_state", unreadable)
    ]


def _gates(record: Record, key: str, unreadable: list[str]) -> Iterable[Gate]:
    for entry in record.experiment.get(key) or ():
        given: dict[str, Any] = entry if isinstance(entry, dict) else {"gate": entry}
        try:
            yield parse_gate(str(given.get("gate", "")), given.get("on_inconclusive"))
        except GateError as error:
            unreadable.append(error.message)


def _write_all(report: Report, folder: Path, page: str = "write_html") -> None:
    """`page`: the function that writes the page."""
    writers = dict(WRITERS)
    if importlib.util.find_spec("reports.writers.html.page_writer") is not None:
        writers["report.html"] = getattr(import_module("reports.writers.html.page_writer"), page)
    if report.data["exercise"] is not None:
        written = import_module("reports.writers.postmortem.files")
        writers |= {"postmortem.md": written.write_markdown, "postmortem.html": written.write_html}
    for name, writer in writers.items():
        try:
            writer(report, folder)
        except Exception as error:
            print(_unwritten_text(folder / name, error), file=sys.stderr)


class _ParquetTask:
    """Writes spans.parquet in a thread, concurrently with the measures."""

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
        except Exception as error:
            self._problem = _unwritten_text(self._target, error)

    def finish(self) -> None:
        """Wait for the thread; print its error."""
        self._thread.join()
        if self._problem:
            print(self._problem, file=sys.stderr)


def _end_with_parent() -> None:
    """Let the kernel kill this process when the one that started it ends: nothing of a run outlives it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _wait_for_start() -> bool:
    """Import the libraries while the run still drains; return whether a line came on standard input."""
    _end_with_parent()
    os.nice(10)
    for name in ("duckdb", "scipy.stats", "reports.writers.html.page_writer"):
        import_module(name)
    return bool(sys.stdin.readline())


def _main_steady(run_dir: Path) -> int:
    os.nice(10)  # the load is still running
    try:
        failures = steady_failures(run_dir)
    except BrownoutError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    print("; ".join(failures))
    return NOT_STEADY if failures else 0


def _unwritten_text(path: Path, error: Exception) -> str:
    """What the user reads of a report that could not be written."""
    if isinstance(error, OSError):
        return f"{path.name} could not be written: {error.strerror or error}"
    return f"{path.name} could not be written ({type(error).__name__}: {str(error)[:200]}); {_details(path.parent)}"


def _crash_text(run_dir: Path, error: Exception) -> str:
    """What the user reads where there is no report at all."""
    return (
        f"{run_dir}: this record cannot be analysed ({type(error).__name__}: {str(error)[:200]}); {_details(run_dir)}\n"
        "if nothing but brownout wrote this record, please report it as a bug, with these details"
    )


def _details(run_dir: Path) -> str:
    """Append the traceback of the exception that is being handled to a file, and say where it is."""
    path = run_dir / "logs" / "analysis-crash.log"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(traceback.format_exc())
    except OSError as error:
        return f"its details cannot be written: {error.strerror}"
    return f"details: {path}"


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code of the verdict."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], [WAIT], [STEADY]):
        print(f"usage: python -m reports.analysis RUN_DIR [{WAIT} | {STEADY}]", file=sys.stderr)
        return 2
    if arguments[1:] == [STEADY]:
        return _main_steady(Path(arguments[0]))
    if arguments[1:] and not _wait_for_start():
        return 0
    gc.disable()  # a short process that keeps its objects: collection takes a fifth of its time and frees nothing
    try:
        report = analyse(Path(arguments[0]))
    except RecordError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except BrownoutError as error:
        print(f"{error}", file=sys.stderr)
        return 5
    except Exception as error:  # a record that nobody foresaw: no report, and the user's record is kept
        print(_crash_text(Path(arguments[0]), error), file=sys.stderr)
        return 5
    print(f"{report.verdict.verdict}: {report.verdict.why[0]}")
    return report.exit_code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
