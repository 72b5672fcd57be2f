"""The result of a gate from what its runs gave: of one experiment, and of all together.

A single run is its own verdict. Over several runs, the gates and the comparison decide; a sound run that failed for
another reason than a gate (the stack stayed down, the gateway carries no load) fails the experiment as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from brownout.result import Comparison, ExperimentResult, GateResult, PlayedRun, Result, Verdict
from reports.explanation.words import advice, failure_text
from reports.gating.soundness import is_sound, stays_down, stopped_early
from reports.shared.wording import target_text

__all__ = ["EXIT_CODES", "Concluded", "concluded", "experiment_result", "overall"]

EXIT_CODES: Final[Mapping[Verdict, int]] = {
    "interrupted": 130,
    "failed": 5,
    "fail": 1,
    "aborted": 4,
    "inconclusive": 3,
    "pass": 0,
}
"""By precedence: where several verdicts apply, the first one is that of all."""

_FAILURES: Final = 5
"""Groups of failed calls that a result lists."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """A run and its decoded report.json; None where the run has none."""

    run: PlayedRun
    report: Mapping[str, Any] | None


def concluded(
    folder: Path,
    report: Mapping[str, Any] | None,
    *,
    side: Literal["head", "base"],
    seed: int,
    verdict: str,
    exit_code: int,
    command: str,
    below: Path,
    why: str = "",
    started_at: str = "",
    duration_s: float = 0.0,
) -> Concluded:
    """A run that has ended. `verdict`, `exit_code`, `why`, `started_at`, `duration_s`: as the command saw it, which
    knows more than the report of a run that was interrupted, and all of one without report. `below`: the folder of the
    result, from which paths are given; another path is given as it is.
    """
    shown = folder.relative_to(below) if folder.is_relative_to(below) else folder
    if report is None:
        reasons = (why,) if why else ()
        run = PlayedRun(
            str(shown), side, seed, verdict, exit_code, False, started_at, duration_s, why=reasons, command=command
        )
        return Concluded(run, None)
    return Concluded(
        PlayedRun(
            folder=str(shown),
            side=side,
            seed=seed,
            verdict=verdict,
            exit_code=exit_code,
            sound=exit_code in (0, 1, 3) and is_sound(report),
            started_at=str(report["run"]["started_at"]),
            duration_s=float(report["run"]["duration_s"]),
            why=tuple(report["verdict"]["why"]) if exit_code in (0, 1, 3) or not why else (why,),
            doubts=tuple(report["proofs"]["doubts"]),
            report=str(shown / "report.html"),
            command=command,
        ),
        report,
    )


def experiment_result(
    name: str,
    title: str,
    runs: Sequence[Concluded],
    *,
    target: str = "",
    gates: Sequence[GateResult] = (),
    comparison: Comparison | None = None,
    duration_s: float = 0.0,
    looks: int = 1,
    stopped: str = "",
    own_verdict: bool = True,
    more: Mapping[Verdict, Sequence[str]] | None = None,
) -> ExperimentResult:
    """The result of one experiment. `runs`: of both sides, as they were played. `stopped`: why no more were played.

    Of several attempts at a seed, the last one counts. `own_verdict`: a single run decides as it would alone, at 95 %;
    not so where more were planned. `more`: further reasons by verdict.
    """
    last = list({(one.run.side, one.run.seed): one for one in runs}.values())
    head = [one for one in last if one.run.side == "head"]
    if len(last) == 1 and comparison is None and own_verdict:
        why = _of_single(last[0].run)
    else:
        why = _reasons(last, head, gates, comparison)
    for other, reasons in (more or {}).items():
        why[other] = [*reasons, *why[other]]
    verdict: Verdict = next((one for one in EXIT_CODES if why[one]), "pass")
    deciding = _deciding(head, verdict)
    report = deciding.report if deciding is not None else None
    reports = [one.report for one in runs if one.report is not None and one.run.side == "head"]
    order = sorted(runs, key=lambda one: one is not deciding)
    return ExperimentResult(
        name=name,
        title=title,
        target=target or (target_text(reports[0]["run"]) if reports else ""),
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        why=tuple(dict.fromkeys(why[verdict])),
        gates=tuple(gates),
        runs=tuple(one.run for one in runs),
        duration_s=duration_s or sum(one.run.duration_s for one in runs),
        comparison=comparison,
        sentence=str(report["explanation"]["sentence"]) if report is not None else "",
        helps=(advice(report) or "") if report is not None and verdict != "pass" else "",
        failures=tuple(map(failure_text, report["failures"][:_FAILURES])) if report is not None else (),
        commands=tuple(dict.fromkeys(one.run.command for one in order if one.run.command)),
        looks=looks,
        stopped=stopped,
    )


def _of_single(run: PlayedRun) -> dict[Verdict, list[str]]:
    why: dict[Verdict, list[str]] = {verdict: [] for verdict in EXIT_CODES}
    why[_of_run(run)] += run.why or [f"the run ended with exit code {run.exit_code}"]
    return why


def _reasons(
    runs: Sequence[Concluded],
    head: Sequence[Concluded],
    gates: Sequence[GateResult],
    comparison: Comparison | None,
) -> dict[Verdict, list[str]]:
    """Why the experiment has each of the verdicts; a verdict without a reason does not apply."""
    why: dict[Verdict, list[str]] = {verdict: [] for verdict in EXIT_CODES}
    for one in runs:
        verdict = _of_run(one.run)
        which = f"{'the base side, ' if one.run.side == 'base' else ''}the run with seed {one.run.seed}"
        reason = one.run.why[0] if one.run.why else f"exit code {one.run.exit_code}"
        if verdict in ("interrupted", "failed") or (verdict == "aborted" and one.run.side == "head"):
            why[verdict].append(f"{which}: {reason}")
        elif one.run.side == "head" and verdict == "fail" and (_stopped(one.report) or not _a_gate_failed(one.report)):
            why["fail"].append(f"{which}: {reason}")
        elif one.run.side == "head" and one.run.sound and verdict == "inconclusive" and (down := _down(one.report)):
            why["inconclusive"].append(f"{which}: {down}")
    for gate in gates:
        if gate.verdict != "pass":
            why[gate.verdict].append(f"{gate.text}: {gate.why}")
    if comparison is not None and comparison.verdict != "pass":
        why[comparison.verdict] += comparison.why or [comparison.note]
    if not any(one.run.sound for one in head):
        why["inconclusive"].append(_none_sound(head))
    return why


def _of_run(run: PlayedRun) -> Verdict:
    """The verdict of a run by its exit code: `metastable` and `overloaded` are failures."""
    return next((verdict for verdict, code in EXIT_CODES.items() if code == run.exit_code), "failed")


def _stopped(report: Mapping[str, Any] | None) -> bool:
    """Whether it was ended early, for which its gates are not judged over the runs: its failure must not be lost."""
    return report is not None and stopped_early(report)


def _down(report: Mapping[str, Any] | None) -> str:
    return "" if report is None else stays_down(report)


def _a_gate_failed(report: Mapping[str, Any] | None) -> bool:
    """Whether a gate explains that a run failed. Where none does, the run failed for another reason than a gate."""
    if report is None or report["verdict"]["verdict"] in ("metastable", "overloaded"):
        return False
    return any(gate["verdict"] == "fail" for gate in (*report["steady_state"], *report["gates"]))


def _none_sound(head: Sequence[Concluded]) -> str:
    if not head:
        return "no run was played"
    doubts = dict.fromkeys(doubt for one in head for doubt in one.run.doubts or one.run.why)
    return f"none of {len(head)} runs can decide" + (f": {'; '.join(list(doubts)[:3])}" if doubts else "")


def _deciding(head: Sequence[Concluded], verdict: Verdict) -> Concluded | None:
    """The run that explains the verdict: the first with the same one, else the worst, sound ones before others."""
    if not head:
        return None
    severity = [*EXIT_CODES]

    def place(one: Concluded) -> tuple[bool, bool, bool, int]:
        its = _of_run(one.run)
        return one.report is None, its != verdict, not one.run.sound, severity.index(its)

    return min(head, key=place)


def overall(
    experiments: Sequence[ExperimentResult],
    *,
    started_at: str,
    duration_s: float,
    command: str,
    version: str,
    machine: str,
    folder: Path,
    ended: str = "",
    not_played: Sequence[str] = (),
) -> Result:
    """All experiments together. `ended`: that the gate was interrupted, in words; "" where it was not. `not_played`:
    experiments that came after the last one.
    """
    verdicts = [one.verdict for one in experiments] + (["interrupted"] if ended else [])
    verdict = cast("Verdict", next((one for one in EXIT_CODES if one in verdicts), "failed"))
    why = [f"{one.name}: {reason}" for one in experiments if one.verdict == verdict for reason in one.why]
    return Result(
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        why=(*([ended] if ended else []), *why, *([f"not played: {', '.join(not_played)}"] if not_played else [])),
        experiments=tuple(experiments),
        started_at=started_at,
        duration_s=duration_s,
        command=command,
        version=version,
        machine=machine,
        folder=folder,
    )
