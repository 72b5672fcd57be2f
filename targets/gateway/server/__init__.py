"""The aiohttp shell of the gateway: sockets, tasks and timers around the pure router.

server             listens; both APIs, health, metrics, control port
context            what all requests of one gateway share
request            one client request over all its attempts
upstream_attempt   one attempt at one replica: connection, span, deadlines, result
hedge_race         two attempts race for the first token
admission_wait     waiting for admission, or the response with the refusal
retrying           tenacity's retry, stop and wait as the policies decided
failures           from a failed attempt to its outcome
deadlines          deadlines of all attempts, checked by one sweep
detached           requests that continue after their client disconnected
probing            readiness probes
scraping           load reports from the metrics of replicas
"""
