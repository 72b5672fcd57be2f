"""Chaos for brownout itself: runs of which one part is killed, stopped or starved at a moment from a seed. Resumable.

    python -m bench.self_chaos                       # 200 runs, one hour and a half
    python -m bench.self_chaos --runs 10             # the first ten of them
    python -m bench.self_chaos --attacks "SIGKILL shepherd,full disk"
    python -m bench.self_chaos --table               # only print the stored results, as Markdown

Run N plays the short form of an experiment, with attack N modulo their number (`bench.attacks`), at a moment from
seed N. What must hold after each of them:

- no process of the run is left, and none of its ports listens
- its write-ahead file lists no fault
- the exit code is one that the documentation promises for what happened, and agrees with the record
- the record can be read, and `brownout report` gives the exit code of the run, twice, without a traceback
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
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.attacks import ATTACKS, VERDICTS, Attack, Target, events_of
from bench.busy import number_of
from bench.cells import Results, Row, in_parallel
from bench.provenance import code_commit, machine_class
from bench.tied import tied
from chaos.supervision.link import RUN_MARK
from chaos.supervision.undo import pending
from reports.shared.errors import BrownoutError

__all__ = ["attacked", "main", "plan", "problems_of", "table"]

EXPERIMENTS: Final = ("lose-tpu-pool", "frozen-replica", "stalled-streams", "traffic-surge", "scheduler-bottleneck")
"""A fault of each place: processes (two), replicas, load, gateway."""
EARLIEST_S, LATEST_S = 0.5, 22.0
"""Seconds from the start of the command to the attack: before the load, during it, and during the analysis."""
RUN_WITHIN_S: Final = 120.0
GONE_WITHIN_S: Final = 12.0
"""How long processes may be there after the command has ended: a killed runner's lease ends after 5 s."""
DISK_BYTES: Final = 12_000_000


def plan(number: int, names: Sequence[str]) -> tuple[str, Attack, float]:
    """The experiment of run `number`, its attack, and seconds from the start of the command to the attack."""
    drawn = random.Random(f"self-chaos {number}")
    return drawn.choice(EXPERIMENTS), ATTACKS[names[number % len(names)]], drawn.uniform(EARLIEST_S, LATEST_S)


def problems_of(row: Row) -> list[str]:
    """What does not hold after one run, one sentence each. `row`: as `attacked` makes it."""
    attack = ATTACKS[row["attack"]]
    found = [f"a process is left: {pid}" for pid in row["left"]]
    found += [f"a port still listens: {port}" for port in row["listening"]]
    found += [f"the write-ahead file lists {fault}" for fault in row["pending"]]
    code, event = row["exit"], row["event"]
    allowed = {
        "finished": VERDICTS,
        "not_steady": frozenset({1}),
        "aborted": frozenset({1, 4}),
        "failed": frozenset({5}),
        "interrupted": frozenset({130}),
        "": attack.during,  # the record was not closed
    }.get(event, frozenset())
    if event == "finished" and not row["after_load"] and attack.during.isdisjoint(VERDICTS) and row["attacked"]:
        found.append(f"exit code {code}: the run finished as if nothing had happened")
    elif code not in allowed | (attack.during if row["attacked"] and row["after_load"] else frozenset()):
        found.append(f"exit code {code}, and the record says {event or 'nothing'}")
    limit_s = attack.ends_within_s
    if limit_s is not None and row["attacked"] and row["ended_after_s"] > limit_s:
        found.append(f"it ended {row['ended_after_s']:.1f} s after the attack (limit {limit_s:g} s)")
    if row["report"]:
        first, again = row["report"]
        if first != again:
            found.append(f"`report` gives {first}, then {again}")
        if code >= 0 and first != code and not (code == 130 and event != "interrupted"):
            found.append(f"`report` gives {first}, the run gave {code}")
    return found + [f"a traceback in {where}" for where in row["tracebacks"]]


def table(rows: Sequence[Row]) -> str:
    """Markdown: one row for each attack that has results."""
    lines = ["| attack | runs | it hit the run | exit codes | what did not hold |", "|---" * 5 + "|"]
    for name in ATTACKS:
        own = [row for row in rows if row["attack"] == name]
        if own:
            codes = sorted({row["exit"] for row in own})
            counts = ", ".join(f"{sum(row['exit'] == code for row in own)} x {code}" for code in codes)
            wrong = sum(bool(row["problems"]) for row in own)
            hit = sum(row["attacked"] for row in own)
            lines.append(f"| {name} | {len(own)} | {hit} | {counts} | {wrong or 'nothing'} |")
    return "\n".join(lines)


@contextmanager
def _disk(folder: Path, wanted: bool) -> Iterator[Path | None]:
    """A small file system of its own at `folder`, or None."""
    folder.mkdir(parents=True, exist_ok=True)
    if not wanted:
        yield None
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def attacked(number: int, attack: Attack, words: Sequence[str], at_s: float, runs: Path) -> Row:
    """Run `brownout run` with these words, attack it after `at_s` seconds, and look at what is left."""
    with _disk(runs, attack.needs_disk) as disk:
        began = time.monotonic()
        command = [sys.executable, "-m", "chaos.cli.app", "run", *words, "--runs", str(runs)]
        process = subprocess.Popen(
            tied(command, signal.SIGINT),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            hit, struck = _strike(process, attack, began + at_s, runs, disk)
            output, _ = process.communicate(timeout=RUN_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            output += "\nkilled by the bench: it did not end"
        ended = time.monotonic()
        folder = _folder(runs)
        row: Row = {
            "run": number,
            "experiment": Path(words[0]).stem,
            "attack": attack.name,
            "at_s": round(at_s, 2),
            "attacked": hit,
            "exit": process.returncode,
            "ended_after_s": round(ended - struck, 2),
            "output": output[-600:],
        }
        return {**row, **_after(folder, ended, output)}


def _strike(
    process: subprocess.Popen[str], attack: Attack, at: float, runs: Path, disk: Path | None
) -> tuple[bool, float]:
    """Wait for the moment, and attack. Returns whether there was something to attack, and when it was."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, at - time.monotonic()))
    if process.poll() is not None:
        return False, time.monotonic()
    hit = attack.act(Target(process.pid, _folder(runs), disk))
    return hit, time.monotonic()


def _folder(runs: Path) -> Path | None:
    found = sorted(runs.glob("*-*/events.jsonl"))
    return found[-1].parent if found else None


def _after(folder: Path | None, ended: float, output: str) -> Row:
    """What is left of a run that has ended, and what `report` says."""
    if folder is None:
        return {
            "left": [], "listening": [], "pending": [], "event": "", "after_load": True, "report": [],
            "tracebacks": ["the output"] if "Traceback" in output else [],
        }  # fmt: skip
    members: list[int] = []
    while time.monotonic() < ended + GONE_WITHIN_S:
        members = _members(folder)
        if not members:
            break
        time.sleep(0.1)
    events = events_of(folder)
    reports = [_report(folder) for _ in range(2)]
    texts = {"the output": output, "`report`": "".join(text for _, text in reports)}
    ends = [str(event.get("event")) for event in events if event.get("type") == "run"]
    phases = [str(event.get("phase")) for event in events if event.get("type") == "phase"]
    return {
        "left": members,
        "listening": [port for port in _ports(folder) if _listens(port)],
        "pending": _pending(folder),
        "event": ends[-1] if ends and ends[-1] != "started" else "",
        "after_load": not phases or phases[-1] == "end" or "drain" in phases,
        "report": [code for code, _ in reports],
        "tracebacks": [name for name, text in texts.items() if "Traceback" in text],
    }


def _members(folder: Path) -> list[int]:
    """The processes of a run that still exist: by their mark, and the shepherd by its command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                mark = f"{RUN_MARK}={folder.name}/".encode()
                shepherd = str(folder / "undo.jsonl").encode()
                if mark in (entry / "environ").read_bytes() or shepherd in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def _ports(folder: Path) -> list[int]:
    ports = []
    for path in (folder / "children").glob("*.json"):
        with contextlib.suppress(OSError, ValueError):
            config = json.loads(path.read_text())
            ports += [int(config[key]) for key in ("port", "control_port") if config.get(key)]
    return ports


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _pending(folder: Path) -> list[str]:
    try:
        return [fault.fault for fault in pending(folder / "undo.jsonl")]
    except (BrownoutError, OSError) as error:
        return [f"an unreadable file: {error}"]


def _report(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "chaos.cli.app", "report", str(folder)],
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


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
    if os.geteuid() != 0:
        names = [name for name in names if not ATTACKS[name].needs_disk]
    results = Results(options.results.absolute() if options.results else "self_chaos.jsonl", again=options.again)
    commit = code_commit()
    if options.table and results.rows:
        commit = str(results.rows[-1]["commit"])
    wanted = range(options.first, options.first + options.runs)
    done = {row["run"] for row in results.rows if row["commit"] == commit and row["attacks"] == len(names)}

    def one(number: int) -> Row:
        experiment, attack, at_s = plan(number, names)
        began = time.monotonic()
        records = options.records.absolute() / str(number)
        row = attacked(number, attack, (experiment, "--short"), at_s, records)
        found = problems_of(row)
        if not found:
            shutil.rmtree(records, ignore_errors=True)
        where: dict[str, Any] = {"commit": commit, "machine": machine_class(), "attacks": len(names)}
        return {**row, "problems": found, "seconds": round(time.monotonic() - began, 1), **where}

    for row in in_parallel([] if options.table else [n for n in wanted if n not in done], 1, one):
        results.keep(row)
        print(row["run"], row["experiment"], row["attack"], f"at {row['at_s']} s:", row["exit"], *row["problems"])
        sys.stdout.flush()
    rows = [row for row in results.rows if row["commit"] == commit and row["run"] in wanted]
    wrong = [f"run {row['run']}, {row['attack']}: {problem}" for row in rows for problem in row["problems"]]
    hours = sum(row["seconds"] for row in rows) / 3600
    machines = " and ".join(dict.fromkeys(str(row["machine"]) for row in rows))
    print(f"{table(rows)}\n\n{len(rows)} runs of commit {commit}, {hours:.2f} hours, on {machines}.", *wrong, sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
