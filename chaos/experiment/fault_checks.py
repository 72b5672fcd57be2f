"""What is wrong with the faults of an experiment: by themselves, with the target, the load, and one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from chaos.experiment.draft import Draft, DraftFault, occurring, schedule_mistakes, views
from chaos.experiment.schedule import SCHEDULE_KEYS, Occurrence
from chaos.faults.catalogue import KINDS
from chaos.faults.load.demand import DemandSpec
from chaos.faults.spec import OF_REQUESTS, FaultSpec, OnReplicas, WholeReplica
from chaos.faults.system.exec import Exec
from chaos.faults.world import refusal
from reports.shared.documents import did_you_mean, duration_text
from reports.shared.errors import Problem
from reports.shared.secrets import has_secret

__all__ = ["check_fault", "check_overlaps"]


def check_fault(made: Draft, fault: DraftFault) -> Iterator[Problem]:
    """What is wrong with one entry."""
    say, path = made.document.problem, fault.path
    if len(fault.kinds) > 1:
        yield say(path, f"one entry has {len(fault.kinds)} faults: {', '.join(fault.kinds)}", "write an entry for each")
        return
    if not fault.kinds:
        if set(fault.raw) <= SCHEDULE_KEYS and isinstance(made.document.data["timeline"]["faults"][fault.index], dict):
            yield say(path, "the entry has no fault", f"add one of: {', '.join(KINDS)}")
        return
    kind = fault.kinds[0]
    if KINDS[kind].needs_duration and "for" not in fault.raw:
        yield say(path, f"{kind} needs a duration", "add for: 15s")
    if issubclass(KINDS[kind], WholeReplica):
        for key in OF_REQUESTS & _given(fault, kind).keys():
            remedy = f"remove {key}:, or select fewer replicas with count: one, minority or majority"
            yield say((*path, kind, key), f"{key} selects requests, but {kind} affects whole replicas", remedy)
    refused = refusal(KINDS[kind].where, made.offers)
    if refused is not None:
        yield say(path, f"{kind} {refused}", "remove the fault, or name a stack of brownout: {stack: multi-cloud}")
        return
    spec = fault.spec
    if fault.schedule is not None:
        for key, what, remedy in schedule_mistakes(made, fault.schedule, KINDS[kind], spec):
            yield say((*path, key), what, remedy)
    if isinstance(spec, DemandSpec) and made.profile is not None:
        for key, what, remedy in spec.mistakes(made.profile):
            yield say((*path, kind, key), what, remedy)
    if isinstance(spec, Exec):
        yield from _check_words(made, fault, spec)
    if spec is None or made.stack is None:
        return
    replicas = views(made.stack)
    unknown = spec.unknown_replicas(replicas)
    for key, what, remedy in unknown:
        yield say((*path, kind, key), what.replace("the stack", f"the stack {made.stack.name}", 1), remedy)
    if not isinstance(spec, OnReplicas):
        return
    if not unknown and not spec.candidates(replicas):
        remedy = f"the replicas are: {', '.join(replica.name for replica in replicas)}"
        yield say(
            (*path, kind), f"no replica of the stack {made.stack.name} matches all of pool, replica and cloud", remedy
        )
    yield from _check_requests(made, fault, kind, spec)


def _check_words(made: Draft, fault: DraftFault, spec: Exec) -> Iterator[Problem]:
    """Secrets in commands. No message repeats one."""
    for stage, words in spec.commands().items():
        for index, (before, word) in enumerate(zip(("", *words), words, strict=False)):
            option = f"{before} " if before.startswith("-") and not has_secret(before) else ""
            if has_secret(word) or has_secret(option + word):
                what = f"word {index + 1} of the {stage} command contains a secret, and commands go into every record"
                remedy = (
                    "export it, and let a shell insert it: [sh, -c, 'my-tool --token \"$MY_TOKEN\"'], or let the "
                    "program read it from a file"
                )
                yield made.document.problem((*fault.path, "exec", stage, index), what, remedy)


def _check_requests(made: Draft, fault: DraftFault, kind: str, spec: FaultSpec) -> Iterator[Problem]:
    """Selectors that no request of this load matches."""
    say, only = made.document.problem, spec.requests_only
    path = (*fault.path, kind)
    if made.profile is not None:
        tenants = [tenant.name for tenant in made.profile.tenants]
        for name in only.get("tenant", ()):
            if name not in tenants:
                remedy = did_you_mean(name, tenants) if tenants else "remove tenant:, or give the profile tenants"
                yield say((*path, "tenant"), f'the profile {made.profile.name} has no tenant "{name}"', remedy)
    if made.stack is not None:
        for name in only.get("model", ()):
            if name not in made.models:
                what = f'no request asks for the model "{name}"'
                yield say((*path, "model"), what, f"the load asks for {made.models[0]}")


def _given(fault: DraftFault, kind: str) -> dict[str, Any]:
    given = fault.raw[kind]
    return given if isinstance(given, dict) else {}


def check_overlaps(made: Draft) -> Iterator[Problem]:
    """Two faults cannot be active on one replica where one of them stops its process (`Occurrence.conflicts`), and an
    entry that repeats must have ended before it occurs again. A fault ends after its notice and cold start."""
    times = [(fault, time) for fault in made.faults for time in occurring(made, fault)]
    for fault in made.faults:
        yield from _again_too_soon(made, fault, [time for its, time in times if its is fault])
    latest: dict[str, dict[int, Occurrence]] = defaultdict(dict)
    """By replica and entry: the occurrence that ends last of those that begin before."""
    entries = {fault.index: fault for fault in made.faults}
    for later, time in sorted(times, key=lambda one: (one[1].at_s, one[0].index)):
        for name in time.targets:
            for index, before in latest[name].items():
                if index != later.index and _overlap(before, time):
                    yield _overlapping(made, entries[index], before, later, time)
                    return
        for name in time.targets:
            known = latest[name].get(later.index)
            if known is None or known.ends_s < time.ends_s:
                latest[name][later.index] = time


def _overlap(before: Occurrence, time: Occurrence) -> bool:
    after_s = round(time.at_s - before.ends_s, 9)
    if after_s > 0 or not before.conflicts(time):
        return False
    return after_s < 0 or before.spec.stops_process  # a process may only just be starting


def _overlapping(made: Draft, earlier: DraftFault, before: Occurrence, later: DraftFault, time: Occurrence) -> Problem:
    what = (
        f"{later.kinds[0]} begins on {', '.join(before.conflicts(time))} at {duration_text(time.at_s)}, and "
        f"{earlier.kinds[0]} ({before.id}) lasts there until {duration_text(before.ends_s)}{_longer(before)}"
    )
    remedy = (
        "a process that is stopped holds no other fault: let it begin after the fault on line "
        f"{made.document.line(earlier.path)} has ended, or select other replicas"
    )
    return made.document.problem(later.path, what, remedy)


def _longer(time: Occurrence) -> str:
    return f", with its {time.outlasts}" if time.outlasts else ""


def _again_too_soon(made: Draft, fault: DraftFault, times: list[Occurrence]) -> Iterator[Problem]:
    for index, time in enumerate(times):
        busy_s = round(time.ends_s - time.at_s, 9)
        for again in times[index + 1 :]:
            both = [name for name in again.targets if name in time.targets]
            apart_s = round(again.at_s - time.at_s, 9)
            if apart_s >= busy_s:
                break
            if both:
                what = (
                    f"{fault.kinds[0]} occurs again on {', '.join(both)} after {duration_text(apart_s)}, and needs "
                    f"{duration_text(busy_s)} to end{_longer(time)}"
                )
                key = "every" if fault.schedule is not None and fault.schedule.every_s is not None else "random"
                yield made.document.problem((*fault.path, key), what, "use a longer interval, or a shorter fault")
                return
