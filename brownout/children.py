"""The command lines of Python processes that brownout starts. Only this module names the interpreter.

Python puts the current folder (`-m`, `-c`) or a script's folder first in its search path. There, a folder `reports` or
`targets` of the user's own would be taken for ours. `-P` keeps it out.
"""

import sys

__all__ = ["python_words"]


def python_words(*words: str) -> list[str]:
    """The words that start Python with these: `python_words("-m", "reports.analysis", folder)`.

    The packages of the current folder are not found, whatever the words are.
    """
    return [sys.executable, "-P", *words]
