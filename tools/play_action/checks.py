"""Reads a composite action, and checks it before it is played."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from expressions import EXPRESSION, Known, Wrong, evaluate

__all__ = ["OTHERS", "read_action"]

OTHERS: Final = {
    "actions/setup-python": {"python-version"},
    "actions/cache/restore": {"path", "key"},
    "actions/cache/save": {"path", "key"},
    "actions/upload-artifact": {"name", "path", "if-no-files-found", "include-hidden-files"},
}
"""Actions of others that can be imitated, and the inputs of each that are known here."""

CONTEXTS: Final = ("github.action_path", "github.workspace", "runner.os", "runner.temp")
_PINNED: Final = re.compile(r"^\s*(?:- )?uses: *([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$", re.M)
_STEP_KEYS: Final = {"name", "id", "if", "shell", "env", "run", "uses", "with"}
_ACTION_KEYS: Final = {"name", "description", "inputs", "outputs", "runs"}
_SAFE: Final = "set -euo pipefail\n"


def read_action(path: Path) -> dict[str, Any]:
    """Read and check an action. Raises Wrong with every mistake that was found."""
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml.safe_load(text)
    except (OSError, yaml.YAMLError) as error:
        raise Wrong(f"{path}: {error}") from None
    if not isinstance(data, dict) or (data.get("runs") or {}).get("using") != "composite":
        raise Wrong(f"{path}: not a composite action")
    wrong = [*_of_steps(data, text), *_of_inputs_and_outputs(data, text)]
    wrong += [f"{key!r} is not known here" for key in data.keys() - _ACTION_KEYS]
    if wrong:
        raise Wrong("\n".join(f"{path}: {one}" for one in wrong))
    return data


def _of_steps(data: Mapping[str, Any], text: str) -> Iterator[str]:
    pinned = {f"{name}@{commit}" for name, commit in _PINNED.findall(text)}
    ids: list[str] = []
    for number, step in enumerate(data["runs"]["steps"], 1):
        where = f"step {number}, {step.get('name', 'without a name')}"
        condition = " ${{ " + str(step.get("if", "success()")) + " }}"
        values = [*step.get("env", {}).values(), *step.get("with", {}).values(), condition]
        wrong = [*_of_step(step, pinned), *_unknown("\n".join(map(str, values)), data, ids)]
        if step.get("id", "") in ids:
            wrong.append(f"the id {step['id']} is there already")
        ids += [step["id"]] if "id" in step else []
        yield from (f"{where}: {one}" for one in wrong)


def _of_step(step: Mapping[str, Any], pinned: set[str]) -> Iterator[str]:
    yield from (f"{key!r} is not known here" for key in step.keys() - _STEP_KEYS)
    if "name" not in step or ("run" in step) == ("uses" in step):
        yield "needs a name, and either run or uses"
    if "run" in step:
        if "${{" in step["run"]:
            yield "an expression in run: becomes a part of the script, so an input can become a command. Use env:"
        if step.get("shell") != "bash" or not step["run"].startswith(_SAFE):
            yield f"needs shell: bash, and run: has to begin with {_SAFE.strip()}"
    if "uses" in step:
        name = step["uses"].partition("@")[0]
        if step["uses"] not in pinned:
            yield f"{step['uses']} is not pinned: write NAME@COMMIT # vTAG"
        if name not in OTHERS:
            yield f"{name} is not known here"
        unknown = step.get("with", {}).keys() - OTHERS.get(name, set())
        yield from (f"{name} has no input {key} that is known here" for key in unknown)


def _of_inputs_and_outputs(data: Mapping[str, Any], text: str) -> Iterator[str]:
    for name, given in data.get("inputs", {}).items():
        if not given.get("description"):
            yield f"input {name}: has no description"
        if not given.get("required") and not isinstance(given.get("default"), str):
            yield f"input {name}: is not required, and has no text as its default"
        if not re.search(rf"\binputs\.{re.escape(name)}(?![\w-])", text):
            yield f"input {name}: is used nowhere"
    ids = [step["id"] for step in data["runs"]["steps"] if "id" in step]
    for name, output in data.get("outputs", {}).items():
        yield from (f"output {name}: {one}" for one in _unknown(str(output["value"]), data, ids))


def _unknown(text: str, data: Mapping[str, Any], ids: list[str]) -> Iterator[str]:
    """What is wrong with the expressions in a text. `ids`: of the steps that it can name."""
    known = Known(dict.fromkeys(data.get("inputs", {}), ""), other=dict.fromkeys(CONTEXTS, ""))
    known.steps = {name: {"outcome": "", "outputs": {}} for name in ids}
    for expression in EXPRESSION.findall(text):
        try:
            evaluate(expression, known)
        except Wrong as error:
            yield str(error)
