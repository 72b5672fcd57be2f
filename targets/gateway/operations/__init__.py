"""What an operator can change on a running gateway, as an on-call engineer does in an outage. No request is lost by it.

switches     named changes of the policies, a bounded set
settings     the operator's settings of one gateway: drained pools, shed tiers, switches, reserve pools that were added
"""
