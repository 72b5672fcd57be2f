"""`brownout.run`: the words of the command, the result, and what happens where there is none."""

from __future__ import annotations

import json
import tempfile
import threading
from pathlib import Path

import pytest

import brownout
from brownout.client import gate_words
from brownout.errors import GateFailed, UsageError
from tests.support.fake_gate import play_fake_gates


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    play_fake_gates(monkeypatch)


@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "interrupted"])
def test_a_verdict_is_returned_as_a_result(tmp_path: Path, verdict: str) -> None:
    result = brownout.run(verdict, out=tmp_path / "new" / "out")
    assert (result.verdict, result.folder) == (verdict, tmp_path / "new" / "out")


def test_without_a_temporary_folder_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"no temporary folder can be made .* name a folder with out="):
        brownout.run("pass")


def test_options_become_the_words_of_the_command(tmp_path: Path) -> None:
    brownout.run(
        ["small", "pass"],
        stack="naive",
        seed=0,
        repeat=3,
        until_decided=True,
        within=90,
        tolerances={"ttft_p95": "10%", "goodput": "1%"},
        out=tmp_path,
        quiet=False,
    )
    safe, words = json.loads((tmp_path / "words.json").read_text())
    assert safe is True
    assert " ".join(words).replace(str(tmp_path), "OUT") == (
        "-m brownout gate --stack naive --seed 0 --repeat 3 --until-decided --within 90s --tolerance ttft_p95=10% "
        "--tolerance goodput=1% --out OUT -- small pass"
    )


@pytest.mark.parametrize(("within", "word"), [(1234567, "1234567s"), (0.25, "0.25s"), (90.0, "90s"), ("20m", "20m")])
def test_a_time_of_any_size_becomes_a_word_without_exponent(tmp_path: Path, within: float | str, word: str) -> None:
    brownout.run("pass", within=within, out=tmp_path, allow_exposed=True)
    _, words = json.loads((tmp_path / "words.json").read_text())
    assert words[words.index("--within") + 1] == word
    assert "--allow-exposed" in words


def test_an_experiment_is_never_taken_for_an_option() -> None:
    assert gate_words(["--out"], {"short": True, "allow_exec": False, "scale": None}) == ["--short", "--", "--out"]


def test_a_result_without_a_folder_is_kept_in_a_new_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = brownout.run("pass"), brownout.run("pass")
    assert first.folder != second.folder
    assert first.folder.parent == second.folder.parent == tmp_path


def test_a_relative_folder_is_one_of_the_current_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert brownout.run("pass", out="out").folder == tmp_path / "out"


def test_wrong_usage_is_raised_with_the_message_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        brownout.run("usage", out=tmp_path)
    assert str(caught.value) == "my.yaml:3: no such stack"


def test_a_gate_without_a_result_is_raised_with_the_end_of_its_output(tmp_path: Path) -> None:
    with pytest.raises(GateFailed, match=r"exit code 1.* wrote no result(?s:.*)\nline 98\nline 99$") as caught:
        brownout.run("crash", out=tmp_path)
    assert "line 79" not in str(caught.value)


def test_the_result_of_an_earlier_gate_is_never_returned(tmp_path: Path) -> None:
    assert brownout.run("pass", out=tmp_path).passed
    with pytest.raises(GateFailed, match="is of an earlier gate"):
        brownout.run("crash", out=tmp_path)


def test_a_result_that_is_written_again_is_the_new_one(tmp_path: Path) -> None:
    assert brownout.run("fail", out=tmp_path).verdict == "fail"
    assert brownout.run("pass", out=tmp_path).verdict == "pass"


def test_a_result_that_contradicts_the_exit_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GateFailed, match=r"exit code 5.* says pass \(exit code 0\): not to be trusted"):
        brownout.run("lie", out=tmp_path)


def test_an_invalid_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GateFailed, match=r"its result is invalid: .*gate\.json: cannot be read"):
        brownout.run("invalid", out=tmp_path)


def test_a_gate_that_was_killed_says_so(tmp_path: Path) -> None:
    with pytest.raises(GateFailed, match="killed by signal 9"):
        brownout.run("killed", out=tmp_path)


def test_a_gate_is_played_from_any_thread(tmp_path: Path) -> None:
    verdicts: list[str] = []
    lines: list[str] = []

    def play() -> None:
        verdicts.append(brownout.run("fail", out=tmp_path, on_output=lines.append).verdict)

    thread = threading.Thread(target=play)
    thread.start()
    thread.join(30)
    assert (verdicts, lines) == (["fail"], ["playing fail"])


def test_every_name_of_the_library_is_found_and_listed() -> None:
    assert all(getattr(brownout, name).__module__.startswith("brownout.") for name in ("run", "GateFailed", "Result"))
    assert {name for name in brownout.__all__ if getattr(brownout, name) is None} == set()
    assert set(brownout.__all__) <= set(dir(brownout))
    with pytest.raises(AttributeError, match="no attribute 'play'"):
        _ = brownout.play
