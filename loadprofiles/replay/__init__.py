"""Replay of recorded sessions: one reader per trace format, and playback.

recorded      a recorded session, independent of its format
format        what a reader is (protocol)
formats       the registry of formats, and recognition of a file's format
claude_code   reader: sessions of Claude Code, in the format of kv-cache-tester
mooncake      reader: Mooncake's requests, with the blocks of their prompts
azure         reader: Azure's code completion and conversation traces
burstgpt      reader: BurstGPT
tracelab      reader: TraceLab's sessions of coding agents, with tool times
lines         lines of a text file, in bounded memory
csv_rows      rows of a CSV file
json_lines    line numbers of places in JSON text
mistakes      collects the mistakes of a trace, in bounded memory
call_table    many recorded calls in little memory
blocks        the text of prompts that share blocks
shaping       options of a replay: fewer tokens, shorter pauses, fewer calls
agent         an agent that plays a recording
plan          planned sessions from recordings
"""

from loadprofiles.replay.formats import FORMATS, Trace, open_trace
from loadprofiles.replay.plan import TraceOptions, plan_trace, replay_sessions

__all__ = ["FORMATS", "Trace", "TraceOptions", "open_trace", "plan_trace", "replay_sessions"]
