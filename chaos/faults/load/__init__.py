"""Faults of the load: more or different demand. They work with every target.

demand           what they share: an order to the load generators
surge            sessions at a multiple of the profile's rate
heavy_tenant     one tenant offers most of the sessions
long_reasoning   a share of the calls asks for many times the output
retry_storm      clients retry immediately and without limit
"""
