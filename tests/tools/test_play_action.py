"""action.yml, played with a `brownout` that only says what it was asked; and what the player refuses."""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.run_helpers import until

PLAYER = ROOT / "tools" / "play_action"
ACTION = ROOT / "action.yml"
MAIN = runpy.run_path(str(PLAYER))
ACTION_SCRIPT = runpy.run_path(str(ROOT / "tools" / "action" / "steps.py"))
STEPS = ACTION_SCRIPT["STEPS"]
read_action = MAIN["read_action"]

FAKE = """
import json, os, pathlib, signal, sys
place = pathlib.Path(__file__).parents[1]
words = sys.argv[1:]
if words[0] == "gate":
    settings = json.loads((place / "settings.json").read_text())
    if settings["ends"]:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = next(pathlib.Path(word[6:]) for word in words if word.startswith("--out="))
    out.mkdir(exist_ok=True)
    (place / "asked.json").write_text(json.dumps({"words": words, "path": sys.path, "pid": os.getpid()}))
    while settings["waits"]:
        try:
            signal.pause()
        except KeyboardInterrupt:
            if settings["ends"]:
                sys.exit(130)
    if settings["files"]:
        (out / "gate.json").write_text(json.dumps({"verdict": settings["verdict"]}))
        (out / "junit.xml").write_text("<testsuites/>")
        (out / "summary.md").write_text("a summary")
    (out / settings["name"]).write_text("")
    sys.exit(settings["code"])
(place / "installed.txt").open("a").write(" ".join(words) + "\\n")
"""


@dataclass
class Job:
    """A job that uses the action. `settings`: how the fake gate behaves."""

    folder: Path
    settings: dict[str, Any] = field(
        default_factory=lambda: {
            "code": 0, "verdict": "pass", "files": True, "name": "a.txt", "waits": False, "ends": True
        }
    )  # fmt: skip

    @property
    def venv(self) -> Path:
        return self.folder / "temp" / "brownout" / "venv"

    def start(self, *inputs: str) -> subprocess.Popen[str]:
        """Begin to play, with an installation that the cache has."""
        (self.venv / "bin").mkdir(parents=True)
        (self.venv / "bin" / "python").symlink_to(sys.executable)
        (self.venv / "bin" / "brownout").write_text(f"#!{sys.executable}\n{FAKE}")
        (self.venv / "bin" / "brownout").chmod(0o755)
        (self.venv / "settings.json").write_text(json.dumps(self.settings))
        (self.folder / "work").mkdir(exist_ok=True)
        words = [word for text in inputs for word in ("--input", text)]
        return subprocess.Popen(
            [sys.executable, PLAYER, "--temp", self.folder / "temp", "--workspace", self.folder / "work", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": "/nowhere"},
        )

    def play(self, *inputs: str) -> tuple[int, str, dict[str, str]]:
        """Exit code, output, and outputs of the action."""
        return self.end(self.start(*inputs))

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str, dict[str, str]]:
        said, _ = process.communicate(timeout=100)
        return process.returncode, said, dict(re.findall(r"^output ([\w-]+)=(.*)$", said, re.M))

    @property
    def asked(self) -> dict[str, Any]:
        return dict(json.loads((self.venv / "asked.json").read_text()))

    @property
    def waits(self) -> bool:
        return (self.venv / "asked.json").exists() and bool((self.venv / "asked.json").read_text())


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_inputs_become_single_words_of_the_command(job: Job) -> None:
    hostile = "$(touch here); `touch here` \"'"
    code, said, outputs = job.play(
        "experiments=\n  lose-tpu-pool \n\n./my file.yaml\n-o\n",
        f"stack={hostile}",
        "until-decided=true",
        "within=20m",
        "tolerances=ttft.p95=20%\nsessions_lost=0",
        "arguments=--short\n--quiet",
    )
    assert code == 0, said
    assert job.asked["words"] == [
        "gate",
        f"--stack={hostile}",
        "--within=20m",
        "--out=brownout-gate",
        "--until-decided",
        "--tolerance=ttft.p95=20%",
        "--tolerance=sessions_lost=0",
        "--short",
        "--quiet",
        "--",
        "lose-tpu-pool",
        "./my file.yaml",
        "-o",
    ]
    assert [path.name for path in (job.folder / "work").iterdir()] == ["brownout-gate"]
    assert outputs == {
        "verdict": "pass",
        "exit-code": "0",
        "gate-json": "brownout-gate/gate.json",
        "junit": "brownout-gate/junit.xml",
        "summary": "brownout-gate/summary.md",
        "out": "brownout-gate",
        "program": str(job.venv / "bin" / "brownout"),
    }


def test_modules_of_the_checkout_are_not_imported(job: Job) -> None:
    job.play("experiments=a")
    assert not {"", "/nowhere", str(job.folder / "work")} & set(job.asked["path"])


@pytest.mark.parametrize(
    ("code", "verdict", "ends_with", "says"), [(1, "fail", 1, "::error"), (3, "inconclusive", 0, "::warning")]
)
def test_the_job_ends_with_the_verdict_after_the_results_are_uploaded(
    job: Job, code: int, verdict: str, ends_with: int, says: str
) -> None:
    job.settings |= {"code": code, "verdict": verdict}
    ended, said, outputs = job.play("experiments=a")
    assert (ended, outputs["verdict"], outputs["exit-code"]) == (ends_with, verdict, str(code))
    assert said.index("Upload the results") < said.index(says)


@pytest.mark.parametrize(
    ("code", "fail_on", "ends_with", "says"),
    [
        ("0", "1", 0, "every gate passed"),
        ("3", "1,3", 3, "::error"),
        ("4", "", 0, "::warning"),
        ("130", "", 130, "::error"),
        ("77", "", 77, "::error"),
        ("", "", 5, "::error title=brownout gate::the gate was killed"),
    ],
)
def test_the_job_fails_on_the_codes_that_it_names(
    capsys: pytest.CaptureFixture[str], code: str, fail_on: str, ends_with: int, says: str
) -> None:
    assert STEPS["verdict"]({"GATE_CODE": code, "GATE_FAIL_ON": fail_on}) == ends_with
    assert capsys.readouterr().out.startswith(says)


def test_a_gate_without_results_has_a_code_and_no_files_of_an_earlier_one(job: Job) -> None:
    job.settings |= {"code": 2, "files": False}
    (job.folder / "work" / "brownout-gate").mkdir(parents=True)
    (job.folder / "work" / "brownout-gate" / "gate.json").write_text('{"verdict": "pass"}')
    code, _, outputs = job.play("experiments=a")
    assert (code, outputs["exit-code"], outputs["verdict"], outputs["gate-json"]) == (2, "2", "", "")


def test_a_wrong_input_ends_the_job_before_anything_is_installed(job: Job) -> None:
    code, said, outputs = job.play("experiments= \n")
    assert (code, outputs["exit-code"]) == (2, "")
    assert "::error title=brownout gate::experiments is empty" in said
    assert "--- Gate: skipped" in said
    assert "--- Install brownout: skipped" in said


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("OUT", "", "out is empty"),
        ("FAIL_ON", "1 six", "fail-on: 'six' is no exit code"),
        ("UNTIL_DECIDED", "yes", "until-decided: 'yes' is neither true nor false"),
        ("GATEWAYS", "nginx:tuned", "gateways-to-install: 'nginx:tuned' is no gateway"),
        ("VERSION", "--index", "version: '--index' is neither"),
        ("STACK", "a\nb", "stack: one value is possible"),
    ],
)
def test_a_wrong_input_is_named_with_what_is_right(name: str, text: str, says: str) -> None:
    given = {"GATE_EXPERIMENTS": "a", "GATE_OUT": "out", f"GATE_{name}": text}
    with pytest.raises(ACTION_SCRIPT["WrongInput"], match=re.escape(says)):
        STEPS["plan"](given)


def test_files_that_no_gate_wrote_stay(tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("mine")
    ACTION_SCRIPT["remove_earlier"](tmp_path)
    assert (tmp_path / "summary.md").read_text() == "mine"
    (tmp_path / "gate.json").write_text("{}")
    ACTION_SCRIPT["remove_earlier"](tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_installation_that_is_broken_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "brownout"
    program.write_text("import nothing_of_this_name\n")
    assert ACTION_SCRIPT["exit_code_of"](str(program)) == 5
    assert "its installation is broken" in capsys.readouterr().out


def test_every_input_is_checked_before_anything_is_installed() -> None:
    steps = {step["name"]: step.get("env", {}) for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"]}
    needed = {name for name in steps["Gate"] if name.startswith("GATE_")} - {"GATE_VENV"}
    assert needed <= steps["Check the inputs"].keys()


def test_an_output_cannot_bring_a_second_one(tmp_path: Path) -> None:
    given = {"GITHUB_OUTPUT": str(tmp_path / "output")}
    with pytest.raises(ACTION_SCRIPT["WrongInput"], match="several lines"):
        ACTION_SCRIPT["write_outputs"](given, {"a": "1\nb=2"})
    assert not (tmp_path / "output").exists()


def test_the_cache_depends_on_what_is_installed(tmp_path: Path) -> None:
    def digest() -> str:
        return str(ACTION_SCRIPT["source_digest"](str(tmp_path)))

    digests = [digest()]
    for name in ("requirements.lock", "chaos/a.py", "chaos/b.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a")
        digests.append(digest())
    (tmp_path / "README.md").write_text("not installed")
    assert len(set(digests)) == 4
    assert digest() == digests[-1]


def test_gateways_are_installed_before_the_gate(job: Job) -> None:
    code, said, _ = job.play("experiments=a", "gateway=nginx:tuned", "gateways-to-install=nginx\nhaproxy")
    assert code == 0, said
    assert (job.venv / "installed.txt").read_text().splitlines() == ["targets install nginx", "targets install haproxy"]


def test_a_name_that_an_artifact_cannot_have_is_found(job: Job) -> None:
    job.settings["name"] = "12:30.txt"
    code, said, _ = job.play("experiments=a")
    assert code == 1
    assert "no name for a file in an artifact" in said
    assert job.folder.joinpath("work", "brownout-gate", "gate.json").is_file()


def test_the_gate_itself_gets_the_signal_of_a_cancelled_job(job: Job) -> None:
    job.settings["waits"] = True
    process = job.start("experiments=a")
    until(lambda: job.waits, "the gate has begun", within_s=60)
    process.send_signal(signal.SIGINT)
    code, said, outputs = job.end(process)
    assert (code, outputs["exit-code"], outputs["verdict"]) == (130, "130", "interrupted")
    assert "SIGTERM" not in said
    assert "--- Upload the results\n" in said


@pytest.mark.long
def test_a_gate_that_does_not_end_is_killed_and_the_job_fails(job: Job) -> None:
    job.settings |= {"waits": True, "ends": False}
    process = job.start("experiments=a")
    until(lambda: job.waits, "the gate has begun", within_s=60)
    os.kill(job.asked["pid"], signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    code, said, outputs = job.end(process)
    assert (code, outputs["exit-code"], outputs["verdict"]) == (130, "", "")
    assert "SIGTERM" in said
    assert "SIGKILL" in said
    assert "the gate was killed before it ended" in said
    assert not Path(f"/proc/{job.asked['pid']}").exists()


def player(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PLAYER, *words], capture_output=True, text=True, check=False)


def test_the_action_has_no_mistake_that_the_player_knows() -> None:
    read_action(ACTION)


STEP = '    - {name: A, shell: bash, run: "set -euo pipefail\\ntrue\\n"}'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("true\\n", "echo ${{ inputs.a }}\\n", "an input can become a command"),
        ("set -euo pipefail\\n", "", "has to begin with set -euo pipefail"),
        ("shell: bash", "shell: sh", "needs shell: bash"),
        ("name: A,", "name: A, if: inputs.b == '',", "inputs.b is not defined"),
        ("name: A,", "name: A, if: steps.x.outputs.y == '',", "steps.x.outputs.y is not defined"),
        ("name: A,", "name: A, if: hashFiles('a') == '',", "hashFiles"),
        ("name: A,", "name: A, continue-on-error: true,", "'continue-on-error' is not known"),
        ("name: A, shell: bash", "uses: actions/cache@v5, shell: bash", "either run or uses"),
        (STEP, "    - {name: A, uses: actions/cache/save@v5}", "is not pinned"),
        (STEP, f"    - name: A\n      uses: me/mine@{'a' * 40} # v1.0.0", "me/mine is not known"),
        ("using: composite", "using: node24", "not a composite action"),
        ("description: An input", "default: x", "has no description"),
        ("name: A,", "name: A, env: {B: '${{ inputs.c }}'},", "inputs.c is not defined"),
    ],
)
def test_a_mistake_in_an_action_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = textwrap.dedent("""\
        name: test
        description: A test
        inputs: {a: {description: An input, default: "1"}}
        runs:
          using: composite
          steps:
            - {name: First, if: inputs.a == '1', shell: bash, run: "set -euo pipefail\\ntrue\\n"}
        """) + STEP + "\n"  # fmt: skip
    file = tmp_path / "action.yml"
    file.write_text(text)
    read_action(file)
    file.write_text(text.replace(old, new))
    with pytest.raises(MAIN["Wrong"], match=re.escape(says)):
        read_action(file)


@pytest.mark.parametrize("text", ["nosuch=1", "experiments"])
def test_an_input_that_the_action_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(MAIN["Wrong"], match=f"--input {text}: not NAME=VALUE"):
        MAIN["inputs_of"](read_action(ACTION), [text])


def test_a_mistake_of_the_user_has_exit_code_2() -> None:
    done = player()
    assert (done.returncode, done.stderr) == (2, "the input experiments is required: --input experiments=VALUE\n")


def test_every_input_and_output_is_explained_on_the_page() -> None:
    page = (ROOT / "docs" / "resilience-gate.md").read_text(encoding="utf-8")
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert [name for name in (*action["inputs"], *action["outputs"]) if f"`{name}`" not in page] == []


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_action_installs_brownout_and_plays_a_gate(tmp_path: Path) -> None:
    """From nothing: an empty environment, an installation from this checkout, and a short gate."""
    if subprocess.run(
        [sys.executable, "-P", "-m", "chaos.cli.app", "gate", "--help"], cwd=ROOT, check=False
    ).returncode:
        pytest.skip("this brownout has no command gate yet")
    done = player(
        "--temp", tmp_path / "temp", "--workspace", tmp_path, "--input", "experiments=cut-streams",
        "--input", "arguments=--short", "--input", "fail-on=2 4 5",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "brownout-gate" / "gate.json").read_text())["schema"] == 1
    assert (tmp_path / "temp" / "summary.md").read_text(), "the gate wrote the summary of the job"
