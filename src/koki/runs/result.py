"""The result of a finished run, saved whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import GenerationConfig, PreTrainedTokenizerBase

from koki import files
from koki.model.lora import save_adapter
from koki.runs import checkpoints
from koki.runs.model_card import model_card
from koki.runs.names import METADATA, MODEL_CARD


def save_result(folder: Path, model: PeftModel, tokenizer: PreTrainedTokenizerBase, card: Mapping[str, Any]) -> None:
    """Save the adapter with all that is read beside it: written beside, flushed, then moved, the metadata last.

    A folder with metadata is therefore a finished run. A folder that was removed meanwhile is made again: what hours
    of training have made is worth more than the question where it went.

    Raises:
        OSError, RuntimeError, SafetensorError: it cannot be written (`checkpoints.WRITE_ERRORS`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with checkpoints.staging(folder) as staging:
        save_adapter(model, staging)
        tokenizer.save_pretrained(str(staging))
        generation_config(tokenizer).save_pretrained(str(staging))
        (staging / MODEL_CARD).write_text(model_card(dict(card)), "utf-8")
        files.flush_tree(staging)
        for file in sorted(staging.iterdir()):
            file.replace(folder / file.name)
    files.write_json(folder / METADATA, card)


def generation_config(tokenizer: PreTrainedTokenizerBase) -> GenerationConfig:
    """Greedy up to the stop token, as the chef answers, whatever the base advises."""
    return GenerationConfig(do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
