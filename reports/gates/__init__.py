"""Gates: conditions on the measures of a run, their verdicts, and the verdict of the run.

grammar     parses the text of a gate
operators   the comparison operators, a plain dict
reach       what a gate can become, and what gates say about each other, before a run
judging     judges a gate: pass, fail or inconclusive
validity    checks that the run was a valid test: faults, load, machine, spans
verdict     the verdict of a run and its exit code
"""
