"""The command `brownout`, also as `python -m brownout`: finds our packages, then runs `chaos.cli.app`."""

import os
import sys

from brownout.search_path import ROOT, search_own_packages


def main() -> int:
    """Run the command line. Returns the exit code."""
    search_own_packages()
    from chaos.cli.app import main as command

    return command()


if __name__ == "__main__":
    # `python -m` searches the current folder first. As with `-P`, it is not wanted, unless it is our own.
    if not sys.flags.safe_path and os.path.realpath(sys.path[0]) != ROOT:
        del sys.path[0]
    sys.exit(main())
