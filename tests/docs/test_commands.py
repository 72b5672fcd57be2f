"""Every command line of the documentation is run as written, or says here why it is not.

`RULES` has a rule for each command. `PLACEHOLDERS` has what a reader replaces in a command. Commands of a second or
two run in the normal suite, the others in the long one (`make test-long`), which takes about an hour and a half.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import pytest
import typer

from chaos.cli.app import app
from chaos.cli.gameday import chosen
from chaos.gameday.scenario.named import what_is
from tests.support.doc_pages import PAGES, Command, commands, yaml_blocks
from tests.support.paths import ROOT
from tests.support.run_helpers import until

BIN = Path(sys.executable).parent
QUICK_S, LONG_S = 60, 1200

CHOICE: Final = ("name", "free", "family", "stack", "gateway", "target", "profile", "seed")
"""Options of `brownout gameday` that say what is played."""

JUDGED: Final = (0, 1, 3)
"""Exit codes of a run that was judged: pass, fail, inconclusive."""


@dataclass(frozen=True)
class Rule:
    """How commands are run. `pattern` matches a whole command. `not_run`: why it is not run."""

    pattern: str
    suite: Literal["quick", "long", "not run"] = "quick"
    codes: tuple[int, ...] = (0,)
    serves: str = ""
    """The URL at which the command serves until it is ended."""
    not_run: str = ""


RULES: Final = (
    Rule(r"brownout (list|show|check)( .*)?"),
    Rule(r"brownout runbook .*--from .*", "long"),
    Rule(r"brownout runbook .*"),
    Rule(
        r"brownout gameday .*",
        not_run="an exercise of minutes; its words are read below, and tests/chaos/gameday/live plays one",
        suite="not run",
    ),
    Rule(r"brownout targets( config .*)?"),
    Rule(r"brownout targets install .*", not_run="installs a gateway for the user", suite="not run"),
    Rule(r"brownout run .* --gateway .*", not_run="needs nginx, which not every machine has", suite="not run"),
    Rule(r"brownout run .* --target .*", not_run="needs a gateway of the user's that is running", suite="not run"),
    Rule(r"brownout run .*", "long", JUDGED),
    Rule(r"brownout (report|trace|compare|history) .*", "long"),
    Rule(r"brownout heal( .*)?", "long"),
    Rule(
        r"brownout (load|inject|revert|restart|operate|status|abort|release)( .*)?",
        not_run="needs a stack that is up: tests/chaos/cli/test_up.py plays a session",
        suite="not run",
    ),
    Rule(r"brownout up --replicas-only .*", not_run="test_your_gateway.py plays it", suite="not run"),
    Rule(
        r"brownout (gate|baseline save) .*",
        not_run="minutes of repeated runs; tests/docs/test_ci_examples.py checks the options",
        suite="not run",
    ),
    Rule(r"brownout up .*", "long", (0, 130), serves="http://127.0.0.1:8000/health"),
    Rule(r"locust -f loadprofiles/locustfile\.py .*", "long", (0,), serves="http://127.0.0.1:8089/"),
    Rule(r"make demo", "long", JUDGED),
    Rule(r"make gameday-demo", not_run="two minutes, and it installs a browser", suite="not run"),
    Rule(r"make lint", not_run="CI runs it", suite="not run"),
    Rule(r"make test(-long)?", not_run="it is the suite that runs this test", suite="not run"),
    Rule(r"make test-servers", not_run="installs two servers, which takes minutes", suite="not run"),
    Rule(r"make bench", not_run="each of its commands is run", suite="not run"),
    Rule(r"make format", not_run="rewrites the files of the checkout", suite="not run"),
    Rule(r"python -m bench\.fidelity.*", "long"),
    Rule(r"python -m bench\.(lateness|loadgen|gateway|collector|readers|demo|gameday)", "long", (0, 1)),
    Rule(
        r"python -m bench\.(catalogue|honesty|gate_honesty|busy|spread|placebo|coverage|repeats|regressions).*",
        not_run="hours of runs",
        suite="not run",
    ),
    Rule(
        r"python -m bench\.gate_pictures.*", not_run="minutes of runs; rewrites files of the checkout", suite="not run"
    ),
    Rule(r"python -m chaos\.experiment\.schema", not_run="rewrites a file of the checkout", suite="not run"),
    Rule(r"\.venv/bin/python -m pytest .*", not_run="the suite runs the same tests", suite="not run"),
    Rule(r"\. \.venv/bin/activate", not_run="every command is run with this environment", suite="not run"),
    Rule(r"(uv tool|pipx) install \.", not_run="installs for the whole user account", suite="not run"),
)

PLACEHOLDERS: Final = {
    r"\bmy\.yaml\b": "{my_yaml}",  # the experiment of docs/experiments.md
    r"\bmy-gateway\.yaml\b": "{my_gateway}",  # the target of docs/experiments.md
    r"\bmy-endpoint\.yaml\b": "{my_endpoint}",  # the README's experiment, for the port below
    r"\bRUN RUN\.\.\.": "{run} {copy}",  # that folder and a copy of it
    r"\bruns/RUN\b": "{run}",
    r"\bRUN\b": "{run}",  # the folder of a run, recorded once
    r"\bs7-42/main#4": "{call}",  # a call of that run
    r"\bslow-chip\.yaml\b": "{slow_chip}",  # the scenario of docs/scenarios.md
    r"\bspread\.json\b": "{spread}",  # a file of spreads
    r"\bPATH\b": "{trace}",  # a recorded trace of one format
    r"\bX\b": "cut-streams",
    r"http://127\.0\.0\.1:8000": "{url}",  # `brownout up`, on a free port
    r"--port 8000\b": "--port {port}",
}

TRACE = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(
    f"2024-05-10 00:00:{second:02}.000000,{500 + second},{20 + second % 10}\n" for second in range(60)
)

ALL = [command for page in PAGES for command in commands(page)]
FIRST = list({command.text: command for command in reversed(ALL)}.values())[::-1]
"""Each text once, at the first place where it stands."""


def rule_of(command: Command) -> Rule | None:
    return next((rule for rule in RULES if re.fullmatch(rule.pattern, command.text)), None)


def of_suite(suite: str) -> list[Command]:
    return [command for command in FIRST if (rule := rule_of(command)) is not None and rule.suite == suite]


@dataclass
class Place:
    """A folder in which the commands are run, with the files that they name."""

    folder: Path
    port: int
    values: dict[str, str] = field(default_factory=dict)

    def text(self, command: Command) -> str:
        """The command with the placeholders replaced."""
        text = command.text
        for pattern, value in PLACEHOLDERS.items():
            if re.search(pattern, text):
                text = re.sub(pattern, value.format(**self.values).replace("\\", r"\\"), text)
        return text

    def start(self, text: str) -> subprocess.Popen[str]:
        """The command in a shell, in the checkout if it names files of it, else in the folder."""
        checkout = text.startswith(("make ", "locust ", "python -m ", ".venv/"))
        environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "MY_KEY": "secret"}
        return subprocess.Popen(
            ["bash", "-c", text],
            cwd=ROOT if checkout else self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, text: str, timeout_s: float) -> tuple[int, str]:
        """Exit code and output."""
        process = self.start(text)
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, output


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def documented(page: str) -> str:
    """The text of the whole experiment that a page shows."""
    return next(text for _, text in yaml_blocks(ROOT / page) if text.startswith("brownout: 1") and "gates:" in text)


def documented_gateway() -> str:
    """A file with the target that docs/experiments.md shows for a gateway of the user's."""
    blocks = [text for _, text in yaml_blocks(ROOT / "docs" / "experiments.md")]
    return "brownout: 1\n" + next(text for text in blocks if text.startswith("target: ") and "replicas: " in text)


def documented_scenario() -> str:
    """The scenario that docs/scenarios.md shows."""
    return next(text for _, text in yaml_blocks(ROOT / "docs" / "scenarios.md") if text.startswith("brownout: 1"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("documentation")
    made = Place(folder, free_port())
    files = {
        "my_yaml": "my.yaml",
        "my_endpoint": "my-endpoint.yaml",
        "my_gateway": "my-gateway.yaml",
        "slow_chip": "slow-chip.yaml",
        "trace": "trace.csv",
        "spread": "spread.json",
    }
    made.values = {"port": str(made.port), "url": f"http://127.0.0.1:{made.port}", **files}
    (folder / "my.yaml").write_text(documented("docs/experiments.md"))
    (folder / "my-endpoint.yaml").write_text(documented("README.md").replace(":8000", f":{made.port}"))
    (folder / "my-gateway.yaml").write_text(documented_gateway())
    (folder / "slow-chip.yaml").write_text(documented_scenario())
    (folder / "trace.csv").write_text(TRACE)
    (folder / "spread.json").write_text('{"schema": 1, "spreads": []}')
    return made


@pytest.fixture(scope="module")
def recorded(place: Place) -> Place:
    """With a recorded run: `lose-tpu-pool`, short."""
    code, output = place.run("brownout run lose-tpu-pool --short --quiet", LONG_S)
    assert code in JUDGED, output
    (run,) = sorted((place.folder / "runs").glob("*-*"))
    code, output = place.run(f"brownout trace {shlex.quote(str(run))} --most 1", QUICK_S)
    call = re.search(r"^(\S+/\S+#\d+)", output, re.MULTILINE)
    assert call, output
    copy = shutil.copytree(run, place.folder / "copies" / run.name)
    place.values |= {
        "run": str(run.relative_to(place.folder)),
        "copy": str(copy.relative_to(place.folder)),
        "call": call[1],
    }
    return place


@contextmanager
def serving(place: Place, text: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """A command that serves, once it does; ended by SIGTERM."""
    assert not answers(url), f"something else listens at {url}"
    process = place.start(text)
    try:
        until(lambda: process.poll() is not None or answers(url), f"{text} serves {url}", within_s=60)
        if process.poll() is not None:
            pytest.fail(f"{text}: exit code {process.returncode}\n{process.communicate()[0]}")
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def listening(port: int) -> set[str]:
    """The local IPv4 addresses, in hexadecimal, at which a process of this machine listens on a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}


def test_every_command_has_a_rule() -> None:
    assert [str(command) for command in ALL if rule_of(command) is None] == []


def test_every_rule_has_a_command_and_a_reason_if_it_is_not_run() -> None:
    used = {rule_of(command) for command in ALL}
    assert [rule.pattern for rule in RULES if rule not in used] == []
    assert [rule.pattern for rule in RULES if (rule.suite == "not run") != bool(rule.not_run)] == []


def test_a_command_without_a_rule_is_found() -> None:
    assert rule_of(Command(ROOT / "README.md", 1, "brownout frobnicate")) is None


def test_commands_are_found_in_readme_contributing_and_docs() -> None:
    pages = {command.page.relative_to(ROOT).parts[0] for command in ALL}
    assert pages >= {"README.md", "CONTRIBUTING.md", "docs"}


@pytest.mark.parametrize("command", of_suite("quick"), ids=str)
def test_quick_commands_run_as_written(command: Command, place: Place) -> None:
    rule = rule_of(command)
    assert rule is not None
    code, output = place.run(place.text(command), QUICK_S)
    assert code in rule.codes, f"{command}\nexit code {code}\n{output}"
    assert "Traceback" not in output, output


def test_the_words_of_game_days_that_are_not_run_are_right(place: Place) -> None:
    found = [command for command in FIRST if command.text.startswith("brownout gameday ")]
    assert len(found) >= 3
    for command in found:
        words = shlex.split(place.text(command))[2:]
        gameday = typer.main.get_command(app).commands["gameday"]  # type: ignore[attr-defined]
        context = gameday.make_context("gameday", words)
        given = context.params
        if (name := given["name"]) is not None:
            assert what_is(place.folder / name if name.endswith(".yaml") else name), command
        if given["target"] is None and not (name or "").endswith(".yaml"):
            assert chosen(**{key: given[key] for key in CHOICE}, seed_drawn=given["drawn"]), command


@pytest.mark.long
@pytest.mark.timeout(LONG_S + 60)
@pytest.mark.parametrize("command", of_suite("long"), ids=str)
def test_long_commands_run_as_written(command: Command, recorded: Place) -> None:
    rule = rule_of(command)
    assert rule is not None
    text = recorded.text(command)
    if rule.serves:
        url = rule.serves.replace(":8000", f":{recorded.port}")
        with serving(recorded, text, url):
            assert listening(int(url.split(":")[2].split("/")[0])) == {"0100007F"}, "listens on loopback only"
        return
    if "my-endpoint.yaml" in command.text:
        stack = f"brownout up --port {recorded.port}"
        with serving(recorded, stack, f"http://127.0.0.1:{recorded.port}/health"):
            code, output = recorded.run(text, LONG_S)
    else:
        code, output = recorded.run(text, LONG_S)
    assert code in rule.codes, f"{command}\nexit code {code}\n{output}"
    assert "Traceback" not in output, output
