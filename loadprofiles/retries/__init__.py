"""The retry policies of real clients, one per file. Policies are pure objects; the SDKs' are tested against the SDKs.

policy          what a policy gets and returns (protocols)
backoff         what both SDKs share: which failures are retried, and after which delay
openai_sdk      the SDK openai 3.54.0
anthropic_sdk   the SDK anthropic 2.12.0
claude_code     Claude Code: ten retries, long delays
agent_loop      an agent that repeats calls that its SDK gave up on
aggressive      immediate retries, without limit
none            no retries
"""

from __future__ import annotations

from loadprofiles.retries.agent_loop import AgentLoop
from loadprofiles.retries.aggressive import Aggressive
from loadprofiles.retries.anthropic_sdk import AnthropicSDK
from loadprofiles.retries.claude_code import ClaudeCode
from loadprofiles.retries.none import NoRetries
from loadprofiles.retries.openai_sdk import OpenAISDK
from loadprofiles.retries.policy import CallRepeater, Decision, Failure, GiveUp, Retry, RetryPolicy

__all__ = ["POLICIES", "CallRepeater", "Decision", "Failure", "GiveUp", "Retry", "RetryPolicy"]

POLICIES: dict[str, RetryPolicy] = {
    "openai-sdk": OpenAISDK(),
    "anthropic-sdk": AnthropicSDK(),
    "claude-code": ClaudeCode(),
    "agent-loop": AgentLoop(),
    "aggressive": Aggressive(),
    "none": NoRetries(),
}
"""The policies by their names in a profile."""
