"""Plays the composite action `action.yml` on this machine, as the hosting service would, and checks it first.

usage: python tools/play_action [ACTION.yml] --input NAME=VALUE ... [--temp FOLDER] [--workspace FOLDER] [--check]

Steps with `run:` are run by bash, with the variables and files that the service gives them. Steps with `uses:` are
checked (pinned by commit, known inputs) and imitated: this Python is the one that is set up; a cache hits where the
cached folder exists already, so keep `--temp` to play with a cache; of an artifact, the files are looked at. Ctrl-C
cancels as the service does: SIGINT to the step, SIGTERM 7.5 s and SIGKILL 10 s later, then the steps that run always.

Prints each step, then the outputs of the action. Exit codes: that of the first step that failed, else 0; 2: the file
or an input is wrong; 130: cancelled. An expression, a key or an action of others that is not known here is an error.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checks import read_action
from expressions import Wrong
from playing import Play


def inputs_of(data: Mapping[str, Any], given: list[str]) -> dict[str, str]:
    """The inputs: those of the command line, else their defaults. Raises Wrong."""
    inputs = {name: str(one.get("default", "")) for name, one in data.get("inputs", {}).items()}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or name not in inputs:
            raise Wrong(f"--input {text}: not NAME=VALUE with one of these names: {', '.join(inputs)}")
        inputs[name] = value
    empty = [name for name, one in data.get("inputs", {}).items() if one.get("required") and not inputs[name]]
    if empty:
        raise Wrong(f"the input {empty[0]} is required: --input {empty[0]}=VALUE")
    return inputs


def main() -> int:
    """Check, and play. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="play_action", description="Play a composite action on this machine.")
    parser.add_argument("action", nargs="?", type=Path, default=Path(__file__).resolve().parents[2] / "action.yml")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--temp", type=Path, help="folder for what is temporary; it is kept (default: a new one)")
    parser.add_argument("--workspace", type=Path, default=Path.cwd(), help="the checkout (default: this folder)")
    parser.add_argument("--check", action="store_true", help="only check the file")
    options = parser.parse_args()
    new = None if options.temp or options.check else tempfile.mkdtemp(prefix="play-action-")
    try:
        data = read_action(options.action)
        if options.check:
            return 0
        inputs = inputs_of(data, options.input)
        temp = Path(new or options.temp).resolve()
        temp.mkdir(parents=True, exist_ok=True)
        play = Play(options.action.resolve(), options.workspace.resolve(), temp, inputs)
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: play.cancel())
        outputs = play.play(data)
    except Wrong as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if new:
            shutil.rmtree(new, ignore_errors=True)
    for name, value in outputs.items():
        print(f"output {name}={value}")
    return 130 if play.known.cancelled else play.exit_code


if __name__ == "__main__":
    sys.exit(main())
