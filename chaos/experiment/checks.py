"""What does not fit together in an experiment, or not with its stack: every mistake at once.

The checks read a `Draft`, which holds of a file whatever is sound by itself, so that a negative time in one place does
not hide an unknown pool in another. Pure, but for loading the stack and the profile that the file names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from chaos.experiment.fault_checks import (
    OF_REQUESTS,
    SCHEDULE_KEYS,
    check_fault,
    check_overlaps,
    occurring,
    schedule_of,
)
from chaos.experiment.file import FaultEntryBase, FaultEntryFile, GateText
from chaos.experiment.schedule import Schedule
from chaos.faults.catalogue import KINDS
from chaos.faults.spec import FaultSpec, WholeReplica
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.profile_file import load_profile
from reports.gates.grammar import Gate
from reports.shared.documents import Document, NotFound, did_you_mean, duration_s, duration_text
from reports.shared.errors import InvalidFile, Problem
from reports.shared.thresholds import WINDOW_S
from reports.shared.units import Mistake
from targets.stack import Stack, load_stack

__all__ = ["MAX_RUN_S", "Draft", "DraftFault", "check", "fault_id", "telling"]

MAX_RUN_S: Final = 6 * 3600.0
"""The longest run: warmup, baseline, faults and recovery together."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DraftFault:
    """One entry of `timeline.faults`, as far as it is sound. `raw`: as written."""

    index: int
    raw: dict[str, Any]
    kinds: list[str]
    spec: FaultSpec | None
    schedule: Schedule | None

    @property
    def path(self) -> tuple[str | int, ...]:
        """Where it stands in the file."""
        return ("timeline", "faults", self.index)

    @property
    def id(self) -> str:
        """Its name in the record and on the control port."""
        return fault_id(self.index)


@dataclass(slots=True)
class Draft:
    """An experiment file, as far as it is sound."""

    document: Document
    target: dict[str, Any]
    faults: list[DraftFault]
    gates: list[tuple[tuple[str | int, ...], Gate]]
    steady_state: list[tuple[tuple[str | int, ...], Gate]]
    warmup_s: float | None
    baseline_s: float | None
    recovery_s: float | None
    seed: int
    stack: Stack | None = None
    profile: Profile | None = None
    problems: list[Problem] = field(default_factory=list)
    """Those met while the stack and the profile were read."""

    @property
    def at_url(self) -> bool:
        """Whether the target is not ours."""
        return self.stack is None and "url" in self.target


def fault_id(index: int) -> str:
    """The id of the entry at `index` of `timeline.faults`: f1, f2, ..."""
    return f"f{index + 1}"


def draft(document: Document, *, stack: str | Path | None, seed: int | None) -> Draft:
    """Reads whatever is sound of `document`, and the stack (or `stack` in its place) and the profile that it names.

    Raises `NotFound` for `stack`, which stands in no file.
    """
    data = document.data
    timeline = _mapping(data.get("timeline"))
    given_seed = seed if seed is not None else data.get("seed", 7)
    made = Draft(
        document=document,
        target=_mapping(data.get("target")),
        faults=[_fault(index, entry) for index, entry in enumerate(_list(timeline.get("faults")))],
        gates=list(_gates(data, "gates")),
        steady_state=list(_gates(data, "steady_state")),
        warmup_s=_seconds(timeline.get("warmup", 5)),
        baseline_s=_seconds(timeline.get("baseline", 15)),
        recovery_s=_seconds(timeline.get("recovery", 20)),
        seed=given_seed if isinstance(given_seed, int) else 0,
    )
    beside = Path(document.file).parent
    named = made.target.get("stack")
    if stack is not None:
        made.stack = load_stack(stack)
    elif isinstance(named, str) and named:
        made.stack = _read(made, ("target", "stack"), lambda: load_stack(named, beside=beside))
    profile = _mapping(data.get("load")).get("profile")
    if isinstance(profile, str) and profile:
        made.profile = _read(made, ("load", "profile"), lambda: load_profile(profile, beside=beside))
    return made


def check(made: Draft) -> list[Problem]:
    """Everything that does not fit together."""
    problems = [*made.problems, *_check_target(made), *_check_timeline(made)]
    for fault in made.faults:
        problems.extend(check_fault(made, fault))
    problems.extend(check_overlaps(made))
    for path, gate in made.gates:
        problems.extend(_check_gate(made, path, gate))
    for path, gate in made.steady_state:
        problems.extend(_check_steady_state(made, path, gate))
    problems.extend(_check_tells(made))
    return problems


def telling(text: str, gates: Iterable[Gate]) -> Gate | None:
    """The gate of that text, however it is spaced; None where there is none."""
    return next((gate for gate in gates if gate.text == " ".join(text.split())), None)


# -- reading what is sound ------------------------------------------------------------------------------------------
def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _seconds(value: Any) -> float | None:
    try:
        return duration_s(value)
    except Mistake:
        return None


def _sound(adapter: TypeAdapter[T], value: Any) -> T | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


_ENTRY: Final[TypeAdapter[FaultEntryBase]] = TypeAdapter(FaultEntryFile)
_GATE: Final[TypeAdapter[Gate]] = TypeAdapter(GateText)


def _fault(index: int, entry: Any) -> DraftFault:
    raw = _mapping(entry)
    kinds = [kind for kind in KINDS if kind in raw]
    spec = None
    if len(kinds) == 1:
        alone = raw[kinds[0]]
        if isinstance(alone, dict) and issubclass(KINDS[kinds[0]], WholeReplica):
            alone = {key: value for key, value in alone.items() if key not in OF_REQUESTS}
        sound = _sound(_ENTRY, {kinds[0]: alone})
        spec = sound.specs[0] if sound is not None and sound.specs else None
    return DraftFault(index, raw, kinds, spec, _schedule(raw))


def _schedule(raw: dict[str, Any]) -> Schedule | None:
    sound = _sound(_ENTRY, {key: value for key, value in raw.items() if key in SCHEDULE_KEYS})
    return schedule_of(sound) if sound is not None else None


def _gates(data: dict[str, Any], key: str) -> Iterator[tuple[tuple[str | int, ...], Gate]]:
    for index, text in enumerate(_list(data.get(key))):
        gate = _sound(_GATE, text)
        if gate is not None:
            yield (key, index), gate


def _read(made: Draft, path: tuple[str | int, ...], load: Any) -> Any:
    try:
        return load()
    except NotFound as error:
        made.problems.append(made.document.problem(path, error.what, error.remedy))
    except InvalidFile as error:
        made.problems.extend(error.problems)
    return None


# -- the target and the timeline ------------------------------------------------------------------------------------
def _check_target(made: Draft) -> Iterator[Problem]:
    target, say = made.target, made.document.problem
    if isinstance(made.document.data.get("target"), dict) and ("stack" in target) == ("url" in target):
        found = "both" if "stack" in target else "neither"
        remedy = "write stack: multi-cloud, or url: and model:"
        yield say(("target",), f"the target must be a stack or a url, and names {found}", remedy)
    elif "url" in target and "model" not in target:
        yield say(("target",), '"model" is missing in "target"', "add model: with the name of the model to ask for")
    elif "stack" in target:
        for key in ("model", "api", "key_env"):
            if key in target:
                yield say(("target", key), f'"{key}" goes with a url, not with a stack', f"take {key}: out")
    trace = _mapping(_mapping(made.document.data.get("load")).get("trace"))
    folder = trace.get("dir")
    if isinstance(folder, str) and folder and not Path(folder).expanduser().exists():
        yield say(("load", "trace", "dir"), f'there is no folder or file "{folder}"', "name what holds the recordings")


def _check_timeline(made: Draft) -> Iterator[Problem]:
    times = [made.warmup_s, made.baseline_s, made.recovery_s]
    total = sum(seconds or 0.0 for seconds in times)
    total += max((time.at_s + time.for_s for fault in made.faults for time in occurring(made, fault)), default=0.0)
    if total > MAX_RUN_S:
        what = f"the run would last {duration_text(total)}"
        yield made.document.problem(("timeline",), what, f"make it at most {duration_text(MAX_RUN_S)}")


# -- gates ----------------------------------------------------------------------------------------------------------
def _check_gate(made: Draft, path: tuple[str | int, ...], gate: Gate) -> Iterator[Problem]:
    say, spec = made.document.problem, gate.spec
    if (spec.about_fault or gate.phase == "fault") and not made.faults:
        yield say(path, f"{gate.name} is about a fault, and the timeline has none", "add a fault, or take the gate out")
    if gate.phase == "recovery" and made.recovery_s == 0:
        yield say(path, "the gate is about the recovery, which lasts 0 s", "give recovery: a length")
    if spec.name == "time_to_recover" and made.recovery_s is not None and made.recovery_s < WINDOW_S:
        what = f"time_to_recover looks at windows of {WINDOW_S:g} s, and the recovery lasts {made.recovery_s:g} s"
        yield say(path, what, "make recovery: longer")
    if made.at_url and set(spec.sources) - {"loadgen"}:
        yield say(path, f"{spec.name} needs the spans of a stack of ours, and the target is a url", "take the gate out")
    if gate.where is None:
        return
    key, value = gate.where
    if key == "pool" and made.at_url:
        yield say(path, "a url has no pools", f"take for pool={value} out")
    elif key == "pool" and made.stack is not None:
        pools = [pool.name for pool in made.stack.pools]
        if value not in pools:
            yield say(path, f'the stack {made.stack.name} has no pool "{value}"', did_you_mean(value, pools))
    elif key in ("tenant", "tier") and made.profile is not None:
        tenants = made.profile.tenants
        known = sorted({tenant.name if key == "tenant" else tenant.tier for tenant in tenants} - {""})
        if value not in known:
            remedy = did_you_mean(value, known) if known else f"take for {key}={value} out, or give the profile {key}s"
            yield say(path, f'the profile {made.profile.name} has no {key} "{value}"', remedy)


def _check_steady_state(made: Draft, path: tuple[str | int, ...], gate: Gate) -> Iterator[Problem]:
    say = made.document.problem
    if gate.spec.about_fault or gate.phase not in (None, "baseline"):
        yield say(path, "a steady_state gate is about the baseline, before anything breaks", "move it to gates:")
    elif gate.relative_to_baseline:
        yield say(path, "a steady_state gate compares the baseline with itself", "compare it with a number")
    else:
        yield from _check_gate(made, path, gate)


def _check_tells(made: Draft) -> Iterator[Problem]:
    tells = made.document.data.get("tells")
    gates = [gate for _, gate in made.gates]
    if isinstance(tells, str) and tells and gates and telling(tells, gates) is None:
        what = f'tells: "{tells}" is not one of the gates'
        remedy = did_you_mean(tells, [gate.text for gate in gates], of="write one of them as it is")
        yield made.document.problem(("tells",), what, remedy)
