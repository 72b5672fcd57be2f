"""A game day in the record of its run: what was played, what people noticed, believed and did, and how fast.

causes     what an on-call engineer calls the cause of each kind of fault; the components that are right
judging    judges what people believed
"""
