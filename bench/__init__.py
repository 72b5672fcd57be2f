"""Benchmarks: each is `python -m bench.NAME`, prints a table, and exits 1 where a figure breaks its budget.

fidelity   the engine against published figures of real hardware
loadgen    CPU a streamed call, against a bare geventhttpclient loop
gateway    CPU a streamed call and added gaps, against a bare aiohttp relay
readers    traces: lines a CPU second, memory
demo       `lose-tpu-pool`: sessions, calls, times to load and to verdict, CPU and memory of every process
catalogue  experiments x stacks x seeds, resumable: does each gate bite?
honesty    pairs without a fault, and planted regressions, resumable: is the verdict to be believed?
"""
