"""Gates: conditions on the measures of a run, their verdicts, and the verdict of the run.

grammar        parses the text of a gate
operators      the comparison operators, a plain dict
reach          what a gate can become, and what gates say about each other, before a run
decidability   the best interval that a gate can get from a planned load
judging        judges a gate: pass, fail or inconclusive
offered_load   whether the run, or a part of it, had any load
machine        whether the machine was fast enough for the run
suspicion      which verdicts a late machine may have caused
validity       checks that the run was a valid test: faults, load, machine, spans
dead_target    finds a target that died by itself during the run
carrying       finds a gateway that is not ours that cannot carry the load
verdict        the verdict of a run and its exit code
"""
