"""What each exit code of `brownout gate` means for a pipeline. The summary and the documentation use the same words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["EXIT_CODES", "ExitCode", "exit_code_text", "exit_codes_table"]


@dataclass(frozen=True, slots=True)
class ExitCode:
    """`verdict`: as in gate.json; `usage` has no gate.json. `action`: for the pipeline. `meaning`: what happened."""

    code: int
    verdict: str
    action: str
    meaning: str


EXIT_CODES: Final = (
    ExitCode(0, "pass", "merge", "every gate passed, and no compared measure became worse than accepted"),
    ExitCode(1, "fail", "block the merge", "a gate is violated, the stack stayed down, or a compared measure is worse"),
    ExitCode(
        2,
        "usage",
        "block the merge, and fix the file",
        "the command, a file or the machine's set-up is wrong; nothing was judged. The message names the remedy",
    ),
    ExitCode(
        3,
        "inconclusive",
        "do not block by default; play it again, or ask a person",
        "nothing is known to be violated, but not everything could be decided. The reasons say what is missing",
    ),
    ExitCode(
        4,
        "aborted",
        "block the merge, and ask a person",
        "a guardrail or a person stopped a run to protect the target; it was not judged to its end",
    ),
    ExitCode(
        5,
        "failed",
        "block the merge, and repair the target or the machine",
        "the target, or a part of brownout, failed by itself, or a fault was not reverted",
    ),
    ExitCode(130, "interrupted", "play it again", "the job was cancelled; nothing was decided"),
)
"""In the order of the codes."""


def exit_code_text(code: int) -> str:
    """`Exit code 1: block the merge. A gate is violated, ....` for any code."""
    for one in EXIT_CODES:
        if one.code == code:
            return f"Exit code {code}: {one.action}. {one.meaning[:1].upper()}{one.meaning[1:]}."
    return f"Exit code {code}: block the merge. brownout does not use this code: look at the log of the job."


def exit_codes_table() -> str:
    """All codes as a table in Markdown, for the documentation."""
    rows = [f"| {one.code} | {one.verdict} | {one.action} | {one.meaning} |" for one in EXIT_CODES]
    return "\n".join(
        ["| exit code | verdict | what the pipeline should do | what happened |", "|---|---|---|---|", *rows]
    )
