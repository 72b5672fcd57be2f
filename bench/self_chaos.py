"""Chaos for brownout itself: runs of which one part is killed, stopped or starved at a moment from a seed. Resumable.

    python -m bench.self_chaos                       # 200 runs, one hour and a half
    python -m bench.self_chaos --runs 10             # the first ten of them
    python -m bench.self_chaos --attacks "SIGKILL shepherd,full disk"
    python -m bench.self_chaos --table               # only print the stored results, as Markdown

Run N plays the short form of an experiment, with attack N modulo their number (`bench.attacks`), at a moment from
seed N. What must hold after each of them:

- no process of the run is left 3 s after its end, and none of its ports listens
- its write-ahead file lists no fault
- the exit code is one that the documentation promises for this attack at this moment, and agrees with the record
- the record can be read, and `brownout report` makes a report with the exit code of the run, twice, without a traceback
- an interrupted run is gone in 5 s, after a second interrupt in 2 s

The attack `full disk` needs a file system of its own (a tmpfs, mounted as root) and is left out without one. Exits 1 if
something does not hold for the stored results. Results are appended to `--results`, one line a run; `--again` discards
them. The reports of a run in which something did not hold are kept below `--records`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.attacks import ATTACKS, VERDICTS, Attack, Target, events_of
from bench.busy import number_of
from bench.cells import Results, Row, in_parallel
from bench.left_of_run import listens, members, pending_faults, ports
from bench.provenance import code_commit, machine_class
from bench.small_disk import FILLER, can_mount, mount_small_disk, unmount
from bench.tied import tied
from brownout.children import python_words
from brownout.search_path import own_environment

__all__ = ["attacked", "longest", "main", "plan", "problems_of", "table"]

EXPERIMENTS: Final = ("lose-tpu-pool", "frozen-replica", "stalled-streams", "traffic-surge", "scheduler-bottleneck")
"""A fault of each place: processes (two), replicas, load, gateway."""
EARLIEST_S, LATEST_S = 0.5, 22.0
"""Seconds from the start of the command to the attack: before the load, during it, and during the analysis."""
RUN_WITHIN_S: Final = 120.0
GONE_WITHIN_S: Final = 3.0
"""How long processes may be there after the command has ended, at most: the shepherd of a killed runner ends them."""
LOOKED_AFTER_S: Final = 12.0
DISK_SIZE: Final = "12m"
BY_EVENT: Final[dict[str, frozenset[int]]] = {
    "finished": VERDICTS,
    "not_steady": frozenset({1}),
    "aborted": frozenset({1, 4}),
    "failed": frozenset({5}),
    "interrupted": frozenset({130}),
}
"""The exit codes that go with the last event of a record that was closed."""
NOT_CLOSED: Final = frozenset({1, 3})
"""What `report` may answer for a record that was not closed: never a pass."""
NOT_BEGUN: Final = NOT_CLOSED | {2}
"""What it may answer for the folder of a run that ended before its setup: perhaps nothing was recorded."""
UNHURT: Final = frozenset({"drain", "end"})
"""Phases in which a part that is attacked may have done its work: the run may end as if nothing had happened."""


def plan(number: int, names: Sequence[str]) -> tuple[str, Attack, float]:
    """The experiment of run `number`, its attack, and seconds from the start of the command to the attack."""
    drawn = random.Random(f"self-chaos {number}")
    return drawn.choice(EXPERIMENTS), ATTACKS[names[number % len(names)]], drawn.uniform(EARLIEST_S, LATEST_S)


def problems_of(row: Row) -> list[str]:
    """What does not hold after one run, one sentence each. `row`: as `attacked` makes it."""
    found = [f"a process is left: {pid}" for pid in row["left"]]
    if row["lived_s"] > GONE_WITHIN_S:
        found.append(f"processes lived for {row['lived_s']:.1f} s after its end (limit {GONE_WITHIN_S:g} s)")
    found += [f"a port still listens: {port}" for port in row["listening"]]
    found += [f"the write-ahead file lists {fault}" for fault in row["pending"]]
    found += _wrong_codes(row)
    limit_s = ATTACKS[row["attack"]].ends_within_s
    if limit_s is not None and row["attacked"] and row["ended_after_s"] > limit_s:
        found.append(f"it ended {row['ended_after_s']:.1f} s after the attack (limit {limit_s:g} s)")
    found += _wrong_reports(row)
    return found + [f"a traceback in {where}" for where in row["tracebacks"]]


def _wrong_codes(row: Row) -> Iterator[str]:
    """Whether the exit code is one of this attack at this moment, and one of what the record says."""
    attack, code, event = ATTACKS[row["attack"]], row["exit"], row["event"]
    allowed = VERDICTS
    if row["attacked"]:
        allowed = attack.during | (VERDICTS if row["phase"] in UNHURT else frozenset())
        if not row["phase"]:
            allowed |= attack.before
    if code not in allowed:
        when = f"attacked in {row['phase'] or 'the start'}" if row["attacked"] else "not attacked"
        yield f"exit code {code}, {when}: the record says {event or 'nothing'}"
    if _analysis_ended(row):
        code = row["reports"][0]["exit"] if row["reports"] else code
    if event and code not in BY_EVENT.get(event, frozenset()):
        yield f"exit code {code}, but the record says {event}"


def _analysis_ended(row: Row) -> bool:
    """Whether the attack ended the analysis, after the record had been closed: its verdict is in no exit code."""
    code, event = row["exit"], row["event"]
    closed = bool(event) and row["attacked"] and row["phase"] == "end"
    return closed and code not in VERDICTS and code not in BY_EVENT.get(event, frozenset())


def _wrong_reports(row: Row) -> Iterator[str]:
    """Whether `report` makes a report, and answers as the run did."""
    if not row["recorded"]:
        return
    codes = [made["exit"] for made in row["reports"]]
    if len({*codes}) > 1:
        yield f"`report` gives {codes[0]}, then {codes[1]}"
    for made in row["reports"]:
        unread = made["exit"] == 2 and not row["phase"]
        if made["verdict"] != made["exit"] and not unread:
            yield f"`report` gives {made['exit']}, and report.json has {made['verdict']}"
    if row["event"] and codes[0] != row["exit"] and not _analysis_ended(row):
        yield f"`report` gives {codes[0]}, the run gave {row['exit']}"
    elif not row["event"] and codes[0] not in (NOT_CLOSED if row["phase"] else NOT_BEGUN):
        yield f"`report` gives {codes[0]} for a record that was not closed"


def table(rows: Sequence[Row]) -> str:
    """Markdown: one row for each attack that has results."""
    lines = ["| attack | runs | it hit the run | exit codes | what did not hold |", "|---" * 5 + "|"]
    for name in ATTACKS:
        own = [row for row in rows if row["attack"] == name]
        if own:
            codes = sorted({row["exit"] for row in own})
            counts = ", ".join(f"{sum(row['exit'] == code for row in own)} x {code}" for code in codes)
            wrong = sum(bool(problems_of(row)) for row in own)
            hit = sum(row["attacked"] for row in own)
            lines.append(f"| {name} | {len(own)} | {hit} | {counts} | {wrong or 'nothing'} |")
    return "\n".join(lines)


def longest(rows: Sequence[Row]) -> str:
    """The longest times, in words: from an attack to the end of the command, and from there to the last process."""
    found = []
    for name, attack in ATTACKS.items():
        ends = [row["ended_after_s"] for row in rows if row["attack"] == name and row["attacked"]]
        if ends and attack.ends_within_s is not None:
            found.append(f"{name} {max(ends):.1f} s")
    lived_s = max((row["lived_s"] for row in rows), default=0.0)
    ended = f"The command ended after, at most: {', '.join(found)}. " if found else ""
    return f"{ended}No process lived longer than {lived_s:.1f} s after its command."


@contextmanager
def _disk(folder: Path, wanted: bool) -> Iterator[Path | None]:
    """A small file system of its own at `folder`, or None. Its content stays, without what fills it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not wanted:
        yield None
        return
    kept = folder.with_name(f"{folder.name}.kept")
    shutil.rmtree(kept, ignore_errors=True)
    mounted = mount_small_disk(folder, size=DISK_SIZE)
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            shutil.copytree(folder, kept, ignore=shutil.ignore_patterns(FILLER))
            unmount(folder)
            shutil.copytree(kept, folder, dirs_exist_ok=True)
            shutil.rmtree(kept)


def attacked(
    number: int, attack: Attack, words: Sequence[str], at_s: float, runs: Path, *, from_load: bool = False
) -> Row:
    """Run `brownout run` with these words, attack it after `at_s` seconds, and look at what is left.

    `from_load`: they count from the begin of the load, not from the start of the command.
    """
    with _disk(runs, attack.needs_disk) as disk:
        began = time.monotonic()
        command = python_words("-m", "chaos.cli.app", "run", *words, "--runs", str(runs))
        process = subprocess.Popen(
            tied(command, signal.SIGINT),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=own_environment(os.environ),
            start_new_session=True,
        )
        try:
            if from_load:
                began = _load_began(process, runs)
            hit, phase, struck = _strike(process, attack, began + at_s, runs, disk)
            output, _ = process.communicate(timeout=RUN_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            output += "\nkilled by the bench: it did not end"
        ended = time.monotonic()
        if disk is not None:
            (disk / FILLER).unlink(missing_ok=True)
        row: Row = {
            "run": number,
            "experiment": Path(words[0]).stem,
            "attack": attack.name,
            "at_s": round(at_s, 2),
            "attacked": hit,
            "phase": phase,
            "exit": process.returncode,
            "ended_after_s": round(ended - struck, 2),
            "output": output[-600:],
        }
        return {**row, **_after(_folder(runs), ended, output)}


def _load_began(process: subprocess.Popen[str], runs: Path) -> float:
    while process.poll() is None and _phase(_folder(runs)) in ("", "setup"):
        time.sleep(0.02)
    return time.monotonic()


def _strike(
    process: subprocess.Popen[str], attack: Attack, at: float, runs: Path, disk: Path | None
) -> tuple[bool, str, float]:
    """Wait for the moment, and attack. Returns whether there was something to attack, the phase, and when it was."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, at - time.monotonic()))
    folder = _folder(runs)
    phase = _phase(folder)
    hit = process.poll() is None and attack.act(Target(process.pid, folder, disk))
    return hit, phase, time.monotonic()


def _folder(runs: Path) -> Path | None:
    found = sorted(runs.glob("*-*/events.jsonl"))
    return found[-1].parent if found else None


def _phase(folder: Path | None) -> str:
    """The phase that a run is in; "" before the first."""
    events = events_of(folder) if folder is not None else []
    return next((str(event.get("phase")) for event in reversed(events) if event.get("type") == "phase"), "")


def _after(folder: Path | None, ended: float, output: str) -> Row:
    """What is left of a run that has ended, and what `report` says."""
    tracebacks = ["the output"] if "Traceback" in output else []
    if folder is None:
        nothing: Row = {"left": [], "lived_s": 0.0, "listening": [], "pending": [], "reports": []}
        return {**nothing, "recorded": False, "event": "", "tracebacks": tracebacks}
    alive = members(folder)
    while alive and time.monotonic() < ended + LOOKED_AFTER_S:
        time.sleep(0.05)
        alive = members(folder)
    lived_s = round(time.monotonic() - ended, 2)
    ends = [str(event.get("event")) for event in events_of(folder) if event.get("type") == "run"]
    reports, texts = zip(*(_report(folder) for _ in range(2)), strict=True)
    if any("Traceback" in text for text in texts):
        tracebacks.append("`report`")
    if (folder / "logs" / "analysis-crash.log").exists():
        tracebacks.append("logs/analysis-crash.log")
    return {
        "recorded": True,
        "left": alive,
        "lived_s": lived_s,
        "listening": [port for port in ports(folder) if listens(port)],
        "pending": pending_faults(folder),
        "event": ends[-1] if ends and ends[-1] != "started" else "",
        "reports": list(reports),
        "tracebacks": tracebacks,
    }


def _report(folder: Path) -> tuple[Row, str]:
    """The exit code of `brownout report` and that of its report.json, None without a new one; and what was printed."""
    (folder / "report.json").unlink(missing_ok=True)
    done = subprocess.run(
        python_words("-m", "chaos.cli.app", "report", str(folder)),
        capture_output=True,
        text=True,
        env=own_environment(os.environ),
        timeout=RUN_WITHIN_S,
        check=False,
    )
    verdict: int | None = None
    with contextlib.suppress(OSError, ValueError, KeyError):
        verdict = json.loads((folder / "report.json").read_text())["verdict"]["exit_code"]
    return {"exit": done.returncode, "verdict": verdict}, done.stdout + done.stderr


def main(argv: list[str]) -> int:
    """Play the missing runs, print the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=number_of(1, 10_000), default=200)
    parser.add_argument("--first", type=number_of(0, 10**6), default=0, help="number of the first run")
    parser.add_argument("--attacks", default=",".join(ATTACKS), help="their names, separated by commas")
    parser.add_argument("--records", type=Path, default=Path("runs/self-chaos"), help="folder for the records of runs")
    parser.add_argument("--results", type=Path, default=None, help="file of the rows (bench/results/self_chaos.jsonl)")
    parser.add_argument("--table", action="store_true", help="only print the stored results")
    parser.add_argument("--again", action="store_true", help="discard the stored results")
    options = parser.parse_args(argv)
    names = [name.strip() for name in options.attacks.split(",")]
    if unknown := [name for name in names if name not in ATTACKS]:
        parser.error(f"no attack is called {unknown[0]!r}; there are: {', '.join(ATTACKS)}")
    if not can_mount():
        names = [name for name in names if not ATTACKS[name].needs_disk]
    results = Results(options.results.absolute() if options.results else "self_chaos.jsonl", again=options.again)
    commit = code_commit()
    if options.table and results.rows:
        commit = str(results.rows[-1]["commit"])
    planned = {number: plan(number, names) for number in range(options.first, options.first + options.runs)}

    def stored() -> dict[int, Row]:
        return {row["run"]: row for row in results.rows if row["commit"] == commit and _is_of(row, planned)}

    def one(number: int) -> Row:
        experiment, attack, at_s = planned[number]
        began = time.monotonic()
        records = options.records.absolute() / str(number)
        unmount(records)  # of a bench that was killed
        shutil.rmtree(records, ignore_errors=True)
        row = attacked(number, attack, (experiment, "--short"), at_s, records)
        if not problems_of(row):
            shutil.rmtree(records, ignore_errors=True)
        where: dict[str, Any] = {"commit": commit, "machine": machine_class()}
        return {**row, "seconds": round(time.monotonic() - began, 1), **where}

    missing = [] if options.table else [number for number in planned if number not in stored()]
    for row in in_parallel(missing, 1, one):
        results.keep(row)
        print(row["run"], row["experiment"], row["attack"], f"at {row['at_s']} s:", row["exit"], *problems_of(row))
        sys.stdout.flush()
    rows = list(stored().values())
    wrong = [f"run {row['run']}, {row['attack']}: {problem}" for row in rows for problem in problems_of(row)]
    hours = sum(row["seconds"] for row in rows) / 3600
    machines = " and ".join(dict.fromkeys(str(row["machine"]) for row in rows))
    made = f"{len(rows)} runs of commit {commit}, {hours:.2f} hours, on {machines}."
    print(f"{table(rows)}\n", longest(rows), made, *wrong, sep="\n")
    return int(bool(wrong))


def _is_of(row: Row, planned: Mapping[int, tuple[str, Attack, float]]) -> bool:
    """Whether a stored row is of a run as it is planned now."""
    if row["run"] not in planned:
        return False
    experiment, attack, at_s = planned[row["run"]]
    return (row["experiment"], row["attack"], row["at_s"]) == (experiment, attack.name, round(at_s, 2))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
