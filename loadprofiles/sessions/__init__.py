"""The session model, and the sessions that a profile draws.

session           what an agent and its player exchange: calls, pauses, forks (protocol)
tool_results      the messages that answer an assistant's tool calls
conversation      sessions drawn from a profile
profile           a resolved profile (no pydantic)
profile_file      reads and checks profile files (pydantic)
resolve_profile   resolves a profile in a separate process
"""
