"""Runs compared: a run with its twin, and several runs side by side.

paired         a run against its twin (same seed, no faults): differences with intervals paired by session
side_by_side   several runs from their report.json: gates x runs, measures x runs
cells          the values of a side-by-side comparison as text
"""
