"""The engine of a replica: continuous batching in exact time, without a clock, I/O or randomness.

engine              the engine as its callers use it: requests and faults in, events out
scheduler           which requests are in the next step: queue, batch, preemption
decode_batch        the decoding requests, which advance in lockstep
scheduled_request   a request inside the engine
kv                  the paged KV cache
jump                a run of steps with an unchanged batch, in closed form
"""
