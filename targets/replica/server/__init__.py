"""The process of a replica.

server           the ports, the pages, the drain: `ReplicaServer` and its life
config           its configuration
serving          one model request from its body to its last byte
request_log      one line for each request as it begins
served_request   what is recorded about one request
spans, metrics   the telemetry of requests and of the engine
control          the control port
"""
