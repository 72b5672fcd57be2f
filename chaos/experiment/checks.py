"""What does not fit together in an experiment, or does not match its target or its load: every mistake at once.

The checks read a `chaos.experiment.draft.Draft`. Those of faults are in `chaos.experiment.fault_checks`, those of gates
in `chaos.experiment.measurable` and `chaos.experiment.gate_checks`, those of guardrails in
`chaos.experiment.guardrail_checks`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from chaos.experiment.draft import Draft, mapping, occurring
from chaos.experiment.fault_checks import check_fault, check_overlaps
from chaos.experiment.gate_checks import check_gates
from chaos.experiment.guardrail_checks import check_guardrails
from chaos.experiment.measurable import check_measurable
from loadprofiles.client.endpoint import is_loopback
from reports.gates.grammar import Gate
from reports.gating.tolerances import parse_tolerance
from reports.shared.documents import did_you_mean, duration_text
from reports.shared.errors import Problem, UserError
from reports.shared.home import expanded
from targets.adapters.catalogue import ADAPTERS

__all__ = ["MAX_RUN_S", "RENAMED_KEYS", "check", "gate_with_text"]

MAX_RUN_S: Final = 6 * 3600.0
"""The longest run, seconds: warmup, baseline, faults and recovery together."""


MAX_PORT: Final = 65_535
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


RENAMED_KEYS: Final = {"tells": "headline_gate"}
"""Keys of an experiment file that had another name before."""


URL_KEYS: Final = ("model", "api", "key_env", "headers", "max_tokens_field", "tools", "stream_options", "replicas")
"""Keys of a target that only a url has."""


def check(made: Draft) -> list[Problem]:
    """Every problem that was found."""
    problems = [*made.problems, *_check_target(made), *_check_timeline(made)]
    for fault in made.faults:
        problems.extend(check_fault(made, fault))
    problems.extend(check_overlaps(made))
    for path, gate in made.gates:
        problems.extend(check_measurable(made, path, gate))
    for path, gate in made.steady_state:
        problems.extend(_check_steady_state(made, path, gate))
    problems.extend(check_gates(made))
    problems.extend(check_guardrails(made))
    problems.extend(_check_tolerances(made))
    problems.extend(_check_headline_gate(made))
    for old, new in RENAMED_KEYS.items():
        if old in made.document.data:
            problems.append(made.document.problem((old,), f'the key "{old}" was renamed', f"write {new}: instead"))
    return problems


def gate_with_text(text: str, gates: Iterable[Gate]) -> Gate | None:
    """The gate with that text, spaces apart; None where there is none."""
    return next((gate for gate in gates if gate.text == " ".join(text.split())), None)


# -- the target and the timeline ------------------------------------------------------------------------------------
def _check_target(made: Draft) -> Iterator[Problem]:
    target, say = made.target, made.target_document.problem
    if isinstance(made.target_document.data.get("target"), dict) and ("stack" in target) == ("url" in target):
        found = "both" if "stack" in target else "neither"
        remedy = "write stack: multi-cloud, or url: and model:"
        yield say(("target",), f"the target must be a stack or a url, and names {found}", remedy)
    elif "url" in target:
        if "model" not in target:
            yield say(("target",), '"model" is missing in "target"', "add model: with the name of the model to ask for")
        if "gateway" in mapping(made.target_document.data.get("target")):  # not by --gateway
            what = "the url is the gateway: no other one goes in front of the replicas"
            yield say(("target", "gateway"), what, "remove gateway:, or name a stack in place of the url")
    elif "stack" in target:
        for key in URL_KEYS:
            if key in target:
                yield say(("target", key), f'"{key}" goes with a url, not with a stack', f"remove {key}:")
    yield from _check_replicas(made)
    yield from _check_alerts(made)
    api = target.get("api") or (made.profile.client.api if made.profile is not None else "")
    for name in mapping(target.get("gateway")):
        if name in ADAPTERS and isinstance(api, str) and api and api not in ADAPTERS[name].apis:
            what = f"{name} does not pass on the API {api}, which the clients of the profile use"
            yield say(("target", "gateway"), what, "name another gateway, or another profile")
    if api == "anthropic":
        for key in ("max_tokens_field", "stream_options"):
            if key in target:
                yield say(("target", key), f"the Messages API has no {key}", f"remove {key}:")
    trace = mapping(mapping(made.document.data.get("load")).get("trace"))
    folder = trace.get("dir")
    if isinstance(folder, str) and folder:
        what = _unfound(folder)
        if what:
            yield made.document.problem(("load", "trace", "dir"), what, "name what holds the recordings")


def _unfound(path: str) -> str:
    """Why there is no such file or folder; "" where there is one."""
    try:
        return "" if os.path.exists(expanded(path)) else f'there is no folder or file "{path}"'
    except UserError as error:
        return str(error)


def _check_replicas(made: Draft) -> Iterator[Problem]:
    """The replicas behind a gateway of the user's: their ports, and where the gateway is."""
    say, first = made.target_document.problem, mapping(made.target.get("replicas")).get("first_port")
    url = made.target.get("url")
    if made.stack is None or type(first) is not int or not 0 < first <= MAX_PORT or not isinstance(url, str):
        return  # nothing to check, or the format of the file says so
    path, last = ("target", "replicas", "first_port"), first + len(made.stack.replicas) - 1
    if last > MAX_PORT:
        what = f"{len(made.stack.replicas)} replicas need the ports {first} to {last}, and {MAX_PORT} is the last one"
        yield say(path, what, f"write a first_port up to {MAX_PORT + 1 - len(made.stack.replicas)}")
    local, port = _address(url)
    if local is None:
        return  # no URL: the format of the file says so
    if local and port is not None and first <= port <= last:
        what = f"port {port} is that of your gateway, and the replicas have the ports {first} to {last}"
        yield say(path, what, "give the replicas other ports, or the gateway another one")
    if not local:
        what = "the replicas are on this machine, and they listen to nothing outside of it"
        yield say(("target", "url"), what, "run your gateway on this machine: url: http://127.0.0.1:PORT")


def _check_alerts(made: Draft) -> Iterator[Problem]:
    """Whether the port of the alerts is one that the gateway or a replica needs."""
    say, port = made.document.problem, mapping(made.document.data.get("alerts")).get("port")
    first, url = mapping(made.target.get("replicas")).get("first_port"), made.target.get("url")
    if type(port) is not int or not port:
        return
    where, remedy = ("alerts", "port"), "give the alerts another port, or any free one: port: 0"
    if isinstance(url, str) and _address(url) == (True, port):
        yield say(where, f"port {port} is that of the target: {url}", remedy)
    if made.stack is not None and type(first) is int and first <= port < first + len(made.stack.replicas):
        last = first + len(made.stack.replicas) - 1
        yield say(where, f"port {port} is that of a replica: they have the ports {first} to {last}", remedy)


def _address(url: str) -> tuple[bool | None, int | None]:
    """Whether the URL is on this machine, and its port; None and None: it is no URL."""
    try:
        return is_loopback(url), urlsplit(url).port or DEFAULT_PORTS.get(urlsplit(url).scheme)
    except ValueError:
        return None, None


def _check_timeline(made: Draft) -> Iterator[Problem]:
    times = [made.warmup_s, made.baseline_s, made.recovery_s]
    total = sum(seconds or 0.0 for seconds in times)
    total += max((time.ends_s for fault in made.faults for time in occurring(made, fault)), default=0.0)
    if total > MAX_RUN_S:
        what = f"the run would last {duration_text(total)}"
        yield made.document.problem(("timeline",), what, f"make it at most {duration_text(MAX_RUN_S)}")


# -- gates ----------------------------------------------------------------------------------------------------------
def _check_tolerances(made: Draft) -> Iterator[Problem]:
    """A measure with two tolerances: nobody knows which one holds."""
    seen: set[str] = set()
    given = made.document.data.get("tolerances")
    for index, text in enumerate(given if isinstance(given, list) else []):
        try:
            label = parse_tolerance(str(text)).label
        except UserError:
            continue  # the format of the file says what is wrong
        if label in seen:
            yield made.document.problem(("tolerances", index), f"{label} has two tolerances", "remove one of them")
        seen.add(label)


def _check_steady_state(made: Draft, path: tuple[str | int, ...], gate: Gate) -> Iterator[Problem]:
    say = made.document.problem
    if gate.spec.about_fault or gate.phase not in (None, "baseline"):
        yield say(path, "a steady_state gate is about the baseline, before anything breaks", "move it to gates:")
    elif gate.relative_to_baseline:
        yield say(path, "a steady_state gate compares the baseline with itself", "compare it with a number")
    else:
        yield from check_measurable(made, path, gate)


def _check_headline_gate(made: Draft) -> Iterator[Problem]:
    given = made.document.data.get("headline_gate")
    gates = [gate for _, gate in made.gates]
    if isinstance(given, str) and given and gates and gate_with_text(given, gates) is None:
        what = f'headline_gate: "{given}" is not one of the gates'
        remedy = did_you_mean(given, [gate.text for gate in gates], of="write one of them exactly")
        yield made.document.problem(("headline_gate",), what, remedy)
