"""Makes a tiny Llama with random weights as a GGUF file, for `llama_cpp.server`. Nothing is downloaded.

    python gguf_for_llama_cpp.py FILE

Runs in the server's own environment (`requirements-llama-cpp.txt`). The tokenizer has one token for each byte, and one
for each small letter and the space. The model writes those last ones only, so that an answer has the length that was
asked for.
"""

from __future__ import annotations

import string
import sys
from typing import Any

import gguf
import numpy as np

CONTEXT_TOKENS = 8192
LAYERS, WIDTH, INNER_WIDTH, HEADS, KV_HEADS = 2, 48, 96, 4, 2
HEAD_WIDTH = WIDTH // HEADS

UNKNOWN, BEGIN, END = 0, 1, 2
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
WRITTEN = ["\u2581", *string.ascii_lowercase]
"""What the model writes. In this kind of tokenizer, U+2581 stands for a space."""

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ': ' + (message['content'] or '') + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


def describe(writer: Any) -> None:
    """The sizes of the model."""
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER_WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)


def add_tokenizer(writer: Any) -> int:
    """The tokens, their kinds, and the chat template. Returns the number of tokens."""
    kind = gguf.TokenType
    tokens = ["<unk>", "<s>", "</s>", *BYTES, *WRITTEN]
    kinds = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL] + [kind.BYTE] * len(BYTES) + [kind.NORMAL] * len(WRITTEN)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_scores([0.0] * (len(tokens) - len(WRITTEN)) + [-1.0] * len(WRITTEN))
    writer.add_unk_token_id(UNKNOWN)
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT_TEMPLATE)
    return len(tokens)


def add_weights(writer: Any, tokens: int) -> None:
    """Random weights. Only the rows of what the model writes are not zero in the output."""
    random = np.random.default_rng(20)

    def drawn(*shape: int, scale: float = 0.2) -> Any:
        return (random.standard_normal(shape) * scale).astype(np.float32)

    ones = np.ones(WIDTH, dtype=np.float32)
    writer.add_tensor("token_embd.weight", drawn(tokens, WIDTH, scale=1.0))
    for layer in range(LAYERS):
        shapes = {
            "attn_q": (WIDTH, WIDTH),
            "attn_k": (KV_HEADS * HEAD_WIDTH, WIDTH),
            "attn_v": (KV_HEADS * HEAD_WIDTH, WIDTH),
            "attn_output": (WIDTH, WIDTH),
            "ffn_gate": (INNER_WIDTH, WIDTH),
            "ffn_up": (INNER_WIDTH, WIDTH),
            "ffn_down": (WIDTH, INNER_WIDTH),
        }
        for name, shape in shapes.items():
            writer.add_tensor(f"blk.{layer}.{name}.weight", drawn(*shape))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", ones)
    output = np.zeros((tokens, WIDTH), dtype=np.float32)
    output[-len(WRITTEN) :] = drawn(len(WRITTEN), WIDTH, scale=5.0)
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", output)


def main(file: str) -> None:
    """Writes the model into `file`."""
    writer: Any = gguf.GGUFWriter(file, "llama")
    describe(writer)
    add_weights(writer, add_tokenizer(writer))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
