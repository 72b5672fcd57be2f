"""Failures of real servers that people see: what the load's client makes of them, and in whose words."""

from __future__ import annotations

from pathlib import Path

import gevent
import pytest

from loadprofiles.client.records import CallRecord
from reports.shared.attributes import Outcome
from tests.servers.real_server import KINDS, LLAMA_CPP, TRANSFORMERS, Kind, RealServer, running
from tests.servers.server_calls import TOKENS, Conversation, calling

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]

LONG_ANSWER = 4000
"""Tokens of an answer that is still being written when something happens to it."""
TOO_LONG = "word " * 2500
"""More than the 8,192 tokens of the models' context: one token a letter."""


class Once:
    """True at its n-th call, else False: to act at the n-th arrival of bytes."""

    def __init__(self, arrival: int) -> None:
        self._left = arrival

    def __call__(self) -> bool:
        self._left -= 1
        return self._left == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.environment)
def test_a_server_killed_in_the_middle_of_a_stream_is_a_truncated_call(
    kind: Kind, models: Path, tmp_path: Path
) -> None:
    with running(kind, models, tmp_path / "server.log") as server, calling(server.url, server.model) as client:
        fifth = Once(5)

        def kill() -> None:
            if fifth():
                server.kill()

        cut = Conversation(client).ask(tokens=LONG_ANSWER, on_bytes=kill)
        after = Conversation(client).ask()
    assert (cut.outcome, cut.status) == (Outcome.TRUNCATED, 200)
    assert cut.message == "the connection closed in the middle of the answer"
    assert 0 < cut.output_tokens < LONG_ANSWER
    assert cut.judgement is not None
    assert not cut.judgement.silently_truncated
    assert (after.outcome, after.status) == (Outcome.REFUSED, None)


def test_a_wrong_model_name_is_refused_in_the_words_of_transformers(server: RealServer) -> None:
    with calling(server.url, "no-such-model") as client:
        record = Conversation(client).ask()
    if server.kind is LLAMA_CPP:  # with one model, it answers by whatever name it is called
        assert record.outcome is Outcome.OK
    else:
        assert (record.outcome, record.status) == (Outcome.HTTP_4XX, 400)
        assert record.message == "Server is pinned to 'tiny-llama'; requested 'no-such-model'."


def test_a_prompt_that_is_too_long_is_not_a_good_answer_of_llama_cpp(server: RealServer) -> None:
    records = []
    for stream in (True, False):  # llama_cpp closes the connection after the empty stream, so each has its own
        with calling(server.url, server.model, timeout_s=60.0) as client:
            records.append(Conversation(client).ask(TOO_LONG, stream=stream))
    streamed, whole = records
    if server.kind is TRANSFORMERS:  # it computes the answer all the same, beyond the context of the model
        assert (streamed.outcome, whole.outcome) == (Outcome.OK, Outcome.OK)
        return
    assert (streamed.outcome, streamed.status) == (Outcome.TRUNCATED, 200)
    assert streamed.message == "the stream ended without a finish reason"
    assert (whole.outcome, whole.status) == (Outcome.HTTP_4XX, 400)
    assert "maximum context length is 8192 tokens" in whole.message


def two_at_once(server: RealServer, tokens: int) -> tuple[CallRecord, CallRecord]:
    """A long call, and a short one that is sent while the long one streams."""
    with calling(server.url, server.model) as client:
        fifth = Once(5)
        second: list[gevent.Greenlet] = []

        def ask_too() -> None:
            if fifth():
                second.append(gevent.spawn(Conversation(client, "s-2").ask))

        first = Conversation(client).ask(tokens=tokens, on_bytes=ask_too)
        return first, second[0].get(timeout=60)


def test_a_stream_that_another_request_interrupts_is_truncated(models: Path, tmp_path: Path) -> None:
    """The default of `llama_cpp.server`: the running stream gets [DONE] without a finish reason, and the connection
    closes before the HTTP message is complete.
    """
    with running(LLAMA_CPP, models, tmp_path / "server.log") as server:
        first, second = two_at_once(server, LONG_ANSWER)
    assert (first.outcome, first.status) == (Outcome.TRUNCATED, 200)
    assert first.message == "the connection closed in the middle of the answer"
    assert first.answer is not None
    assert (first.answer.end_count, first.answer.finish_count) == (1, 0)
    assert 0 < first.output_tokens < LONG_ANSWER
    assert second.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("kind", "more"),
    [(TRANSFORMERS, ()), (LLAMA_CPP, ("--interrupt_requests", "false"))],
    ids=["transformers", "llama-cpp"],
)
def test_two_requests_at_once_are_both_answered(
    kind: Kind, more: tuple[str, ...], models: Path, tmp_path: Path
) -> None:
    with running(kind, models, tmp_path / "server.log", *more) as server:
        first, second = two_at_once(server, 8 * TOKENS)
    assert (first.outcome, second.outcome) == (Outcome.OK, Outcome.OK)
