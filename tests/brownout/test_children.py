"""The command lines of Python processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from brownout.children import python_words


def test_a_child_finds_no_package_of_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "users.py").write_text("print('the user’s')")
    for words in (["-m", "users"], ["-c", "import users"]):
        done = subprocess.run(python_words(*words), cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "No module named" in done.stderr
