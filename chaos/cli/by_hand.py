"""The commands of chaos by hand: each asks a stack that is up, or an experiment that is running."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaos.by_hand.control import Answer, Say, ask
from chaos.by_hand.injection import options_of
from chaos.by_hand.runtime import Entry, entries, find_entry
from chaos.cli.console import open_console
from reports.shared.documents import duration_text
from reports.shared.errors import BrownoutError, UserError

__all__ = ["command", "inject_fault", "operate", "print_status", "start_load", "undo_operation"]


def _ask(at: str | None, request: Mapping[str, Any], say: Say) -> Answer:
    """As `ask`. Ctrl-C ends the waiting only, and says so."""
    entry = find_entry(at)
    try:
        return ask(entry, request, say)
    except KeyboardInterrupt:
        say(f"{entry.name} goes on with it: brownout status --at {entry.name}")
        raise


def command(request: Mapping[str, Any], *, at: str | None) -> int:
    """Send a request, print what is said meanwhile and the result. Returns exit code 0.

    Raises UserError or TargetFailed with the stack's words.
    """
    console = open_console()
    answer = _ask(at, request, lambda text: console.print(Text(text, style="dim"), soft_wrap=True))
    console.print(Text(str(answer.get("text") or "done")), soft_wrap=True)
    for what, key in (("has ended", "ended"), ("stays on its other targets", "left")):
        for fault_id in answer.get(key) or ():
            console.print(Text(f"fault {fault_id} {what}"), soft_wrap=True)
    return 0


def operate(operation: str, arguments: Mapping[str, str], *, at: str | None, dry_run: bool) -> int:
    """`brownout operate`. Returns exit code 0 when it is done."""
    console = open_console()
    request = {"do": "operate", "operation": operation, "arguments": arguments, "dry_run": dry_run}
    answer = _ask(at, request, lambda text: console.print(Text(text, style="dim"), soft_wrap=True))
    start = "would be" if dry_run else f"{answer['n']}"
    console.print(Text(f"{start}: {answer['text']}"), soft_wrap=True)
    return 0


def undo_operation(number: str, *, at: str | None) -> int:
    """`brownout operate undo`. Returns exit code 0 when it is undone. Raises UserError for what is no number."""
    if number != "all" and not number.isdecimal():
        raise UserError(f'"{number}" is no number of an operation\n    brownout status shows them; or write: all')
    return command({"do": "undo", "n": number if number == "all" else int(number)}, at=at)


def inject_fault(kind: str, words: Sequence[str], *, at: str | None, dry_run: bool) -> int:
    """`brownout inject`. Returns exit code 0 when the fault is confirmed."""
    if kind.startswith("-"):
        raise UserError("name the fault first: brownout inject kill --pool NAME")
    options = options_of(words)
    console = open_console()
    request = {"do": "inject", "kind": kind, "options": options, "dry_run": dry_run}
    answer = _ask(at, request, lambda text: console.print(Text(text), soft_wrap=True))
    if dry_run:
        console.print(Text(f"would be: {answer['text']}"), soft_wrap=True)
    else:
        console.print(Text(f"{answer['fault']}: confirmed"), soft_wrap=True)
    return 0


def start_load(profile: str | None, *, seed: int | None, at: str | None) -> int:
    """`brownout load start`. A profile's file is named by its absolute path: the stack has another working folder."""
    from reports.shared.home import expanded

    named = profile
    if profile is not None and ("/" in profile or profile.endswith((".yaml", ".yml"))):
        named = str(expanded(profile).absolute())
    return command({"do": "load_start", "profile": named, "seed": seed}, at=at)


def print_status(*, at: str | None, as_json: bool) -> int:
    """`brownout status`: of one stack, or of all. Returns exit code 0, or 5 where one does not answer."""
    found = [find_entry(at)] if at is not None else entries()
    answers = [_status(entry) for entry in found]
    code = 5 if any("error" in answer for answer in answers) else 0
    if as_json:
        print(json.dumps(answers, indent=1, ensure_ascii=False))
        return code
    console = open_console()
    if not answers:
        console.print("no stack is up and no experiment is running")
    for answer in answers:
        if "error" in answer:
            console.print(Text(str(answer["error"]), style="bold red"), soft_wrap=True)
        else:
            _print_one(console, answer)
    return code


def _status(entry: Entry) -> dict[str, Any]:
    """The facts of a stack; of one that does not answer, why: it must not hide the others."""
    try:
        answer = ask(entry, {"do": "status"})
    except BrownoutError as error:
        return {"name": entry.name, "error": str(error)}
    return {"name": entry.name, **{key: value for key, value in answer.items() if key != "ok"}}


def _print_one(console: Console, facts: Mapping[str, Any]) -> None:
    gateway = facts.get("gateway")
    console.print(
        Text.assemble(
            (str(facts["name"]), "bold"),
            f"  {facts['what']} for {_since(facts['up_s'])}, stack {facts['stack']}, model {facts['model']}",
        ),
        soft_wrap=True,
    )
    table = Table.grid(padding=(0, 2))
    if gateway:
        table.add_row("  gateway", _state(gateway["state"]), gateway["name"], facts["url"])
    for row in facts["replicas"]:
        queue = "" if row["running"] is None else f"{row['running']} running, {row['waiting']} waiting"
        table.add_row(f"  {row['name']}", _state(row["state"]), queue, row["url"])
    console.print(table)
    load = facts.get("load")
    if load:
        console.print(Text(f"  load: {_load_text(load)}"), soft_wrap=True)
    for one in facts.get("operations") or ():
        text = f"  operation {one['n']}: {one['text']}, since {_since(one['since_s'])}"
        console.print(Text(text, style="cyan"), soft_wrap=True)
    for fault in facts["faults"]:
        ends = "until reverted" if fault["ends_in_s"] is None else f"reverted in {_since(fault['ends_in_s'])}"
        ends = ends if fault["confirmed"] else "not confirmed yet"
        text = f"  fault {fault['id']}: {fault['kind']} on {', '.join(fault['targets'])}, "
        console.print(Text(f"{text}since {_since(fault['since_s'])}, {ends}", style="red"), soft_wrap=True)
        if fault["problem"]:
            console.print(Text(f"    {fault['problem']}", style="bold red"), soft_wrap=True)
    for fault in facts["of_experiment"]:
        text = f"  fault {fault['id']}: {fault['kind']} on {', '.join(fault['targets'])}, of the experiment"
        console.print(Text(text, style="red"), soft_wrap=True)
    if facts["aborted"]:
        console.print(Text("  aborted: nothing can be injected until brownout release", style="yellow"))
    if facts["lent_to"]:
        console.print(Text(f"  its replicas are lent to {facts['lent_to']}", style="yellow"))
    console.print(Text(f"  record: {facts['folder']}", style="dim"), soft_wrap=True)


def _state(state: str) -> Text:
    style = {"running": "green", "stopped": "yellow", "gone": "bold red"}.get(state, "")
    return Text({"running": "up", "stopped": "frozen", "gone": "down"}.get(state, state), style=style)


def _since(seconds: float) -> str:
    return duration_text(round(seconds))


def _load_text(load: Mapping[str, Any]) -> str:
    if not load["running"]:
        return "none"
    sessions, calls = load["sessions"], load["calls"]
    parts = [f"profile {load['profile']}, seed {load['seed']}"]
    if load.get("level", 1.0) != 1.0:
        parts[0] += f", {load['level']:g} times its sessions"
    if sessions:
        parts.append(f"{sessions.get('running', 0)} sessions running, {sessions.get('lost', 0)} lost")
    if calls:
        parts.append(f"{calls.get('sent', 0)} calls sent, {calls.get('failed', 0)} failed")
    if load["ttft_ms_recent"] is not None:
        parts.append(f"TTFT {load['ttft_ms_recent']:.0f} ms")
    return "; ".join(parts)
