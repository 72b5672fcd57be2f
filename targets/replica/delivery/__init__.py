"""From the engine to the socket: the engine in real time, and each answer as it is sent.

driver      runs the engine in real time
job         one request in the engine, with its progress
histogram   counts by upper bound
stream      one answer on its way to the client, and what faults do to it
response    the HTTP framing of an answer that is written straight to the transport
pacing      slowed tokens and slowed bytes
"""
