"""Faults inside a replica: behaviours that it carries out itself, over its control port.

latency, slow_headers, never_answer, http_error, malformed   a request before its answer
stall, slow_tokens, trickle, cut, no_terminal                the flow of a stream
corrupt, duplicate, error_event, wrong_answer                the content of a stream
slow_prefill, slow_decode, shrink_batch, preemption_storm    the engine
shrink_kv, flush_cache                                       the KV cache
lying_health, stale_metrics                                  what the replica reports about itself
"""
