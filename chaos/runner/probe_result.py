"""What the probe of an endpoint found, in words: what was called, what the endpoint said, and what helps. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from reports.shared.attributes import Outcome

__all__ = ["ProbeResult", "failure_text", "gateway_failure_text", "notes", "remedy"]

_NO_STATUS: Final = {
    Outcome.REFUSED: "no connection",
    Outcome.RESET: "the connection closed before the response",
    Outcome.TIMEOUT: "no response in time",
    Outcome.STALLED: "the answer stopped",
    Outcome.CORRUPT: "the answer cannot be read",
    Outcome.TRUNCATED: "the answer is not complete",
    Outcome.ERROR_EVENT: "the answer is an error",
}
_NEW_FIELD: Final = "write max_tokens_field: max_completion_tokens under target:"
_OLD_FIELD: Final = "write max_tokens_field: max_tokens under target:"
_NO_TOOLS: Final = "write tools: false under target:, or start the server with support for tools"
_REFUSED: Final = r".{0,40}(unsupported|not (supported|permitted|allowed)|unrecognized|unknown)"
_FIELD_REMEDIES: Final = (
    (r"use .?max_completion_tokens", _NEW_FIELD),
    (r"use .?max_tokens", _OLD_FIELD),
    (r"max_completion_tokens" + _REFUSED, _OLD_FIELD),
    (r"max_tokens" + _REFUSED, _NEW_FIELD),
    (r"stream_options", "write stream_options: false under target: (token counts are then estimates)"),
    (r"\btools\b|tool_choice|tool choice", _NO_TOOLS),
    (r"context (length|window)|too long", "use a model with a longer context, or a profile with shorter prompts"),
)
"""What helps against the refusal of a field, by the server's words in lower case."""
_NO_MODEL: Final = (
    r"model_not_found|model not found|(invalid|unknown|unsupported|no such|wrong) model"
    r"|model.{0,120}(does not exist|not exist|not found|is not (available|supported|served|a valid)|unavailable)"
)
"""How servers refuse a model, in lower case."""
_REFUSED_REMEDIES: Final = (
    ("certificate", "use the host name of the certificate, or name its authority in the variable SSL_CERT_FILE"),
    ("not known", "correct the host in target: url:"),
    ("resolution", "correct the host in target: url:"),
    ("no address", "correct the host in target: url:"),
    ("host name", "correct the host in target: url:"),
    ("ssl", "write http:// if the server speaks plain HTTP"),
    ("", "start the server, or correct host and port in target: url:"),
)
_CORRUPT_REMEDIES: Final = (
    ("does not stream", "use a profile with client: {stream: false}"),
    ("html", "correct target: url:, it leads to a web page"),
    ("compressed", "switch compression off for this path"),
    ("", "see docs/endpoints.md: what a good answer is"),
)


class ProbeResult(msgspec.Struct, frozen=True):
    """The result of the probe. `usage`: the answer had a token count; `terminal`: it had its terminal event.

    `session`: of its marker. `asked`: the model that was asked for. `model`: the one that the answer names, "" where it
    names none. `models`: those that the endpoint lists, where it refused the model.
    """

    url: str
    outcome: str
    status: int | None = None
    message: str = ""
    ttft_s: float | None = None
    e2e_s: float | None = None
    usage: bool = False
    terminal: bool = False
    session: str = ""
    model: str = ""
    asked: str = ""
    models: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.outcome == Outcome.OK


def failure_text(result: ProbeResult, key: str = "") -> str:
    """Why the run does not start, in three lines. `key`: the variables that hold the target's keys, "" for none."""
    if result.status is not None and result.status >= 300:
        what = f"status {result.status}"
    else:
        what = _NO_STATUS.get(Outcome(result.outcome), result.outcome)
    said = f": {result.message}" if result.message else ""
    return (
        f"the first call to the target failed, and no load was sent\n"
        f"    POST {result.url}\n    {what}{said}\n    what helps: {remedy(result, key)}"
    )


def gateway_failure_text(result: ProbeResult, upstreams: Sequence[str], key: str = "") -> str:
    """Why a gateway in front of our replicas cannot be tried: it fails, or it passes its calls on to somebody else.

    `upstreams`: the addresses of the replicas.
    """
    listed = "\n".join(f"        {url}" for url in upstreams)
    if result.ok:
        return (
            f"the gateway answered, but none of the replicas got the call, and no load was sent\n"
            f"    POST {result.url}\n"
            f"    what helps: give it these upstreams, and only these:\n{listed}"
        )
    text = f"{failure_text(result, key)}\n    the replicas are ready; the upstreams of the gateway must be:\n{listed}"
    if result.status in (502, 503, 504):
        text += "\n    a gateway in a container reaches them in the network of this machine: docker run --network host"
    return text


def remedy(result: ProbeResult, key: str = "") -> str:
    """What helps against this failure."""
    said, status = result.message.lower(), result.status
    if status is None or status < 300:
        return _remedy_of_answer(Outcome(result.outcome), said)
    if status < 400:
        return "write the address that it points to as target: url:"
    if status in (401, 403):
        if not key:
            return "name the environment variable with the key in target: key_env:"
        return f"check the key in the environment variable {key}"
    for words, text in _FIELD_REMEDIES:
        if status in (400, 422, 500, 501) and re.search(words, said):
            return text
    of_model = re.search(_NO_MODEL, said) is not None or (status == 404 and bool(result.models))
    if status in (400, 404, 422) and of_model:
        listed = f"; it lists {', '.join(result.models)}" if result.models else ""
        return f"correct model: under target:{listed}"
    if status == 404:
        return "correct the path in target: url:"
    if status == 429:
        return "wait until the limit allows calls again, or use a key with a higher limit"
    return "see the log of the server" if status >= 500 else "correct what the message names"


def _remedy_of_answer(outcome: Outcome, said: str) -> str:
    if outcome is Outcome.REFUSED:
        return next(text for word, text in _REFUSED_REMEDIES if word in said)
    if outcome is Outcome.CORRUPT:
        return next(text for word, text in _CORRUPT_REMEDIES if word in said)
    if outcome in (Outcome.TIMEOUT, Outcome.STALLED):
        return "wait until the server has started and is idle, or correct target: url:"
    return "see the log of the server"


def notes(result: ProbeResult, at_replica: str = "") -> Iterator[str]:
    """What a user should know of an endpoint that works.

    `at_replica`: the model that a replica of ours was asked for, "" where that is not known.
    """
    others = [model for model in dict.fromkeys((at_replica, result.model)) if model and not _same(model, result.asked)]
    if others and result.asked:
        where = "the replicas are asked for the model" if others[0] == at_replica else "the answer is of the model"
        yield f"{where} {others[0]}, not {result.asked}: if that is no alias, correct model: under target:"
    if not result.usage:
        yield "the target reported no token count (usage): token counts are estimates"
    if not result.terminal:
        yield "the target sends no terminal event ([DONE], message_stop) at the end: missing_terminal counts that"


def _same(model: str, asked: str) -> bool:
    """Whether it is the model that was asked for, or a dated version of it."""
    return model == asked or re.fullmatch(re.escape(asked) + r"[-@]\d[\d-]*", model) is not None
