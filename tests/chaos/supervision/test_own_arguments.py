"""What other accounts see of the arguments of a process, in /proc."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

HIDES = (
    "import sys; sys.path.insert(0, {root!r}); from chaos.supervision.own_arguments import hide_arguments; "
    "print(hide_arguments({kept}), *sys.argv[1:], flush=True); sys.stdin.read()"
)


def shown(*arguments: str, kept: int) -> tuple[str, list[str]]:
    """What such a process prints, and what /proc shows of it afterwards."""
    words = [sys.executable, "-c", HIDES.format(root=str(ROOT), kept=kept), *arguments]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        seen = Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")
        environment = Path(f"/proc/{process.pid}/environ").read_text()
        process.stdin.close()
    assert "PATH=" in environment
    return said, [word for word in seen if word]


def test_all_arguments_but_the_first_are_hidden_and_stay_in_argv() -> None:
    said, seen = shown("gameday", "lost-pool", "--seed", "7", kept=1)
    assert said == "True gameday lost-pool --seed 7"
    assert seen[-1] == "gameday"
    assert not any("lost-pool" in word or "--seed" in word for word in seen)


def test_without_arguments_to_hide_nothing_is_changed() -> None:
    said, seen = shown("gameday", kept=1)
    assert (said, seen[-1]) == ("True gameday", "gameday")


def test_every_argument_can_be_hidden() -> None:
    said, seen = shown("lost pool", kept=0)
    assert said == "True lost pool"
    assert len(seen) == 3
