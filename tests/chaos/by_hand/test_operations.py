"""Operations: what each does to the gateway's state, what is refused, and how it is undone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.by_hand.operations import HandOperations
from chaos.faults.world import Unreachable
from reports.shared.errors import TargetFailed, UserError
from targets.gateway.config import Operations
from targets.gateway.operations.switches import SWITCHES, switched
from targets.stack import Pool, load_stack

STACK = load_stack("game-day")


class Fakes:
    """A gateway that keeps its state, and a reserve; `ready` lets its replicas be ready, `failing` fails them."""

    def __init__(self) -> None:
        self.sent: list[Operations] = []
        self.gateway_fails = False
        self.gone = False
        self.ready = asyncio.Event()
        self.ready.set()
        self.failing = False
        self.log: list[str] = []

    async def send(self, state: Operations) -> None:
        if self.gateway_fails:
            raise Unreachable("gateway does not answer")
        self.sent.append(state)

    async def start(self, pool: Pool, say: Callable[[str], None]) -> None:
        self.log.append(f"start {pool.name}")
        await self.ready.wait()
        if self.failing:
            raise TargetFailed("spare-0 has ended")

    async def stop(self, pool: Pool) -> None:
        self.log.append(f"stop {pool.name}")

    def operations(self, *, reserve: bool = True) -> HandOperations:
        return HandOperations(STACK, self.send, lambda: self.gone, self if reserve else None, clock=lambda: 10.0)


@pytest.fixture
async def fakes() -> Fakes:
    return Fakes()


def quiet(text: str) -> None:
    return None


async def done(at: HandOperations, operation: str, **arguments: str) -> str:
    return (await at.perform(operation, arguments, quiet))[1]


async def refused(at: HandOperations, operation: str, **arguments: str) -> str:
    with pytest.raises(UserError) as raised:
        await at.perform(operation, arguments, quiet)
    return str(raised.value)


async def test_the_gateway_gets_the_whole_state_after_each_change(fakes: Fakes) -> None:
    at = fakes.operations()
    assert await done(at, "drain", pool="tpu") == "pool tpu is drained: 2 of 6 replicas get no new calls"
    assert await done(at, "shed", tier="batch") == "tier batch is shed: its calls are refused (429)"
    assert await done(at, "switch", policy="retries: off") == "retries: off: failed calls are not retried"
    assert await done(at, "add_pool", pool="spare") == (
        "pool spare is added: 8 replicas instead of 6, ready after 45 s"
    )
    assert fakes.sent[-1] == Operations(("tpu",), ("batch",), ("retries: off",), ("spare",))
    assert [one["text"] for one in at.facts()] == [
        "pool tpu is drained",
        "tier batch is shed",
        "retries: off: failed calls are not retried",
        "pool spare is added",
    ]
    assert at.facts()[0] | {"since_s": 0.0} == {
        "n": 1,
        "operation": "drain",
        "arguments": {"pool": "tpu"},
        "text": "pool tpu is drained",
        "since_s": 0.0,
        "starting": False,
    }
    assert [replica.name for replica in at.stack_now().replicas][-2:] == ["spare-0", "spare-1"]
    for n in (1, 2, 3, 4):
        await at.undo(n, quiet)
    assert (fakes.sent[-1], at.facts(), fakes.log) == (Operations(), [], ["start spare", "stop spare"])


async def test_the_last_pool_may_be_drained_and_the_text_says_what_that_means(fakes: Fakes) -> None:
    at = fakes.operations()
    await done(at, "drain", pool="tpu")
    await done(at, "drain", pool="nvidia")
    assert "no replica is left" in at.preview("drain", {"pool": "trainium"})


async def test_a_switch_replaces_the_one_of_the_same_policy(fakes: Fakes) -> None:
    at = fakes.operations()
    await done(at, "switch", policy="balancing: p2c")
    await done(at, "switch", policy="ejection: on")
    await done(at, "switch", policy="balancing: least_outstanding")
    assert fakes.sent[-1].policies == ("ejection: on", "balancing: least_outstanding")
    assert [one["n"] for one in at.facts()] == [2, 3]
    await done(at, "switch", policy="ejection: off")
    assert [one["text"] for one in at.facts()][-1].startswith("ejection: off")


@pytest.mark.parametrize(
    ("operation", "arguments", "why"),
    [
        ("drain", {"pool": "xx"}, 'there is no pool "xx"\n    it is one of: nvidia, tpu, trainium'),
        ("drain", {"pool": "spare"}, "pool spare is in reserve: it gets no calls"),
        ("drain", {"replica": "tpu-0"}, "drain needs one argument: pool"),
        ("drain", {}, "drain needs one argument: pool"),
        ("shed", {"tier": "gold"}, 'there is no tier "gold"'),
        ("switch", {"policy": "retries: of"}, 'did you mean "retries: off"?'),
        ("switch", {"policy": "ejection: off"}, "ejection: off: the gateway works so already"),
        ("add_pool", {"pool": "tpu"}, 'there is no reserve pool "tpu"'),
        ("scale", {"pool": "tpu"}, 'there is no operation "scale"'),
    ],
)
async def test_what_is_not_possible_is_refused_and_changes_nothing(
    fakes: Fakes, operation: str, arguments: dict[str, str], why: str
) -> None:
    at = fakes.operations()
    assert why in await refused(at, operation, **arguments)
    assert (at.facts(), fakes.sent) == ([], [])
    with pytest.raises(UserError):
        at.preview(operation, arguments)


async def test_an_operation_in_force_is_not_done_twice(fakes: Fakes) -> None:
    at = fakes.operations()
    await done(at, "drain", pool="tpu")
    assert await refused(at, "drain", pool="tpu") == (
        "pool tpu is drained already (operation 1)\n    brownout operate undo 1"
    )
    with pytest.raises(UserError, match=r"no operation 7 is in force\n    in force: 1 \(pool tpu is drained\)"):
        await at.undo(7, quiet)


async def test_with_the_gateway_down_nothing_is_changed(fakes: Fakes) -> None:
    at = fakes.operations()
    await done(at, "drain", pool="tpu")
    fakes.gone = True
    assert await refused(at, "shed", tier="batch") == "the gateway is down\n    brownout restart gateway"
    fakes.gone, fakes.gateway_fails = False, True
    with pytest.raises(TargetFailed, match="gateway does not answer"):
        await at.perform("shed", {"tier": "batch"}, quiet)
    with pytest.raises(TargetFailed):
        await at.undo(1, quiet)
    assert [one["n"] for one in at.facts()] == [1]


async def test_a_pool_gets_calls_when_it_is_ready_and_others_may_act_meanwhile(fakes: Fakes) -> None:
    at = fakes.operations()
    fakes.ready.clear()
    adding = asyncio.create_task(at.perform("add_pool", {"pool": "spare"}, quiet))
    await asyncio.sleep(0)
    await done(at, "drain", pool="tpu")
    assert fakes.sent == [Operations(drained=("tpu",))]
    assert (at.facts()[0]["text"], at.facts()[0]["starting"]) == ("pool spare is starting", True)
    assert "is added already (operation 1)" in await refused(at, "add_pool", pool="spare")
    fakes.ready.set()
    await adding
    assert fakes.sent[-1] == Operations(drained=("tpu",), added=("spare",))


async def test_a_pool_that_is_starting_can_be_undone(fakes: Fakes) -> None:
    at = fakes.operations()
    fakes.ready.clear()
    adding = asyncio.create_task(at.perform("add_pool", {"pool": "spare"}, quiet))
    await asyncio.sleep(0)
    await at.undo(1, quiet)
    fakes.ready.set()
    with pytest.raises(UserError, match="was undone meanwhile"):
        await adding
    assert (at.facts(), fakes.sent) == ([], [])


async def test_a_pool_that_does_not_start_is_not_in_force_and_ends(fakes: Fakes) -> None:
    at = fakes.operations()
    fakes.failing = True
    with pytest.raises(TargetFailed, match="spare-0 has ended"):
        await at.perform("add_pool", {"pool": "spare"}, quiet)
    assert (at.facts(), fakes.log) == ([], ["start spare", "stop spare"])


async def test_a_pool_that_is_taken_away_is_not_drained_any_more(fakes: Fakes) -> None:
    at = fakes.operations()
    await done(at, "add_pool", pool="spare")
    await done(at, "drain", pool="spare")
    await at.undo(1, quiet)
    assert (at.facts(), fakes.sent[-1]) == ([], Operations())


async def test_without_reserve_processes_no_pool_can_be_added(fakes: Fakes) -> None:
    at = fakes.operations(reserve=False)
    assert "needs brownout up" in await refused(at, "add_pool", pool="spare")


CHOICES = [
    *(("drain", {"pool": pool}) for pool in ("nvidia", "tpu", "trainium", "spare")),
    *(("shed", {"tier": tier}) for tier in ("batch", "subscription")),
    *(("switch", {"policy": policy}) for policy in SWITCHES),
    ("add_pool", {"pool": "spare"}),
]


@given(steps=st.lists(st.one_of(st.sampled_from(CHOICES), st.integers(1, 8)), max_size=20))
@settings(max_examples=50, deadline=None)
def test_any_sequence_leaves_the_gateway_with_what_is_in_force(steps: list[tuple[str, dict[str, str]] | int]) -> None:
    async def play() -> None:
        fakes = Fakes()
        at = fakes.operations()
        for step in steps:
            try:
                if isinstance(step, int):
                    await at.undo(step, quiet)
                else:
                    await at.perform(*step, quiet)
            except UserError:
                pass
            assert (fakes.sent or [Operations()])[-1] == at.state()
            switched(STACK.gateway, at.state().policies)
        for one in sorted(at.in_force, reverse=True):
            if one in at.in_force:
                await at.undo(one, quiet)
        assert (fakes.sent or [Operations()])[-1] == Operations()

    asyncio.run(play())
