"""Gates: conditions on the measures of a run, their verdicts, and the verdict of the run.

grammar        parses the text of a gate
operators      the comparison operators, a plain dict
judging        judges a gate: pass, fail or inconclusive
offered_load   whether the run, or a part of it, had any load
validity       checks that the run was a valid test: faults, load, machine, spans
dead_target    finds a target that died by itself during the run
verdict        the verdict of a run and its exit code
"""
