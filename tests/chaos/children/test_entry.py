"""The entry point of gateway and replica: mistakes in its arguments and its configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from brownout.children import python_words
from tests.support.paths import ROOT


def entry(*arguments: str, config: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BROWNOUT_PROCESS": "tpu-0", "BROWNOUT_CONFIG": config}
    command = python_words("-m", "chaos.children.entry", *arguments)
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [[], ["proxy"], ["replica", "gateway"]])
def test_wrong_arguments_print_the_usage(arguments: list[str]) -> None:
    done = entry(*arguments)
    assert done.returncode == 2
    assert done.stdout.startswith("usage: ")


@pytest.mark.parametrize("kind", ["gateway", "replica"])
@pytest.mark.parametrize(("text", "message"), [("{", "truncated"), ('{"port": "x"}', "port"), (None, "No such file")])
def test_an_invalid_configuration_is_one_line_with_the_process_and_exit_code_2(
    tmp_path: Path, kind: str, text: str | None, message: str
) -> None:
    config = tmp_path / "config.json"
    if text is not None:
        config.write_text(text)
    done = entry(kind, config=str(config))
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("tpu-0: ")
    assert message in line
