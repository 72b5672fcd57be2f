"""Faults of a replica's process: signals, ends and starts.

kill        SIGKILL without notice
freeze      SIGSTOP: the process exists but does not run
terminate   SIGTERM with notice, as when a cloud reclaims spot capacity
restart     SIGTERM with notice, then a cold start
flap        killed and started repeatedly: a crash loop
"""
