"""The steps of action.yml that run on the runner: plan, install, gateways, gate, result, verdict.

usage: python3 -I tools/action/steps.py STEP

Only the standard library is used; nothing is installed yet when the first step begins. The inputs of the action come as
variables GATE_*, outputs go to the file that GITHUB_OUTPUT names. No input is a part of a command's text: each
becomes one word. Exit codes: 0, 2 for an input that is wrong, 5 if an installation failed; `verdict`: that of the gate.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

ACTION: Final = Path(__file__).resolve().parents[2]
"""The checkout that this action is a part of."""

CODES: Final = {0: "pass", 1: "fail", 2: "", 3: "inconclusive", 4: "aborted", 5: "failed", 130: "interrupted"}
"""Exit codes of `brownout gate`, and the verdict of each. 2: wrong usage or an invalid file, so no verdict."""

MEANINGS: Final = {
    0: "every gate passed",
    1: "a gate failed, or a measure became worse",
    2: "wrong usage or an invalid file: see the log of the step Gate",
    3: "inconclusive: no gate failed, but not every gate could be decided",
    4: "a guardrail stopped the run",
    5: "the target or brownout itself failed",
    130: "interrupted",
}

FILES: Final = {"gate-json": "gate.json", "junit": "junit.xml", "summary": "summary.md"}
"""The files of a result, by the outputs that name them."""

WORDS: Final = {
    "--stack": "STACK",
    "--gateway": "GATEWAY",
    "--target": "TARGET",
    "--seed": "SEED",
    "--repeat": "REPEAT",
    "--within": "WITHIN",
    "--baseline": "BASELINE",
    "--against": "AGAINST",
    "--scale": "SCALE",
    "--retry-inconclusive": "RETRY_INCONCLUSIVE",
    "--out": "OUT",
}
"""Options of `brownout gate` with one value, and the input of each: GATE_STACK, and so on."""


class WrongInput(Exception):
    """An input that cannot be used. The message names the input and what would be right."""


def plan(given: Mapping[str, str]) -> None:
    """Check the inputs before anything is installed; say where things will be, and what the caches depend on."""
    if sys.version_info < (3, 11) or platform.system() != "Linux":
        raise WrongInput(
            f"brownout needs Linux and Python 3.11 or newer; this is {platform.system()} with Python "
            f"{platform.python_version()}. Use runs-on: ubuntu-latest, and the input python-version"
        )
    gate_words(given)
    fail_on(given)
    gateways = lines(given, "GATEWAYS")
    wrong = [name for name in gateways if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name)]
    if wrong:
        raise WrongInput(f"gateways-to-install: {wrong[0]!r} is no gateway. Give one name a line, without a preset")
    version = given.get("GATE_VERSION", "").strip()
    if version.startswith("-") or "\n" in version:
        raise WrongInput(f"version: {version!r} is neither a file, a folder nor a requirement")
    home = Path(needed(given, "RUNNER_TEMP")) / "brownout"
    # A virtual environment works only at its own path, and beside the Python that made it.
    digest = hashlib.sha256("\0".join((source_digest(version), str(home), sys.base_prefix)).encode()).hexdigest()[:32]
    machine = "-".join((*distribution(), platform.machine(), platform.python_version()))
    names = hashlib.sha256("\n".join(gateways).encode()).hexdigest()[:16]
    write_outputs(
        given,
        {
            "venv": str(home / "venv"),
            "program": str(home / "venv" / "bin" / "brownout"),
            "cache": str(home / "cache"),
            "gateways": str(home / "cache" / "brownout" / "targets"),
            "out": str(Path(given["GATE_OUT"].strip())),
            "venv-key": f"brownout-{machine}-{digest}",
            "gateways-key": f"brownout-gateways-{machine}-{digest}-{names}",
        },
    )


def install(given: Mapping[str, str]) -> None:
    """Make the virtual environment. From a folder with a lock file: exactly the versions of that."""
    import venv  # only this step needs it, and it takes time

    place = needed(given, "GATE_VENV")
    version = given.get("GATE_VERSION", "").strip() or str(ACTION)
    try:
        venv.create(place, with_pip=True, clear=True)
    except subprocess.CalledProcessError:
        print(
            "::error title=brownout gate::no virtual environment can be made with this python3. On Debian and Ubuntu: "
            "apt-get install python3-venv; or use the input python-version"
        )
        sys.exit(5)
    pip = [f"{place}/bin/python", "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    lock = Path(version) / "requirements.lock"
    if lock.is_file():
        run([*pip, "--requirement", str(lock)])
        run([*pip, "--no-deps", "--", str(Path(version).resolve())])
    else:
        run([*pip, "--", version])
    run([f"{place}/bin/brownout", "--help"], quiet=True)


def gateways(given: Mapping[str, str]) -> None:
    """Install each gateway that is not installed. Makes the folder that is cached: one of the system needs none."""
    Path(needed(given, "XDG_CACHE_HOME"), "brownout", "targets").mkdir(parents=True, exist_ok=True)
    for name in lines(given, "GATEWAYS"):
        run([f"{needed(given, 'GATE_VENV')}/bin/brownout", "targets", "install", name])


def gate(given: Mapping[str, str]) -> None:
    """Play the gate in this very process, so that it gets the signals of the runner. Writes the output exit-code.

    The modules of the checkout are no part of it: a project may have folders `reports` or `targets` of its own.
    """
    program = f"{needed(given, 'GATE_VENV')}/bin/brownout"
    words = gate_words(given)
    print("brownout gate", *words, flush=True)
    remove_earlier(Path(given["GATE_OUT"].strip()))
    os.environ.pop("PYTHONPATH", None)
    sys.argv = [program, "gate", *words]
    code = exit_code_of(program)
    for one in (signal.SIGINT, signal.SIGTERM):  # too late to end anything: what follows takes no time
        signal.signal(one, signal.SIG_IGN)
    write_outputs(given, {"exit-code": str(code)})


def exit_code_of(program: str) -> int:
    """The exit code of a Python program that is run in this process."""
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return 130
    except Exception:
        traceback.print_exc()
        print("::error title=brownout gate::brownout could not be run: its installation is broken. See the log")
        return 5
    return 0


def remove_earlier(out: Path) -> None:
    """Remove the files of an earlier gate of this job: a gate that is refused leaves them. Files of others stay."""
    if (out / "gate.json").is_file():
        for name in reversed(FILES.values()):  # gate.json last: it says that the others are of a gate
            (out / name).unlink(missing_ok=True)


def result(given: Mapping[str, str]) -> None:
    """Write the outputs of the action: the verdict, and the files that are there."""
    out = Path(given["GATE_OUT"].strip())
    code = given.get("GATE_CODE", "")
    verdict = CODES.get(int(code), "failed") if code else ""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        verdict = str(json.loads((out / "gate.json").read_text(encoding="utf-8"))["verdict"]) if code else ""
    found = {name: str(out / file) if (out / file).is_file() else "" for name, file in FILES.items()}
    write_outputs(given, {"verdict": verdict, "exit-code": code, **found})


def verdict(given: Mapping[str, str]) -> int:
    """The exit code of the action: that of the gate where `fail-on` has it, else 0, with a warning if it is not 0."""
    text = given.get("GATE_CODE", "")
    if not text:
        print("::error title=brownout gate::the gate was killed before it ended, so there is no verdict")
        return 5
    code = int(text)
    meaning = f"{MEANINGS.get(code, 'the gate ended in an unexpected way')} (exit code {code})"
    if code in fail_on(given) or code not in CODES or code == 130:
        print(f"::error title=brownout gate::{meaning}" if code else meaning)
        return code or 1
    print(f"::warning title=brownout gate::{meaning}" if code else meaning)
    return 0


def gate_words(given: Mapping[str, str]) -> list[str]:
    """The words after `brownout gate`. A value that begins with a hyphen stays a value. Raises WrongInput."""
    experiments = lines(given, "EXPERIMENTS")
    if not experiments:
        raise WrongInput("experiments is empty. Give one experiment a line; `brownout list` shows their names")
    if not given.get("GATE_OUT", "").strip():
        raise WrongInput("out is empty. Give a folder for the results")
    words = []
    for option, name in WORDS.items():
        value = given.get(f"GATE_{name}", "").strip()
        if "\n" in value:
            raise WrongInput(f"{name.lower().replace('_', '-')}: one value is possible, not several lines")
        if value:
            words.append(f"{option}={value}")
    until = given.get("GATE_UNTIL_DECIDED", "").strip().lower() or "false"
    if until not in ("true", "false"):
        raise WrongInput(f"until-decided: {until!r} is neither true nor false")
    if until == "true":
        words.append("--until-decided")
    words += [f"--tolerance={one}" for one in lines(given, "TOLERANCES")]
    return [*words, *lines(given, "ARGUMENTS"), "--", *experiments]


def fail_on(given: Mapping[str, str]) -> set[int]:
    """The exit codes that fail the job. Raises WrongInput."""
    words = re.split(r"[\s,]+", given.get("GATE_FAIL_ON", "").strip())
    wrong = [word for word in words if word and word not in map(str, CODES)]
    if wrong:
        raise WrongInput(f"fail-on: {wrong[0]!r} is no exit code of the gate. They are {', '.join(map(str, CODES))}")
    return {int(word) for word in words if word}


def lines(given: Mapping[str, str], name: str) -> list[str]:
    """The lines of an input, without those that are empty."""
    return [line.strip() for line in given.get(f"GATE_{name}", "").splitlines() if line.strip()]


def needed(given: Mapping[str, str], name: str) -> str:
    """A variable that the runner or an earlier step sets."""
    value = given.get(name, "")
    if not value:
        raise WrongInput(f"{name} is not set: this script is a part of action.yml, and runs there")
    return value


def source_digest(version: str) -> str:
    """What an installation depends on: the words of `version`, and the content of what it names."""
    made = hashlib.sha256(version.encode())
    place = Path(version) if version else ACTION
    if place.is_file():
        files = [place]
    else:
        names = ("pyproject.toml", "requirements.lock", "brownout", "chaos", "loadprofiles", "targets", "reports")
        found = (path for name in names for path in (place / name, *(place / name).rglob("*")))
        files = sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)
    for path in files:
        made.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return made.hexdigest()


def distribution() -> tuple[str, str]:
    """Name and version of the Linux distribution: libraries of one do not serve another."""
    try:
        facts = platform.freedesktop_os_release()
    except OSError:
        return "linux", "unknown"
    return facts.get("ID", "linux"), facts.get("VERSION_ID", "unknown")


def write_outputs(given: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Append outputs for later steps. A value has one line: a second one could set another output."""
    for name, value in values.items():
        if "\n" in value or "\r" in value:
            raise WrongInput(f"{name}: {value!r} has several lines")
    with open(needed(given, "GITHUB_OUTPUT"), "a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())


def run(words: list[str], *, quiet: bool = False) -> None:
    """Run a command of an installation. Exits with 5 if it fails; its own output says why."""
    if not quiet:
        print("$", *words, flush=True)
    done = subprocess.run(words, stdout=subprocess.DEVNULL if quiet else None, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        print(f"::error title=brownout gate::this command failed with exit code {done.returncode}: {' '.join(words)}")
        sys.exit(5)


STEPS: Final[dict[str, Callable[[Mapping[str, str]], int | None]]] = {
    step.__name__: step for step in (plan, install, gateways, gate, result, verdict)
}


def main() -> int:
    """Run the step that the command line names. Returns the exit code."""
    if sys.argv[1:] not in ([name] for name in STEPS):
        print(f"usage: python3 -I {sys.argv[0]} {{{','.join(STEPS)}}}", file=sys.stderr)
        return 2
    try:
        return STEPS[sys.argv[1]](os.environ) or 0
    except WrongInput as error:
        print(f"::error title=brownout gate::{escaped(str(error))}")
        return 2


def escaped(text: str) -> str:
    """As the message of a command to the runner: it ends at the end of a line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


if __name__ == "__main__":
    sys.exit(main())
