"""A tokenizer, in llama.cpp's words."""

import json
from collections.abc import Iterator
from typing import Any, Final

from gguf import GGUFWriter, TokenType
from transformers import PreTrainedTokenizerBase

from koki.errors import ModelError
from koki.language import _
from koki.model.source import pad_id
from koki.tokens.template import QWEN2_SPLIT

_PRE_TYPE: Final = "qwen2"
"""llama.cpp's name for `QWEN2_SPLIT`."""


def add_vocabulary(writer: GGUFWriter, tokenizer: PreTrainedTokenizerBase, stop_id: int, size: int) -> None:
    """Say how texts become tokens, and which of them ends an answer.

    Args:
        size: entries of the model's embedding, some of which may have no token.

    Raises:
        ModelError: the tokenizer is not one of Qwen2's kind: llama.cpp would make other tokens than it.
    """
    description: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    _require_qwen2(description)
    texts, kinds = zip(*_entries(tokenizer, size), strict=True)
    merges = description["model"]["merges"]
    writer.add_tokenizer_model("gpt2")  # BPE over bytes
    writer.add_tokenizer_pre(_PRE_TYPE)
    writer.add_token_list(texts)
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    pad = pad_id(tokenizer, stop_id)
    writer.add_eos_token_id(stop_id)
    writer.add_pad_token_id(pad)
    # none is ever put in front; without an entry, llama.cpp takes a comma for it
    writer.add_bos_token_id(pad)
    writer.add_add_bos_token(False)


def _entries(tokenizer: PreTrainedTokenizerBase, size: int) -> Iterator[tuple[str, TokenType]]:
    """The text and the kind of each entry of the vocabulary."""
    text_of = {number: text for text, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    for number in range(size):
        if number not in text_of:
            yield f"[UNUSED{number}]", TokenType.UNUSED
        elif number in added:
            # Qwen2.5 does not call all of its own special, but no text shall become one
            is_control = added[number].special or text_of[number].startswith("<|")
            yield text_of[number], TokenType.CONTROL if is_control else TokenType.USER_DEFINED
        else:
            yield text_of[number], TokenType.NORMAL


def _require_qwen2(description: dict[str, Any]) -> None:
    model, cut = description["model"], json.dumps(description["pre_tokenizer"])
    normalizer = description["normalizer"] or {"type": "NFC"}
    if model["type"] != "BPE" or json.dumps(QWEN2_SPLIT) not in cut or normalizer != {"type": "NFC"}:
        raise ModelError(
            _("llama.cpp does not know the tokenizer of this base: it cuts texts in another way than Qwen2 and Qwen3."),
            _("Export whole weights instead: koki export merged"),
        )
