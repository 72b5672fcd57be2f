"""What real clients do when a call fails, exactly: the retries of real clients make the storm.

openai_sdk      openai 3.54.0
anthropic_sdk   anthropic 2.12.0
none            no retries

Policies are pure objects (`policy.RetryPolicy`), tested against the real clients.
"""

from __future__ import annotations

from loadprofiles.retries.anthropic_sdk import AnthropicSDK
from loadprofiles.retries.none import NoRetries
from loadprofiles.retries.openai_sdk import OpenAISDK
from loadprofiles.retries.policy import Decision, Failure, GiveUp, Retry, RetryPolicy

__all__ = ["POLICIES", "Decision", "Failure", "GiveUp", "Retry", "RetryPolicy"]

POLICIES: dict[str, RetryPolicy] = {
    "openai-sdk": OpenAISDK(),
    "anthropic-sdk": AnthropicSDK(),
    "none": NoRetries(),
}
"""Policies by the name that a profile gives."""
