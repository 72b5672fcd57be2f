"""What a command line becomes before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from chaos.cli.preparation import load_config, prepare
from chaos.experiment.file import TraceFile
from chaos.experiment.model import resolve
from loadprofiles.player.load_config import LoadConfig
from loadprofiles.replay import FORMATS
from reports.shared.errors import InvalidFile, UserError

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def trace(folder: Path, *rows: str) -> Path:
    path = folder / "hour.csv"
    path.write_text(AZURE + "".join(f"{row}\n" for row in rows))
    return path


def prepared(path: Path, told: list[str] | None = None, **options: object):  # type: ignore[no-untyped-def]
    return prepare(
        "lose-tpu-pool",
        stack=None,
        seed=None,
        trace={"dir": str(path), **options},
        may_leave_loopback=False,
        tell=(told if told is not None else []).append,
    )


def test_a_trace_is_read_before_anything_starts_and_its_options_come_back_resolved(tmp_path: Path) -> None:
    path, told = trace(tmp_path, "2023-11-16 18:17:03,4808,10", "2023-11-16 18:17:05,12,3"), []
    experiment = prepared(path, told, rate="recorded", limit=1)
    assert told == ["azure: 2 sessions"]
    assert experiment.trace == {
        "dir": str(path),
        "format": "azure",
        "rate": "recorded",
        "speed": 4.0,
        "max_pause_s": 2.0,
        "shrink": 1.0,
        "max_calls": 8,
        "limit": 1,
        "streaming": "force",
        "skip_bad": False,
    }
    assert resolve(experiment)["load"] == {"profile": "coding-agent-ci", "trace": experiment.trace, "told": told}


def test_the_load_generator_is_told_what_was_resolved_and_plays_it(tmp_path: Path) -> None:
    path = trace(tmp_path, "2023-11-16 18:17:03,4808,10", "2023-11-16 18:17:05,12,3")
    config = load_config(prepared(path, rate="recorded"), "http://127.0.0.1:1")
    assert config["trace"]["format"] == "azure"
    known = {key: value for key, value in config.items() if key in ("url", "model", "run", "trace", "seed")}
    plans = LoadConfig(**known, profile=prepared(path).profile).plans()
    assert [next(plans).start_at_s for _ in range(3)] == [0.0, 0.5, 1.0]


def test_a_broken_line_stops_before_anything_starts_unless_it_may_be_skipped(tmp_path: Path) -> None:
    path, told = trace(tmp_path, "2023-11-16 18:17:03,4808,10", "never,1,1"), []
    with pytest.raises(InvalidFile, match=r"hour\.csv:3: TIMESTAMP is not a time"):
        prepared(path)
    prepared(path, told, skip_bad=True)
    assert told[0] == "azure: 1 sessions"
    assert told[1].startswith(f"1 mistakes were skipped, the first: {path}:3: TIMESTAMP")


def test_an_experiment_file_may_name_every_format_that_is_read() -> None:
    field = TraceFile.model_fields["format"].annotation
    assert set(get_args(get_args(field)[0])) == set(FORMATS)


def test_a_forced_format_and_a_rate_are_checked_as_on_the_command_line(tmp_path: Path) -> None:
    path = trace(tmp_path, "2023-11-16 18:17:03,4808,10")
    assert prepared(path, rate="2.5").trace["rate"] == 2.5
    with pytest.raises(UserError, match="--trace-format: input should be 'claude-code', 'mooncake'"):
        prepared(path, format="azur")
    with pytest.raises(UserError, match=r"--rate: is not a rate\. write sessions a second, up to 10000, or: recorded"):
        prepared(path, rate="fast")
    with pytest.raises(InvalidFile, match='there is no column "Request tokens"'):
        prepared(path, format="burstgpt")
