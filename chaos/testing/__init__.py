"""For those who write a fault, a policy or an adapter of their own: what its tests need. Public.

memory_world     a target in memory, in which any call can be made to fail
memory_replica   one replica in memory: the real engine, behaviours and streams, without sockets
mock_clock       a clock that a test moves, and an event loop in virtual time

Nothing here imports a test framework.
"""
