"""Reads the record of a run from its folder, without interpreting the spans.

reader     the record: experiment, phases, faults, process exits, counters, spans
entries    what it consists of, as objects
experiment_file  the experiment as it was played
gateway_cpu    samples of the CPU that a gateway that is not ours used
lines      the valid lines of events and counters; what cannot be read
spans      decodes span files: length-prefixed OTLP messages
gateway_statistics  what a real gateway said of its upstreams
requests   the line that a replica wrote as each request began
chunklog   decodes the chunk log of an attempt: arrival time and tokens of each chunk
alerts     the alerts of the user's monitoring
undo_facts  who undid each fault, and which ones the run has left
parquet    writes the spans as one table, spans.parquet
"""
