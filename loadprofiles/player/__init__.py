"""Plays planned sessions in greenlets, inside a Locust process.

load_config      the configuration of a load
load             what a played session needs of its load (protocol)
player           plays a load: start, order, hold, drain, stop
played_session   plays one session
session_queue    planned sessions, queued when they come due
counters         the counts that the load generator posts
locust_host      runs a player in each Locust process
"""
