"""`brownout gameday`: wrong use is refused with a remedy and exit code 2, before anything starts."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from brownout.children import python_words
from chaos.cli.app import app
from chaos.cli.gameday import neutral
from chaos.experiment.draft import GatewayChoice
from chaos.gameday.scenario.draw import candidates, draw
from chaos.gameday.scenario.model import load_scenario
from reports.shared.errors import UserError
from tests.support.scenario_files import write

ENDPOINT = 'brownout: 1\ntarget: {url: "http://127.0.0.1:9", model: m}\n'
GATEWAY = ENDPOINT.replace("m}", "m, replicas: {stack: multi-cloud, first_port: 18101}}")


def refused(*words: str) -> str:
    """The message of a command line that is a mistake. As in `main`, a UserError is exit code 2."""
    result = CliRunner().invoke(app, ["gameday", *words])
    assert isinstance(result.exception, UserError), (result.exception, result.output)
    return str(result.exception)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], ["name what is played", "--free, or --draw SEED --family FAMILY", "brownout list scenarios"]),
        (["one-slow-chp"], ['no scenario or experiment "one-slow-chp"', 'did you mean "one-slow-chip"?']),
        (["none.yaml"], ['file "none.yaml"', "give the path of a file, or one of: "]),
        (["--draw", "3"], ["--draw needs --family FAMILY, too", "the families are: balancing, "]),
        (["--family", "demand"], ["--family needs --draw SEED, too"]),
        (["--draw", "3", "--family", "demnd"], ["there is nothing to draw", 'did you mean "demand"?']),
        (["one-slow-chip", "--free"], ["a name and --free exclude each other", "give one of them"]),
        (["one-slow-chip", "--draw", "3", "--family", "demand"], ["a name and --draw exclude each other"]),
        (["one-slow-chip", "--profile", "chat"], ["--profile is for --free", "leave it out"]),
        (["--free", "--profile", "chatt"], ['there is no profile "chatt"', 'did you mean "chat"?']),
        (["--free", "--stack", "game-dya"], ['there is no stack "game-dya"', 'did you mean "game-day"?']),
        (["--free", "--gateway", "ngnx"], ['there is no gateway "ngnx"', 'did you mean "nginx"?']),
        (["one-slow-chip", "--gateway", "nginx"], ["cannot be played with --gateway nginx", "leave --gateway out"]),
        (["one-slow-chip", "--stay", "nonsense"], ['--stay: "nonsense" is not a duration', "write a number with"]),
        (["one-slow-chip", "--seed", "-4"], ["--seed -4", "a whole number of 0 or more"]),
        (["--free", "--listen", "0.0.0.0"], ["--listen 0.0.0.0 without a certificate", "give --certificate FILE"]),
        (["--free", "--listen", "there"], ["--listen there", "give an IP address"]),
        (["--free", "--public-url", "http://x"], ["must begin with https://", "--public-url https://gameday.example"]),
        (["--free", "--public-url", "https://x/y"], ["must have no path", "--public-url https://gameday.example"]),
        (["--free", "--certificate", "a"], ["--certificate needs --key too"]),
        (["--free", "--allow-exposed"], ["there is none: add --gateway NAME"]),
    ],
    ids=lambda value: " ".join(value)[:60],
)
def test_wrong_options_are_refused_with_a_remedy(
    words: list[str], says: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = refused(*words)
    assert [text for text in says if text not in said] == [], said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--port", "70000"], ["--draw", "-1", "--family", "demand"]], ids=" ".join)
def test_numbers_out_of_range_are_wrong_usage(words: list[str]) -> None:
    result = CliRunner().invoke(app, ["gameday", "--free", *words])
    assert result.exit_code == 2
    assert f"Invalid value for '{words[0]}'" in result.output


def test_a_scenario_whose_hint_comes_after_its_end_is_refused(tmp_path: Path) -> None:
    said = refused(str(write(tmp_path, "after: 8m", "after: 25m")))
    assert "x.yaml:16: the hint comes at 25 min, after the end of the exercise (20 min)\n    let it come before" in said


@pytest.mark.parametrize("played", ["--free", "one-slow-chip", "lose-tpu-pool"])
def test_a_target_without_replicas_is_refused(played: str, tmp_path: Path) -> None:
    target = tmp_path / "endpoint.yaml"
    target.write_text(ENDPOINT)
    said = refused(played, "--target", str(target))
    assert "endpoint.yaml: this target has no replicas of brownout" in said
    assert "replicas: {stack: multi-cloud, first_port: 18101}" in said


def test_mistakes_in_the_target_are_said_with_file_and_line(tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    target.write_text("brownout: 1\ntarget: {stak: multi-cloud}\n")
    for played in (["--free"], ["--draw", "3", "--family", "demand"]):
        assert 'target.yaml:2: unknown key "stak"' in refused(*played, "--target", str(target))


def test_a_gateway_of_the_users_that_does_not_listen_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "gateway.yaml"
    target.write_text(GATEWAY)
    said = refused("--free", "--target", str(target), "--runs", str(tmp_path / "runs"))
    assert "nothing listens at http://127.0.0.1:9" in said
    assert "start your gateway first" in said
    assert not (tmp_path / "runs").exists()


def test_a_second_game_day_on_the_same_port_names_the_first_and_leaves_no_record(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = str(first.getsockname()[1])
        said = refused("--free", "--port", port, "--runs", str(tmp_path / "runs"))
    assert f"port {port} is in use" in said
    assert "choose another port with --port" in said
    assert not (tmp_path / "runs").exists()


def test_a_folder_of_records_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for runs in (tmp_path / "file", tmp_path / "file" / "x"):
        said = refused("--free", "--runs", str(runs))
        assert "cannot create the run's folder" in said
        assert "with --runs DIR" in said


def test_a_mistake_is_exit_code_2_and_no_traceback(tmp_path: Path) -> None:
    command = [*python_words(), "-m", "chaos.cli.app", "gameday", "one-slow-chp"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ}, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("brownout: there is no scenario or experiment")
    assert "Traceback" not in done.stderr


def test_a_draw_takes_only_what_the_target_can_play() -> None:
    behind = GatewayChoice("nginx")
    scenarios = {one.name for one in candidates() if one.source == "scenario"}
    for seed in range(4):
        assert draw(seed, "demand", gateway=behind).plan.name not in scenarios
    with pytest.raises(UserError, match="this target can play nothing of it\n    name another family or target"):
        draw(1, "scheduling", gateway=behind)


def test_the_experiment_of_the_record_tells_nothing_of_the_plan() -> None:
    told = neutral(load_scenario("one-slow-chip").experiment)
    assert (told.name, told.title, told.description, told.family, told.faults) == ("game-day", "Game day", "", "", ())
