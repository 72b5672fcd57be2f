"""A fault from a command line: every kind with its options, and every way to write it wrongly."""

from __future__ import annotations

import shlex

import pytest

from chaos.by_hand.injection import Injection, injection, options_of, preview
from chaos.faults.catalogue import KINDS
from chaos.faults.world import EVERYWHERE, offers_of
from loadprofiles.sessions.profile_file import load_profile
from reports.shared.errors import UserError
from targets.stack import load_stack

STACK = load_stack("multi-cloud")
PROFILE = load_profile("tiered-ci")

LINES = {
    "kill": "kill --pool tpu --for 15s --cold-start 2s",
    "freeze": "freeze --replica tpu-0",
    "restart": "restart --cloud gcp --count one --grace 1s",
    "terminate": "terminate --pool tpu --notice 2s --for 10s",
    "flap": "flap --pool tpu --period 2s --duty 30%",
    "latency": "latency --pool tpu --delay 300ms --jitter 50ms --share 30%",
    "http_error": "http_error --pool tpu --status 429 --retry-after 2s --body 'busy: later'",
    "slow_headers": "slow_headers --pool tpu --delay 1s --tenant acme --tenant globex",
    "never_answer": "never_answer --pool tpu --share 0.5 --at-most 3",
    "malformed": "malformed --pool tpu --how json",
    "stall": "stall --pool tpu --after-tokens 6 --phase decode --for 4s",
    "cut": "cut --pool tpu --how rst --after-tokens=6 --header '{x-team: blue}'",
    "slow_tokens": "slow_tokens --pool tpu --factor 3",
    "trickle": "trickle --pool tpu --bytes 10 --every 20ms",
    "corrupt": "corrupt --pool tpu --how line",
    "error_event": "error_event --pool tpu --message null --model llama-3.3-70b",
    "duplicate": "duplicate --pool tpu --after-tokens 2",
    "wrong_answer": "wrong_answer --pool nvidia --pool tpu",
    "no_terminal": "no_terminal --pool tpu --after-requests 5",
    "slow_prefill": "slow_prefill --pool tpu --factor 2",
    "slow_decode": "slow_decode --factor 2.5 --count majority",
    "shrink_kv": "shrink_kv --pool tpu --lost 50%",
    "flush_cache": "flush_cache --pool tpu --every 5s",
    "shrink_batch": "shrink_batch --pool tpu --max-sequences 4",
    "preemption_storm": "preemption_storm --pool tpu --every 1s --sequences 2",
    "lying_health": "lying_health --pool tpu --how failing",
    "stale_metrics": "stale_metrics --pool tpu --how idle",
    "slow_scheduler": "slow_scheduler --delay 20ms",
    "stuck_config": "stuck_config --replicas tpu-0",
    "surge": "surge --factor 3 --for 20s",
    "heavy_tenant": "heavy_tenant --tenant acme --share 60%",
    "long_reasoning": "long_reasoning --factor 4 --share 20%",
    "retry_storm": "retry_storm --timeout 1s",
}


def inject(line: str, offers: object = EVERYWHERE) -> Injection:
    kind, *words = shlex.split(line)
    assert isinstance(offers, frozenset)
    return injection(kind, options_of(words), stack=STACK, profile=PROFILE, offers=offers, fault_id="h1", seed=7)


def error_of(line: str, offers: object = EVERYWHERE) -> str:
    with pytest.raises(UserError) as raised:
        inject(line, offers)
    return str(raised.value)


def test_every_kind_but_commands_has_a_line_here() -> None:
    assert set(KINDS) - {"exec"} == set(LINES)


@pytest.mark.parametrize("kind", LINES)
def test_each_kind_of_fault_is_made_from_a_line(kind: str) -> None:
    one = inject(LINES[kind])
    assert one.occurrence.spec.kind == kind
    assert one.occurrence.targets
    assert preview(one, 6).startswith(f"{kind} on {one.occurrence.targets[0]}")


def test_options_are_keys_with_dashes_and_repeated_ones_are_lists() -> None:
    assert options_of(["--after-tokens", "6", "--pool=tpu", "--pool", "nvidia", "--delay", "-5ms"]) == {
        "after_tokens": "6",
        "pool": ["tpu", "nvidia"],
        "delay": "-5ms",
    }


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["tpu"], '"tpu" is no option\n    write --tpu, or name what it is the value of: --pool tpu'),
        (["-p", "tpu"], '"-p" is no option'),
        (["--", "tpu"], '"--" is no option'),
        (["--pool"], "--pool has no value\n    write --pool VALUE"),
        (["--pool", "--for", "3s"], "--pool has no value"),
    ],
)
def test_words_that_are_no_options_are_named(words: list[str], text: str) -> None:
    with pytest.raises(UserError) as raised:
        options_of(words)
    assert text in str(raised.value)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("kil --pool tpu", 'there is no fault "kil"\n    did you mean "kill"?'),
        ("exec --inject x", "exec runs commands of yours"),
        ("kill --pool nope", 'no pool "nope"'),
        ("kill --replica tpu-9", "tpu-9"),
        ("kill --cloud moon", "moon"),
        ("kill --pool tpu --cloud aws", "no replica"),
        ("kill --count 99", "it is one of: all, majority, minority, one"),
        ("kill --for 0", "--for: must be more than 0 s"),
        ("kill --for -3s", "--for:"),
        ("kill --for x", '--for: "x" is not a duration'),
        ("kill --for 1s --for 2s", "--for:"),
        ("kill --at 3s", "there is no option --at"),
        ("latency --ms 50", "--delay is missing"),
        ("latency --ms 50", "there is no option --ms"),
        ("latency --pool tpu --delay -5ms", "--delay: a duration cannot be negative"),
        ("latency --delay 1s --share 130%", "--share"),
        ("latency --delay 1s --after-requests -1", "--after-requests"),
        ("cut --how sideways", "--how"),
        ("heavy_tenant --tenant hog", "--share is missing"),
        ("stuck_config --replicas nope", "nope"),
        ("shrink_batch --max-sequences 0", "--max-sequences"),
        ("kill --pool ''", 'no pool ""'),
    ],
)
def test_a_mistake_is_named_in_the_words_of_the_command_line(line: str, text: str) -> None:
    assert text in error_of(line)


def test_every_mistake_is_named_at_once() -> None:
    text = error_of("latency --ms 50 --share 130%")
    assert "--delay is missing" in text
    assert "--ms" in text
    assert "130%" in text


def test_a_kind_that_the_target_cannot_have_is_refused() -> None:
    offers = offers_of(own_replicas=True, own_gateway=False)
    assert "needs the reference gateway" in error_of("slow_scheduler --delay 20ms", offers)


def test_text_stays_text_also_where_yaml_would_not_leave_it() -> None:
    assert inject("error_event --pool tpu --message no").occurrence.spec.params()["message"] == "no"
    assert 'no tenant "7"' in error_of("slow_headers --pool tpu --delay 1s --tenant 7")


def test_the_option_for_is_how_long_the_fault_stays() -> None:
    one = inject("stall --pool tpu --after-tokens 6 --for 4s")
    assert (one.for_s, one.occurrence.spec.params()) == (4.0, {"after_tokens": 6})
    assert preview(one, 6).endswith(", for 4 s")


def test_a_preview_says_who_is_hit_and_until_when() -> None:
    assert preview(inject("kill --pool tpu"), 6) == "kill on tpu-0, tpu-1 (2 of 6 replicas), until brownout revert h1"
    text = preview(inject("latency --pool tpu --delay 300ms --share 30% --for 9"), 6)
    assert text == "latency on tpu-0, tpu-1 (2 of 6 replicas) (ms 300), 30% of the requests, for 9 s"
