from __future__ import annotations

from loadprofiles.client.answer import Answer
from loadprofiles.client.judge import Provability, expected_after_degradation, judge
from reports.shared.attributes import Outcome
from reports.shared.tokens import token_stream
from tests.support.answer_streams import PIECES, TOKENS, read_stream, stream_of
from tests.support.paths import ROOT
from tests.support.scripted_server import openai_events


def judged(
    answer: Answer, complete: bool = True, provable: bool | None = True
) -> tuple[Outcome, int | None, bool | None]:
    found = judge(answer, TOKENS, Provability(provable), message_complete=complete, stalled=False)
    return found.outcome, found.tokens_lost, found.silently_truncated


def test_a_complete_answer_needs_a_finish_reason_and_a_complete_message() -> None:
    assert judged(read_stream("openai", stream_of("openai"))) == (Outcome.OK, 0, False)
    assert judged(read_stream("openai", stream_of("openai")), complete=False)[0] is Outcome.TRUNCATED
    assert judged(read_stream("openai", stream_of("openai", done=False))) == (Outcome.OK, 0, False)
    assert judged(read_stream("openai", stream_of("openai", finish=None))) == (Outcome.TRUNCATED, 0, True)


def test_only_a_short_answer_that_seems_complete_is_silently_truncated() -> None:
    short = b"".join(openai_events(PIECES[:30]))
    assert judged(read_stream("openai", short)) == (Outcome.TRUNCATED, 10, True)
    assert judged(read_stream("openai", short), complete=False) == (Outcome.TRUNCATED, 0, False)
    assert judged(read_stream("openai", short), provable=False) == (Outcome.OK, None, None)


def test_unexpected_text_is_not_judged_until_an_answer_was_exact() -> None:
    prose = read_stream("openai", b"".join(openai_events(["The quick ", "brown fox"])))
    unknown = Provability(None)
    found = judge(prose, TOKENS, unknown, message_complete=True, stalled=False)
    assert (found.outcome, found.integrity, found.silently_truncated) == (Outcome.OK, None, None)
    exact = judge(read_stream("openai", stream_of("openai")), TOKENS, unknown, message_complete=True, stalled=False)
    assert exact.integrity is not None
    later = judge(prose, TOKENS, unknown, message_complete=True, stalled=False)
    assert later.outcome is Outcome.CORRUPT


def test_wrong_tokens_are_corrupt() -> None:
    other = token_stream("s-2/main#0", 20)
    pieces = [*PIECES[:20], *(other[i : i + 4] for i in range(0, 80, 4))]
    assert judged(read_stream("openai", b"".join(openai_events(pieces))))[0] is Outcome.CORRUPT


def test_expected_tokens_are_cut_to_the_reported_max_tokens() -> None:
    assert expected_after_degradation(TOKENS, "max_tokens=12; model=small") == TOKENS[:48]
    assert expected_after_degradation(TOKENS, "model=small") == TOKENS
    assert expected_after_degradation(TOKENS, None) == TOKENS


def test_a_missing_finish_reason_needs_no_proof_of_tokens() -> None:
    cut = read_stream("openai", b"".join(openai_events(["The quick "], finish=None)))
    assert judged(cut, provable=None) == (Outcome.TRUNCATED, None, True)
    assert judged(cut, complete=False, provable=None) == (Outcome.TRUNCATED, None, None)


def test_single_expected_tokens_in_prose_are_no_evidence() -> None:
    prose = " ".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
    unknown = Provability(None)
    for run in range(150):
        start = run * 997 % (len(prose) - 16_000)
        answer = Answer(text=prose[start : start + 16_000], finish="stop", finish_count=1, end_count=1)
        expected = token_stream(f"run-{run}/main#0", 4000)
        found = judge(answer, expected, unknown, message_complete=True, stalled=False)
        assert (found.outcome, found.integrity, found.tokens_lost) == (Outcome.OK, None, None)


def test_several_expected_tokens_one_after_another_are_evidence() -> None:
    damaged = read_stream("openai", b"".join(openai_events([*PIECES[:10], "xxxx", *PIECES[20:]])))
    found = judge(damaged, TOKENS, Provability(None), message_complete=True, stalled=False)
    assert (found.outcome, found.tokens_lost) == (Outcome.CORRUPT, 10)
    assert found.why == "the tokens are not the expected ones: 10 missing, 1 of another answer or out of place, of 40"


def test_arguments_that_are_no_json_are_corrupt_unless_the_limit_explains_it() -> None:
    for finish, outcome in (("tool_calls", Outcome.CORRUPT), ("length", Outcome.OK)):
        cut = read_stream("openai", b"".join(openai_events(["Hm "], arguments=['{"in', "put"], finish=finish)))
        assert judged(cut, provable=None)[0] is outcome


def test_the_reason_says_what_is_missing() -> None:
    short = read_stream("openai", b"".join(openai_events(PIECES[:30])))
    found = judge(short, TOKENS, Provability(True), message_complete=True, stalled=False)
    assert found.why == "the stream ended after 30 of 40 tokens as if it were complete"
    found = judge(short, TOKENS, Provability(True), message_complete=False, stalled=False)
    assert found.why == "the connection closed after 30 of 40 tokens"
