"""The text of a prompt that was recorded as blocks: equal ids give equal text in all sessions of the load."""

from __future__ import annotations

from functools import lru_cache

from loadprofiles.draws import filler
from loadprofiles.replay.recorded import Blocks
from loadprofiles.replay.shaping import TraceOptions
from reports.shared.tokens import TOKEN_CHARS

__all__ = ["text_of_blocks"]


def text_of_blocks(blocks: Blocks, options: TraceOptions, text_scope: str, chars: int) -> str:
    """The first `chars` characters of the blocks, each divided by `shrink` like all token counts.

    Block k covers the tokens from k x size / shrink to (k + 1) x size / shrink, rounded. So a block's beginning and
    length depend only on its place, and prompts that begin with the same ids begin with the same text, within one
    `text_scope`.
    """
    parts: list[str] = []
    at = 0
    for k, block in enumerate(blocks.ids):
        end = round((k + 1) * blocks.size / options.shrink) * TOKEN_CHARS
        if at >= chars:
            break
        parts.append(_block_text(f"{text_scope}/{blocks.scope}", block, end - at))
        at = end
    if at < chars:
        key = f"replay/{text_scope}/{blocks.scope}/rest {blocks.ids[-1] if blocks.ids else ''}"
        parts.append(filler(key, chars - at))
    return "".join(parts)[:chars]


@lru_cache(maxsize=2048)
def _block_text(scope: str, block: int, chars: int) -> str:
    return filler(f"replay/{scope}/{block}", chars)
