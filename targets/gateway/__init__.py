"""The reference gateway: pure policies and a router, and aiohttp around them.

    server       listens; both APIs, health, metrics            exchange   one request over all its attempts
    router       who gets an attempt, what an outcome means     policies/  one rule a file
    decisions    what the router is asked and answers           replica_state   what it knows of a replica
    openai_stream, anthropic_stream (on answer, sse)            an answer as its client sees it, migrations included
    attempts     tenacity's stop, wait and retry, as decided    watch, probing  deadlines; readiness
    incoming, headers, tracing, metrics, config

Below `exchange` and `server` only `attempts`, `watch`, `probing` and `tracing` know of a loop or a socket.
"""
