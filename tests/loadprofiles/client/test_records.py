from __future__ import annotations

import pytest

from loadprofiles.client.answer import Answer
from loadprofiles.client.integrity import Integrity
from loadprofiles.client.judge import Judgement
from loadprofiles.client.records import CallRecord, ClientOptions, secrets_of
from loadprofiles.client.wire import Usage
from reports.shared.attributes import Outcome
from tests.support.client_calls import a_call


def test_the_repr_of_options_does_not_contain_the_key() -> None:
    assert "sk-very-secret" not in repr(ClientOptions("http://127.0.0.1:1", "m", api_key="sk-very-secret"))


def test_a_record_measures_from_the_send_of_the_call() -> None:
    answer = Answer(chunk_times_s=[10.5, 11.0, 12.0], chunk_tokens=[1, 1, 3])
    record = CallRecord(a_call(), scheduled_s=9.0, sent_s=10.0, ended_s=12.5, outcome=Outcome.OK, answer=answer)
    assert (record.ok, record.ttft_s, record.e2e_s, record.output_tokens) == (True, 0.5, 2.5, 5)
    assert record.tpot_s == pytest.approx((2.5 - 0.5) / 4)


def test_output_tokens_are_checked_ones_else_reported_ones_else_estimated() -> None:
    answer = Answer(chunk_times_s=[10.5], chunk_tokens=[3])
    record = CallRecord(a_call(), 9.0, 10.0, 12.5, answer=answer)
    assert (record.output_tokens, record.ok) == (3, False)
    answer.usage = Usage(output_tokens=7)
    assert record.output_tokens == 7
    record.judgement = Judgement(Outcome.OK, Integrity(20, 12), 0, False)
    assert record.output_tokens == 12


def test_a_record_without_an_answer_has_no_ttft_and_no_tokens() -> None:
    record = CallRecord(a_call(), 9.0, 10.0, 12.5)
    assert (record.ttft_s, record.tpot_s, record.output_tokens) == (None, None, 0)
    assert (record.result().ok, record.result().outcome) == (False, Outcome.ABANDONED)


def test_secrets_are_known_as_html_urls_and_json_write_them() -> None:
    options = ClientOptions("http://127.0.0.1:1", "m", headers=(("X-Token", "Bearer pw&+/ABCDEF=="),))
    assert {"pw&+/ABCDEF==", "pw&amp;+/ABCDEF==", "pw%26%2B%2FABCDEF%3D%3D"} <= set(secrets_of(options))
