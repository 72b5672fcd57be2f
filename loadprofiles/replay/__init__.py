"""Replay of recorded sessions.

recorded      a recorded session, whatever its format
format        what a reader is
formats       the readers there are, and which one a file is for
claude_code   sessions of Claude Code, kv-cache-tester's form
mooncake      requests with the blocks of their prompts
azure         Azure's code completion and conversation
burstgpt      BurstGPT
tracelab      sessions of coding agents, with the times of their tools
lines         lines of a file in bounded memory; csv_rows: rows of CSV; json_lines: the line of a place in JSON
mistakes      what is wrong with a trace: the first in full, all by number
call_table    many calls in little memory
blocks        the text of prompts that share blocks
shaping       options: fewer tokens, shorter pauses, fewer calls
agent         an agent that plays a recording
plan          from recordings to planned sessions
"""

from loadprofiles.replay.formats import FORMATS, Trace, open_trace
from loadprofiles.replay.plan import TraceOptions, plan_trace, replay_sessions

__all__ = ["FORMATS", "Trace", "TraceOptions", "open_trace", "plan_trace", "replay_sessions"]
