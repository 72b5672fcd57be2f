"""A game day in the record of its run: what was played, what people noticed, believed and did, and how fast.

causes      what an on-call engineer calls the cause of each kind of fault; the components that are right
judging     judges what people believed
facts       the facts of an exercise, and the fields of their data
exercise    an exercise as what it had
periods     faults that overlap are one period; which faults a belief is about
reading     from facts to the exercise
in_record   the exercise of a record
words       times and ends as people read them
times       how fast people, the system and the alerts were
review      what everybody sees when it is over, from the facts alone
section     the part `exercise` of report.json
"""
