"""A fault from the words of a command line, checked against the stack as the entry of an experiment's timeline is.

    kill --pool tpu --for 15s
    cut --replica tpu-0 --share 30% --after-tokens 6 --how rst

Each option is a key of the kind with `-` for `_`; an option that is repeated is a list. Values are YAML, except where
the key takes text: `--tenant 7` and `--tenant no` are names. `--for` is how long the fault stays, also with `stall`,
which has a key of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from chaos.experiment.draft import draft, views
from chaos.experiment.fault_checks import check_fault
from chaos.experiment.file import FaultEntryFile
from chaos.experiment.schedule import Occurrence
from chaos.experiment.wording import params_text
from chaos.faults.catalogue import KINDS
from chaos.faults.spec import FaultSpec
from chaos.faults.world import Where, refusal
from loadprofiles.sessions.profile import Profile
from reports.shared.documents import did_you_mean, duration_s, duration_text, parse_document, validate
from reports.shared.errors import InvalidFile, Problem, UserError
from reports.shared.units import Mistake
from targets.stack import Stack

__all__ = ["Injection", "injection", "options_of", "preview"]

_FILE: Final = "inject"


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault that is ready to be played. `for_s`: when it is reverted by itself, seconds; None: when told to."""

    occurrence: Occurrence
    pools: tuple[str, ...]
    for_s: float | None


def options_of(words: Sequence[str]) -> dict[str, str | list[str]]:
    """The options of a fault from a command line: `--after-tokens 6` is `{"after_tokens": "6"}`. Raises UserError."""
    options: dict[str, list[str]] = {}
    index = 0
    while index < len(words):
        word = words[index]
        if not word.startswith("--") or word == "--":
            raise UserError(
                f'"{word}" is no option\n    write --{word}, or name what it is the value of: --pool {word}'
            )
        name, equals, value = word[2:].partition("=")
        if not equals:
            index += 1
            if index >= len(words) or words[index].startswith("--"):
                raise UserError(f"--{name} has no value\n    write --{name} VALUE")
            value = words[index]
        options.setdefault(name.replace("-", "_"), []).append(value)
        index += 1
    return {name: values[0] if len(values) == 1 else values for name, values in options.items()}


def _typed(value: Any, field: FieldInfo | None) -> Any:
    """The value of an option as a file would have it. `field`: of its key; None if the kind has no such key."""
    types = set(_types(field.annotation)) if field is not None else set()
    text = bool(types) and types <= {list, str, NoneType}
    if isinstance(value, list):
        return [one if text else _scalar(one) for one in value]
    one = value if text else _scalar(value)
    return [one] if list in types and text else one


def _types(annotation: Any) -> Iterator[Any]:
    """The types that an annotation is made of: of `list[str] | None`, these three."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _types(parts[0])
    elif origin in (Union, UnionType, list):
        yield from [list] if origin is list else []
        for part in parts:
            yield from _types(part)
    else:
        yield annotation


def _scalar(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_document(f"value: {value}", _FILE).data["value"]
    except InvalidFile:
        return value


def injection(
    kind: str,
    options: Mapping[str, Any],
    *,
    stack: Stack,
    profile: Profile,
    offers: frozenset[Where],
    fault_id: str,
    seed: int,
) -> Injection:
    """Check a fault against a stack. Raises UserError with every mistake at once."""
    if kind not in KINDS:
        raise UserError(f'there is no fault "{kind}"\n    {did_you_mean(kind, KINDS)}')
    if KINDS[kind].where == "system":
        raise UserError(f"{kind} runs commands of yours, which an experiment's file holds: it is not for inject")
    refused = refusal(KINDS[kind].where, offers)
    if refused is not None:
        raise UserError(f"{kind} {refused}")
    fields = {name.rstrip("_"): field for name, field in KINDS[kind].model_fields.items()}
    given = {name: _typed(value, fields.get(name)) for name, value in options.items() if name != "for"}
    for_s = _for(_scalar(options.get("for")))
    entry = {kind: given, "for": for_s if for_s is not None else 1.0}
    document = parse_document(yaml.safe_dump({"timeline": {"faults": [entry]}}, sort_keys=False), _FILE)
    made = draft(document, stack=None, seed=seed)
    made.stack, made.profile = stack, profile
    made.target = {"stack": stack.name}
    problems = list(check_fault(made, made.faults[0]))
    spec = made.faults[0].spec
    if spec is None and not problems:
        entry_document = parse_document(yaml.safe_dump(entry, sort_keys=False), _FILE)
        try:
            validate(entry_document, FaultEntryFile)
        except InvalidFile as error:
            problems += error.problems
    if problems or spec is None:
        lines = dict.fromkeys(_as_options(problem, KINDS[kind]) for problem in problems)
        raise UserError("\n".join(lines) or f"{kind}: this fault cannot be read")
    replicas = views(stack)
    targets = tuple(spec.select(replicas, seed, fault_id))
    pools = tuple(dict.fromkeys(replica.pool for replica in replicas if replica.name in targets))
    return Injection(Occurrence(fault_id, 0.0, for_s or 0.0, spec, targets), pools, for_s)


def _as_options(problem: Problem, kind: type[FaultSpec]) -> str:
    """A problem as text, with the options of a command line in place of the keys of a file."""
    text = problem.what + (f"\n    {problem.remedy}" if problem.remedy else "")
    text = re.sub(r'unknown key "([^"]*)" in "\w+"', lambda found: f"there is no option {_option(found[1])}", text)
    text = re.sub(rf'"{kind.kind}\.(\w+)"', lambda found: _option(found[1]), text)
    text = re.sub(r'"(\w+)" is missing in "\w+"', lambda found: f"{_option(found[1])} is missing", text)
    text = re.sub(r"the keys here are: ([\w, ]+)", lambda found: f"the options are: {_options(found[1])}", text)
    for name in sorted(kind.model_fields, key=len, reverse=True):
        text = re.sub(rf"(?<![-\w]){name}:(?!\w)", _option(name), text)
    return text


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _options(keys: str) -> str:
    return ", ".join(_option(key) for key in keys.split(", "))


def _for(value: Any) -> float | None:
    if value is None:
        return None
    try:
        seconds = duration_s(value)
    except Mistake as error:
        raise UserError(f"--for: {error.what}\n    {error.remedy}") from None
    if seconds <= 0:
        raise UserError("--for: must be more than 0 s\n    leave it out: the fault stays until brownout revert")
    return seconds


def preview(one: Injection, replicas: int, *, until: str = "") -> str:
    """What will be hit and for how long, as text. `replicas`: how many the stack has.

    `until`: what ends a fault without a time; default: the command that does.
    """
    spec, targets = one.occurrence.spec, one.occurrence.targets
    of = f" ({len(targets)} of {replicas} replicas)" if spec.where in ("process", "replica") else ""
    params = params_text(spec.params())
    share = f", {spec.requests_share * 100:g}% of the requests" if spec.requests_share is not None else ""
    only = f", only {spec.requests_only}" if spec.requests_only else ""
    until = until or f"until brownout revert {one.occurrence.id}"
    if one.for_s is not None:
        until = f"for {duration_text(one.for_s)}"
    return f"{spec.kind} on {', '.join(targets)}{of}{f' ({params})' if params else ''}{share}{only}, {until}"
