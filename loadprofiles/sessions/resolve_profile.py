"""`python -m loadprofiles.sessions.resolve_profile NAME_OR_PATH`: prints the resolved profile as JSON.

A process of its own, because reading profile files takes pydantic, which the process that plays the load must not
carry. Exit code 2 and a message where the profile cannot be read.
"""

from __future__ import annotations

import subprocess
import sys

import msgspec

from loadprofiles.sessions.profile import Profile
from reports.shared.errors import UserError

__all__ = ["main", "resolved_profile"]


def resolved_profile(name_or_path: str) -> Profile:
    """The profile that ships under this name, or the one in this file. Raises `UserError`."""
    command = [sys.executable, "-m", "loadprofiles.sessions.resolve_profile", name_or_path]
    finished = subprocess.run(command, capture_output=True, check=False)
    if finished.returncode:
        raise UserError(finished.stderr.decode("utf-8", "replace").strip() or f"profile {name_or_path}: cannot be read")
    return msgspec.json.decode(finished.stdout, type=Profile)


def main(arguments: list[str]) -> int:
    """Prints the profile named by the one argument; returns the exit code."""
    from loadprofiles.sessions.profile_file import load_profile

    if len(arguments) != 1:
        print("usage: python -m loadprofiles.sessions.resolve_profile NAME_OR_PATH", file=sys.stderr)
        return 2
    try:
        profile = load_profile(arguments[0])
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    sys.stdout.buffer.write(msgspec.json.encode(profile))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
