"""The paths of the APIs, for code that must not import the client and its libraries."""

from __future__ import annotations

from typing import Final

__all__ = ["API_PATHS"]

API_PATHS: Final = {"openai": "/chat/completions", "anthropic": "/messages"}
"""The path after the base path, by the name of the API."""
