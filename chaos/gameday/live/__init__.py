"""A game day on a real stack: what stands between the pure exercise, the stack and the pages.

numbers   the numbers of the wall, from what the processes post
judging   causes, components and verdicts of `reports.gameday`, on one stack
fault_watch  tells the exercise which faults began, and why each ended
orders    carries out what the exercise orders, with the commands of chaos by hand
room      what the pages show and do
session   a game day from its first page to its last
"""
