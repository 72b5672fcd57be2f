"""Exercises with people: a fault is played, and those on call find it, say what it is, and act.

runbook           the page for the meeting before an experiment is played
scenario_runbook  that of a scenario
core/             the exercise as a pure state machine
scenario/         scenario files, and the plan of an exercise
server/           the HTTP server of the pages
pages/            what browsers get: HTML, CSS and JavaScript modules
live/             the exercise on a real stack
"""
