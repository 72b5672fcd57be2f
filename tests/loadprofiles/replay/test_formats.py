from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import get_args

import pytest

from chaos.experiment.file import TraceFile
from loadprofiles import replay
from loadprofiles.replay import FORMATS, TraceOptions, open_trace, replay_sessions
from loadprofiles.replay.formats import format_of
from reports.shared.errors import InvalidFile, UserError
from tests.support.paths import DATA
from tests.support.recordings import lines, make_trace, mooncake


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_recognised_by_the_content_of_a_file_or_folder(tmp_path: Path, name: str) -> None:
    path = make_trace(tmp_path, name)
    (tmp_path / "README.md").write_text("about it")
    assert format_of(path) == (name, [path])
    assert format_of(tmp_path) == (name, [path])
    bare = path.rename(tmp_path / "trace")
    assert format_of(bare) == (name, [bare])
    assert open_trace(bare, {"format": name}).summary_lines()[0].startswith(f"{name}: 1 sessions")


def test_registry_keys_are_format_names_and_defaults_are_valid_options() -> None:
    for name, known in FORMATS.items():
        assert known.name == name
        assert set(known.defaults) <= set(TraceOptions.__dataclass_fields__)


def test_an_unknown_format_is_reported_with_its_content_and_the_known_formats(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"prompt": "hello"}\n')
    with pytest.raises(InvalidFile) as caught:
        format_of(tmp_path)
    said = str(caught.value)
    assert 'x.jsonl:1: has no known format: it begins with \'{"prompt": "hello"}' in said
    assert all(name in said for name in FORMATS)
    assert "--trace-format" in said


def test_a_selected_format_reports_lines_of_other_formats(tmp_path: Path) -> None:
    make_trace(tmp_path, "tracelab")
    with pytest.raises(InvalidFile, match=r"tracelab\.jsonl:1: is not a Mooncake request"):
        open_trace(tmp_path, {"format": "mooncake"})
    with pytest.raises(UserError, match='trace format moncake: unknown; did you mean "mooncake"'):
        open_trace(tmp_path, {"format": "moncake"})
    with pytest.raises(InvalidFile, match="contains no file of azure"):
        open_trace(tmp_path, {"format": "azure"})


def test_a_folder_with_several_formats_is_reported_with_their_files(tmp_path: Path) -> None:
    make_trace(tmp_path, "azure")
    make_trace(tmp_path, "mooncake")
    with pytest.raises(InvalidFile, match=r"several formats: azure \(azure\.csv\), mooncake \(mooncake\.jsonl\)"):
        format_of(tmp_path)


def test_a_path_without_recordings_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="contains no file"):
        format_of(tmp_path)
    with pytest.raises(InvalidFile, match="is neither a folder nor a file"):
        format_of(tmp_path / "absent")
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(InvalidFile, match=r"contains no recordings \(only notes\.md\)"):
        format_of(tmp_path)
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(InvalidFile, match=r"a\.csv: has no known format: it is empty"):
        format_of(tmp_path)


def test_an_invalid_first_line_does_not_prevent_recognition(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.jsonl", ["{broken", mooncake([0, 1])])
    with pytest.raises(InvalidFile, match=r"a\.jsonl:1: is not a Mooncake request"):
        open_trace(path, {})


def test_the_summary_contains_the_number_of_skipped_mistakes(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.jsonl", [mooncake([0, 1]), "{", mooncake([0, 2]), "{"])
    summary = open_trace(path, {"skip_bad": True}).summary_lines()
    assert summary[0] == "mooncake: 2 sessions"
    assert summary[1].startswith(f"2 mistakes were skipped, the first: {path}:2: is not a Mooncake request")


@pytest.mark.parametrize(
    ("given", "says"),
    [({"sped": 2}, "unknown sped; options are dir, format, rate"), ({"speed": 0}, "speed"), ({"rate": "fast"}, "rate")],
)
def test_invalid_options_are_rejected(tmp_path: Path, given: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        open_trace(make_trace(tmp_path, "azure"), given)


@pytest.mark.parametrize("name", ["claude-code", "tracelab"])
def test_recorded_starts_need_a_format_that_records_them(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"{name} does not record when sessions began"):
        open_trace(make_trace(tmp_path, name), {"rate": "recorded"})


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no recordings in {DATA}")
@pytest.mark.parametrize(
    ("folder", "name"),
    [("claude-code-sessions", "claude-code"), ("mooncake", "mooncake"), ("azure", "azure"), ("tracelab", "tracelab")],
)
def test_real_recordings_are_recognised_and_the_defaults_fit_a_minute(folder: str, name: str) -> None:
    assert format_of(DATA / folder)[0] == name
    plans = []
    for plan in replay_sessions(DATA / folder, {}, 7, "r"):
        if plan.start_at_s >= 55:
            break
        plans.append(plan)
    assert 150 < len(plans) < 800
    calls = sum(plan.calls_planned for plan in plans)
    assert 400 < calls < 2000


def test_the_formats_of_an_experiment_are_the_registered_formats() -> None:
    (literal, none) = get_args(TraceFile.model_fields["format"].annotation)
    assert (get_args(literal), none) == (tuple(FORMATS), type(None))


def test_every_reader_is_registered() -> None:
    modules = [
        importlib.import_module(f"loadprofiles.replay.{found.name}") for found in pkgutil.iter_modules(replay.__path__)
    ]
    formats = {module.FORMAT.name: module.FORMAT for module in modules if hasattr(module, "FORMAT")}
    assert formats == FORMATS
