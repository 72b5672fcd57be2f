"""How late tokens are written to the socket, relative to the time at which the engine produced them.

    python -m bench.lateness [--streams 1 20 50]

One replica in this process, its callers in another. For comparison, a bare timer on the same event loop: if the machine
wakes processes late, every token is late. Exits 1 if more than 1 % of the tokens of the smallest load are over 3 ms
late while the bare timer is within that limit.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from bench.table import print_table
from brownout.children import python_words

LIMIT_MS = 3
LIMITS_MS = (1, 2, LIMIT_MS, 5, 10)
TOKENS = 100
CALLS_PER_STREAM = 3

CALLERS = """
import asyncio, sys, aiohttp

async def stream(session, url, index):
    for turn in range(int(sys.argv[3])):
        body = {"model": "m", "stream": True, "max_tokens": int(sys.argv[4]), "messages": [
            {"role": "user", "content": "x" * 2000 + f" [session bench-{index}/main turn {turn}]"}]}
        async with session.post(url + "/v1/chat/completions", json=body) as response:
            await response.read()

async def main():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(stream(session, sys.argv[1], index) for index in range(int(sys.argv[2]))))

asyncio.run(main())
"""


async def measure(streams: int) -> dict[str, Any]:
    """Lateness of the tokens of one replica with `streams` concurrent streams."""
    from targets.replica.server.config import ReplicaConfig
    from targets.replica.server.server import ReplicaServer

    server = ReplicaServer(ReplicaConfig(name="r-0", pool="r", model="m", hardware="llama-70b-h100x4"), "token")
    await server.start()
    try:
        command = python_words("-c", CALLERS, server.url, str(streams), str(CALLS_PER_STREAM), str(TOKENS))
        callers = await asyncio.create_subprocess_exec(*command)
        if await callers.wait() != 0:
            raise SystemExit("the callers failed")
        return dict(server.snapshot()["token_lateness_ms"])
    finally:
        await server.close()


async def bare_timer() -> dict[str, int]:
    """Lateness of a timer of an idle event loop: 300 ticks of 16 ms, in the replica's buckets."""
    bounds = ("1", "2", "3", "5", "10", "20", "50", "inf")
    found = dict.fromkeys(bounds, 0)
    loop = asyncio.get_running_loop()
    for _ in range(300):
        due = loop.time() + 0.016
        await asyncio.sleep(0.016)
        late_ms = (loop.time() - due) * 1000
        found[next(bound for bound in bounds if late_ms <= float(bound))] += 1
    return found


def within(buckets: dict[str, int], limit_ms: float) -> float:
    """The share of tokens at most `limit_ms` late."""
    return sum(n for bound, n in buckets.items() if float(bound) <= limit_ms) / max(1, sum(buckets.values()))


def main(argv: list[str]) -> int:
    """Print the shares. Returns 1 if the smallest load exceeds the limit, else 0."""
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 20, 50])
    options = parser.parse_args(argv)
    rows = []
    timer = uvloop.run(bare_timer())
    shares = {"bare timer": [within(timer, limit) for limit in LIMITS_MS]}
    rows.append(("bare timer", "300", *(f"{share:.2%}" for share in shares["bare timer"]), ""))
    for streams in sorted(options.streams):
        found = uvloop.run(measure(streams))
        name = f"{streams} streams"
        shares[name] = [within(found["buckets"], limit) for limit in LIMITS_MS]
        rows.append((name, str(found["count"]), *(f"{share:.2%}" for share in shares[name]), f"{found['max']:.1f}"))
    print_table(("", "tokens", *(f"<= {limit} ms" for limit in LIMITS_MS), "max, ms"), rows)
    at = LIMITS_MS.index(LIMIT_MS)
    timely = shares["bare timer"][at] >= 0.99
    if not timely:
        print("not judged: on this machine even the bare timer is too late")
    return 1 if timely and shares[f"{min(options.streams)} streams"][at] < 0.99 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
