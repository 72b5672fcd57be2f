"""Plays the dialects of the tests with the vendors' own SDKs, and says where these and the expected outcomes differ.

    python tools/dialect_oracle.py [PATTERN]     of tests/loadprofiles/client/test_client_dialects_PATTERN.py

Run it at the root of the repository with a Python that has brownout's packages, `openai` and `anthropic`, which are no
dependencies of brownout. A difference is no fault by itself: where a standard or docs/decisions rule, the SDK does not.
"""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import openai

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from reports.shared.attributes import Outcome  # noqa: E402
from tests.support.dialects.case import Dialect  # noqa: E402
from tests.support.dialects.play import script  # noqa: E402
from tests.support.scripted_server import ScriptedServer  # noqa: E402

ASK: dict[str, Any] = {"model": "lab-1", "messages": [{"role": "user", "content": "Tell me."}], "max_tokens": 64}
LIMITS: dict[str, Any] = {"api_key": "none", "timeout": 2, "max_retries": 0}


class Seen(NamedTuple):
    """What an SDK made of an answer. `error`: the exception, "" if there was none."""

    text: str
    finish: str | None
    error: str = ""


def ask(dialect: Dialect, url: str) -> Seen:
    """One call with the SDK of the dialect's API."""
    seen = Seen("", None)
    read = read_openai if dialect.api == "openai" else read_anthropic
    try:
        for seen in read(dialect, url):  # noqa: B007  # the last one is the result
            pass
    except Exception as error:  # an SDK may raise anything
        return seen._replace(error=f"{type(error).__name__}: {error}"[:120])
    return seen


def read_openai(dialect: Dialect, url: str) -> Any:
    client = openai.OpenAI(base_url=url + "/v1", **LIMITS)
    answer: Any = client.chat.completions.create(stream=dialect.stream, **ASK)
    text, finish = "", None
    for chunk in answer if dialect.stream else [answer]:
        for choice in [found for found in chunk.choices or [] if hasattr(found, "delta") or hasattr(found, "message")]:
            if choice.index in (0, None):
                piece = choice.delta if dialect.stream else choice.message
                content = getattr(piece, "content", None)
                text, finish = text + (content if isinstance(content, str) else ""), choice.finish_reason or finish
        yield Seen(text, finish)


def read_anthropic(dialect: Dialect, url: str) -> Any:
    client = anthropic.Anthropic(base_url=url, **LIMITS)
    answer: Any = client.messages.create(stream=dialect.stream, **ASK)
    if not dialect.stream:
        yield Seen("".join(getattr(block, "text", "") or "" for block in answer.content), answer.stop_reason)
        return
    text, finish = "", None
    for event in answer:
        if event.type == "content_block_delta":
            text += getattr(event.delta, "text", None) or ""
        elif event.type == "message_delta" and event.delta is not None:
            finish = event.delta.stop_reason or finish
        yield Seen(text, finish)


def dialects(pattern: str) -> list[Dialect]:
    """All dialects in lists of the test modules."""
    paths = sorted((ROOT / "tests/loadprofiles/client").glob(f"test_client_dialects_{pattern}.py"))
    modules = [importlib.import_module(f"tests.loadprofiles.client.{path.stem}") for path in paths]
    lists = [value for module in modules for value in vars(module).values() if isinstance(value, list)]
    return list({id(case): case for cases in lists for case in cases if isinstance(case, Dialect)}.values())


def difference(dialect: Dialect) -> str:
    """The difference between the SDK and the expected outcome, "" if there is none."""
    with ScriptedServer(*map(script, dialect.sends)) as server:
        seen = ask(dialect, server.url)
    good = not seen.error and bool(seen.finish)
    if good == (dialect.outcome is Outcome.OK) and (not good or dialect.text in (None, seen.text)):
        return ""
    found = seen.error or ("ok" if good else "no finish reason")
    return f"{dialect.name}: expected {dialect.outcome.value}; SDK: {found}; text {seen.text[:30]!r}; {dialect.why}"


def main() -> None:
    cases = dialects(sys.argv[1] if len(sys.argv) > 1 else "*")
    with ThreadPoolExecutor(4) as pool:
        found = list(filter(None, pool.map(difference, cases)))
    print("\n".join([*found, f"{len(cases)} dialects, {len(found)} differences"]))


if __name__ == "__main__":
    main()
