"""What broke, and why: the reasons of a run in words, from its evidence.

failures      failed calls, grouped by their reason
reasons       why a call failed, as one line
causes        what a fault had to do with each lost session
slow_calls    good answers that came too late, by pool
words         parts of a report as one line of text
alert_words   the alerts of the user's monitoring as lines of text
sentence      one or two sentences for the whole run
"""
