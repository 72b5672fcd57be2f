"""Makes a tiny Llama with random weights and its tokenizer, for `transformers serve`. Nothing is downloaded.

    python llama_for_transformers.py FOLDER

Runs in the server's own environment (`requirements-transformers.txt`). The tokenizer has one token for each byte. The
model writes small letters and spaces only, and never its end-of-text token, so that an answer has the length that was
asked for.
"""

from __future__ import annotations

import string
import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

BEGIN, END = "<|begin|>", "<|end|>"
ROLES = {role: f"<|{role}|>" for role in ("system", "user", "assistant", "tool")}
CONTEXT_TOKENS = 8192
CHAT_TEMPLATE = (
    BEGIN
    + "{%- for message in messages -%}<|{{ message['role'] }}|>{{ message['content'] or '' }}{%- endfor -%}"
    + "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"
)


def tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer without merges: every byte is a token, and every special word."""
    words = [BEGIN, END, *ROLES.values(), *sorted(pre_tokenizers.ByteLevel.alphabet())]
    core = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=END,
        additional_special_tokens=list(ROLES.values()),
        model_max_length=CONTEXT_TOKENS,
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def model(vocabulary: dict[str, int]) -> LlamaForCausalLM:
    """Two layers with random weights: always the same for the same library."""
    torch.manual_seed(20)
    made = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT_TOKENS,
            bos_token_id=vocabulary[BEGIN],
            eos_token_id=vocabulary[END],
            pad_token_id=vocabulary[END],
        )
    )
    space = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(" ")[0][0]
    written = {vocabulary[word] for word in (*string.ascii_lowercase, space)}
    made.generation_config = GenerationConfig(
        bos_token_id=vocabulary[BEGIN],
        eos_token_id=vocabulary[END],
        pad_token_id=vocabulary[END],
        suppress_tokens=sorted(set(vocabulary.values()) - written),
        do_sample=False,
    )
    return made


def main(folder: str) -> None:
    """Writes the model and its tokenizer into `folder`."""
    words = tokenizer()
    words.save_pretrained(folder)
    model(words.get_vocab()).save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1])
