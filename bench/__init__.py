"""Benchmarks. Each is `python -m bench.NAME`, prints a table, and exits 1 if a figure exceeds its budget.

fidelity         the engine against published figures of real hardware
lateness         how late tokens leave a replica
loadgen          CPU per streamed call of the load generator, relative to a bare geventhttpclient loop
gameday          CPU of the server of a game day's pages with 30 viewers
gateway          CPU per streamed call and added gaps of the gateway, relative to a bare aiohttp relay
collector        memory and CPU of the runner's collector for 100,000 spans
readers          trace formats: lines per CPU second, memory
gameday_demo     a game day that plays itself: the real command, and people in headless browsers; pictures
demo             `lose-tpu-pool`: sessions, calls, times to load and to verdict, CPU and memory of every process
catalogue        experiments x stacks x seeds, resumable: does every gate fail on the naive stack only?
gateways         real gateways x experiments x seeds, resumable: what each does when a pool dies or streams are cut
spread           how far two equal runs of an experiment differ: the file for `--spread`
honesty          runs without a fault and planted regressions, resumable: can the verdicts be trusted?
gate_honesty     equal runs, live gates and planted regressions, resumable: can comparisons of gates be trusted?
gate_pictures    the pictures of gates for the documentation, from real runs, resumable
coverage         simulated runs of known truth, resumable: do intervals contain it, and do gates decide?
repeats          simulated runs of known truth, resumable: are gates over several runs, and looks, ever wrong?
change_points    false alarms of change points, and planted changes that are found, beside Apache Otava
placebo          runs without a fault, cut in two, resumable: does a boundary that means nothing change anything?
regressions      simulated comparisons of two sides, resumable: is what became worse found, and nothing else?
self_chaos       short runs of which a part is killed or stopped, resumable: is nothing left, and is the record true?
busy             multi-cloud and naive beside busy processes, resumable: is no verdict wrong on a busy machine?

gameday_child    `brownout gameday` in a process of its own, for `gameday_demo`
gameday_people   people at the pages of a game day: what they press, type and wait to see, for `gameday_demo`
scenarios        the scenario of `gameday_demo`
loadgen_kinds    the four kinds of client that `loadgen` compares
loadgen_stub     the server of `loadgen`
cells            results kept as JSON lines, and runs in parallel, for `catalogue`, `honesty` and `busy`
left_of_run      what is left of a run that has ended, for `self_chaos`
small_disk       a small file system, and what fills it
attacks          the attacks of `self_chaos`, and the exit codes that they may cause
busy_processes   processes that use all the CPU they can get
provenance       the commit and the machine of a stored result
synthetic        evidence of simulated runs whose truth is known, for `coverage` and `placebo`
tied             processes that end with the benchmark that started them
plants           the planted regressions of `honesty` and `gate_honesty`
gate_resampling  comparisons drawn from stored pairs of equal runs, and the bounds that hold, for `gate_honesty`
gate_tables      the findings and tables of `gate_honesty`
table            prints a Markdown table
"""
