"""Replay of recorded sessions.

recorded      a recorded session, whatever its format
claude_code   reader of the Claude Code sessions of kv-cache-tester
json_lines    the line of a place in JSON, for messages
shaping       options: fewer tokens, shorter pauses, fewer calls
agent         an agent that plays a recording
plan          from recordings to planned sessions
"""

from loadprofiles.replay.plan import TraceOptions, replay_sessions

__all__ = ["TraceOptions", "replay_sessions"]
