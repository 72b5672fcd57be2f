"""`slow_prefill`: prefill takes longer."""

from __future__ import annotations

from targets.replica.server.server import ReplicaServer
from tests.support.replica_harness import chat, control, engine_seconds, marked, post, put


async def test_prefill_takes_the_factor_times_as_long_in_engine_time(replica: ReplicaServer) -> None:
    async def prefill_s(turn: int) -> float:
        before_s = engine_seconds(replica, "prefill")
        text = marked(f"{turn} " * 4000, turn=turn)
        assert (await post(replica, chat(text, max_tokens=1)))[0] == 200
        return engine_seconds(replica, "prefill") - before_s

    normal_s = await prefill_s(1)
    await put(replica, "f1", "slow_prefill", params={"factor": 5})
    slow_s = await prefill_s(2)
    await control(replica, "DELETE", "/behaviours/f1")
    after_s = await prefill_s(3)
    assert 4.5 * normal_s < slow_s < 5.5 * normal_s
    assert after_s < 1.2 * normal_s
    assert replica.snapshot()["hits"] == {"f1": 1}
