"""Runs compared: a run with its twin, and several runs side by side.

paired         a run against its twin (same seed, no faults): differences with intervals paired by session
side_by_side   several runs from their report.json: gates x runs, measures x runs
sides          the runs of one stack or folder against those of another, paired by seed
single_pair    one pair of runs, judged from their records
chance         whether a difference between runs is more than chance
spread         the stored spread of A/A pairs, by which a single pair is judged
conditions     what must be equal for measures of runs to be comparable
cells          the values of a side-by-side comparison as text
"""
