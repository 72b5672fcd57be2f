"""`python -m loadprofiles.sessions.resolve_profile NAME_OR_PATH`: prints the resolved profile as JSON.

It runs in a separate process, because reading profile files needs pydantic, which the process that plays the load must
not import. If the profile cannot be read, prints the reason and exits with code 2.
"""

from __future__ import annotations

import subprocess
import sys

import msgspec

from brownout.children import python_words
from loadprofiles.sessions.profile import Profile
from reports.shared.errors import UserError

__all__ = ["main", "resolved_profile"]


def resolved_profile(name_or_path: str) -> Profile:
    """The shipped profile of this name, or the profile in this file. Raises `UserError`."""
    command = python_words("-m", "loadprofiles.sessions.resolve_profile", name_or_path)
    finished = subprocess.run(command, capture_output=True, check=False)
    if finished.returncode:
        raise UserError(finished.stderr.decode("utf-8", "replace").strip() or f"profile {name_or_path}: cannot be read")
    return msgspec.json.decode(finished.stdout, type=Profile)


def main(arguments: list[str]) -> int:
    """Prints the profile named by the only argument; returns the exit code."""
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
