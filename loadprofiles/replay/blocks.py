"""The text of a prompt that was recorded as blocks: equal ids are equal text, in whichever session of the load."""

from __future__ import annotations

from functools import lru_cache

from loadprofiles.draws import filler
from loadprofiles.replay.recorded import Blocks
from loadprofiles.replay.shaping import TraceOptions
from reports.shared.tokens import TOKEN_CHARS

__all__ = ["blocks_text"]


def blocks_text(blocks: Blocks, options: TraceOptions, texts: str, chars: int) -> str:
    """The first `chars` characters of the blocks, each shrunk as all tokens are.

    Block k takes the tokens from k x size / shrink to (k + 1) x size / shrink, rounded: a block's beginning and length
    follow from its place alone, so prompts that begin with the same ids begin with the same text, for the same `texts`.
    """
    parts: list[str] = []
    at = 0
    for k, block in enumerate(blocks.ids):
        end = round((k + 1) * blocks.size / options.shrink) * TOKEN_CHARS
        if at >= chars:
            break
        parts.append(_block_text(f"{texts}/{blocks.scope}", block, end - at))
        at = end
    if at < chars:
        parts.append(filler(f"replay/{texts}/{blocks.scope}/rest {blocks.ids[-1] if blocks.ids else ''}", chars - at))
    return "".join(parts)[:chars]


@lru_cache(maxsize=2048)
def _block_text(scope: str, block: int, chars: int) -> str:
    return filler(f"replay/{scope}/{block}", chars)
