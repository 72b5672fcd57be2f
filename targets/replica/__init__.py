"""A simulated replica: it serves the APIs of a real inference server, with the timing and KV memory of real hardware.

engine       the engine: pure, in exact time
delivery     the engine in real time, and each answer as it is sent
api          the APIs: requests in, answers out, in bytes
behaviours   the faults that it can carry out, on leases
server       the process: ports, requests, spans, metrics
"""
