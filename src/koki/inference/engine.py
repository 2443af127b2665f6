"""A finished run folder as a chef that answers."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from koki.config import ModelConfig
from koki.errors import RunError
from koki.model.base import find_base, load_base, load_tokenizer
from koki.model.device import detect_device
from koki.model.lora import load_adapter
from koki.tokens.template import ChatTemplate
from koki.training.metadata import METADATA_FILE


@dataclass(frozen=True, slots=True)
class Answer:
    """What the chef said.

    Attributes:
        stopped: the model ended the answer itself; False when it ran into the limit.
        tokens: of the answer, its stop token included.
        seconds: of generation.
    """

    question: str
    answer: str
    stopped: bool
    tokens: int
    seconds: float


class Chef:
    """Answers questions with a fine-tuned model; made by `Chef.load`."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, template: ChatTemplate) -> None:
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._template = template

    @classmethod
    def load(cls, run: Path) -> Self:
        """Load base and adapter of a finished run, the adapter merged into the base where the base is not quantised.

        Raises:
            RunError: the folder is not a finished run.
            ModelError: its base model cannot be loaded.
        """
        card = _read_card(run)
        config = ModelConfig.model_validate(
            {
                name.removeprefix("model."): value
                for name, value in card["settings"].items()
                if name.startswith("model.")
            }
        )
        tokenizer = load_tokenizer(str(run))
        template = ChatTemplate(tokenizer, card["system_prompt"])
        model: Any = load_adapter(load_base(find_base(config), config, detect_device("auto")), run, trainable=False)
        # one matrix instead of three a projection: answers come about twice as fast
        return cls(model if config.quantization else model.merge_and_unload(), tokenizer, template)

    def ask(self, question: str, *, max_new_tokens: int = 512, temperature: float = 0.0) -> Answer:
        """Answer one question.

        Args:
            question: any text; control tokens in it are text.
            max_new_tokens: where an answer that does not end is cut off.
            temperature: 0 is greedy; above 0 is drawn from torch's global generator.
        """
        started = time.perf_counter()
        prompt = torch.tensor([self._template.prompt(question.strip())], device=self._model.device)
        stop_ids = [self._template.stop_id]
        generation = GenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=temperature > 0,
            temperature=temperature if temperature > 0 else None,
            eos_token_id=stop_ids,
            pad_token_id=self._tokenizer.pad_token_id,
        )
        with torch.inference_mode():
            output = self._model.generate(prompt, attention_mask=torch.ones_like(prompt), generation_config=generation)
        ids = output[0, prompt.shape[1] :].tolist()
        return Answer(
            question=question,
            answer=str(self._tokenizer.decode(ids, skip_special_tokens=True)).strip(),
            stopped=bool(ids) and ids[-1] in stop_ids,
            tokens=len(ids),
            seconds=round(time.perf_counter() - started, 3),
        )


def _read_card(run: Path) -> dict[str, Any]:
    if not run.is_dir():
        raise RunError(f"There is no run folder {run}.", "`koki train --output DIR` makes one.")
    try:
        card: dict[str, Any] = json.loads((run / METADATA_FILE).read_text("utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"{run} is not a finished run: it has no {METADATA_FILE}.",
            "If training was interrupted, the same `koki train` command goes on and finishes it.",
        ) from None
    except (OSError, ValueError) as error:
        raise RunError(f"{run / METADATA_FILE} cannot be read: {error}.") from error
    return card
