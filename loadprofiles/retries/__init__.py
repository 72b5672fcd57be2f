"""What real clients do when a call fails, exactly: the retries of real clients make the storm.

openai_sdk      openai 3.54.0
anthropic_sdk   anthropic 2.12.0
claude_code     ten retries, long waits
agent_loop      the SDK's retries, and the agent repeats what broke
aggressive      at once, without limit
none            no retries

Policies are pure objects (`policy.RetryPolicy`), tested against the real clients.
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
"""Policies by the name that a profile gives."""
