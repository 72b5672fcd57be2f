"""Masks keys in text: configured secrets, and what looks like an API key. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["has_secret", "masked"]

_CERTAIN = (
    r"(?<=://)[^/\s@]+(?=@)"
    r"|(?<![\w-])(?:sk|pk|rk|gsk|xai)[-_][A-Za-z0-9_\-*.]{6,}"
    r"|\bhf_[A-Za-z0-9_\-]{12,}"
    r"|\bAIza[A-Za-z0-9_-]{10,}"
    r"|\b(?:gh[pousr]|github_pat|glpat|xox[abprs])[-_][A-Za-z0-9_-]{12,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|(?:(?<=PASSWORD=)|(?<=password=)|(?<=--password )|(?<=--token=)|(?<=--token )|(?<=--api-key=)|(?<=--api-key ))"
    r"[^\s\"',;&]{3,}"
    r"|(?<=\bBearer )[^\s\"',;]{6,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]+"
)
"""What is hardly anything else than a key or a password."""
_PERHAPS = (
    r"|\b(?:sk|pk|rk|gsk|xai)[-_][A-Za-z0-9_\-*.]{6,}"
    r"|\b(?:hf|api|key|token)[-_](?=[A-Za-z_\-]*\d)[A-Za-z0-9_\-]{12,}"
)
"""What may be a key, or the name of a container. To mask too much costs nothing; to refuse it would."""
_KEY = re.compile(_CERTAIN + _PERHAPS)
_SECRET = re.compile(_CERTAIN)
_MASK = "***"
_LEAST_SECRET = 4

_REFERENCE = re.compile(r"\$(?:\w+|\{\w+\})")
"""A variable of a shell, in place of a value."""
_OPENING = re.compile(r"\$\{\w+:?[-=+?]|\$\(\s*[\w./-]+")
"""The beginning of a variable with another value, or of a command of a shell: what follows may be a secret."""
_USER = re.compile(r"(?<=://)([^/\s@:]{0,16}):?@")
"""The user of a URL without a password."""


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with `***` in place of every secret, and of everything that looks like an API key."""
    for secret in sorted((s for s in secrets if len(s) >= _LEAST_SECRET), key=len, reverse=True):
        text = text.replace(secret, _MASK)
        for size in range(len(secret) - 1, _LEAST_SECRET - 1, -1):  # a text that was cut in the middle of the secret
            text = text.replace(secret[:size] + "...", _MASK + "...")
    return _KEY.sub(_MASK, text)


def has_secret(text: str) -> bool:
    """Whether the text contains what is certainly a key or a password, apart from references such as `$TOKEN`."""
    text = _USER.sub(r"\1 ", _OPENING.sub("", _REFERENCE.sub("", text)))
    return _SECRET.search(text) is not None
