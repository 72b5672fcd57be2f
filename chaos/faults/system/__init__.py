"""Faults of the user's own system, by commands of the user's.

exec   commands that inject, confirm, revert and verify
"""
