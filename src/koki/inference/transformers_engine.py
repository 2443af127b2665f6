"""The engine that runs a model with transformers and torch."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any, Final, Literal, Self, cast

import torch
from peft import PeftModel
from tokenizers import Tokenizer
from transformers import (
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

from koki.config import ModelConfig
from koki.inference.engine import Generated
from koki.inference.growing_answer import GrowingAnswer, endings_of
from koki.model.base import load_base
from koki.model.device import detect_device
from koki.model.lora import load_adapter
from koki.model.source import BaseSource, pad_id

# Answers that are generated side by side: more make `mini` hardly faster and need more memory.
_AT_ONCE: Final = 32


class TransformersEngine:
    """An `Engine` whose answers come in batches: those of a batch are yielded once the longest has ended.

    Args:
        model: on its device, alone or with an adapter; between answers it is as it was given.
        tokenizer: of the model.
        stop_id: the token that ends an answer.

    Raises:
        ModelError: the tokenizer has no token to spare for padding.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, stop_id: int) -> None:
        self._model: Any = model
        self._tokenizer: Tokenizer = tokenizer.backend_tokenizer
        self._pad_id = pad_id(tokenizer, stop_id)
        self._lock = RLock()  # `_answering` changes the model, which threads share
        self._endings = endings_of(self._tokenizer, stop_id)

    @classmethod
    def load(
        cls,
        source: BaseSource,
        config: ModelConfig,
        tokenizer: PreTrainedTokenizerBase,
        stop_id: int,
        *,
        adapter: Path | None = None,
        precision: Literal["auto", "best"] = "auto",
    ) -> Self:
        """Load a base onto the best device, alone or with an adapter.

        An adapter is merged into its base, unless the base is quantised.

        Args:
            adapter: the folder that the adapter lies in.
            precision: see `koki.model.device.detect_device`.

        Raises:
            ModelError: the base cannot be loaded.
            CheckpointError: the adapter is damaged or belongs to another base.
        """
        model: Any = load_base(source, config, detect_device(precision))
        if adapter is not None:
            model = load_adapter(model, adapter, trainable=False)
            if not config.quantization:
                # one matrix instead of three a projection: answers come about twice as fast
                model = model.merge_and_unload()
        return cls(model, tokenizer, stop_id)

    @property
    def name(self) -> str:
        """What it is called."""
        return "transformers"

    @property
    def context(self) -> int:
        """Tokens that the model reads: a prompt and its answer."""
        return int(self._model.config.max_position_embeddings)

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        temperature: float = 0.0,
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Generator[tuple[int, Generated], None, None]:
        """See `Engine.generate`. Random tokens are drawn from torch's global generator."""
        by_length = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
        for start in range(0, len(by_length), _AT_ONCE):
            batch = by_length[start : start + _AT_ONCE]
            rows = [
                GrowingAnswer(
                    self._tokenizer,
                    self._endings,
                    max_new_tokens=max_new_tokens,
                    room=self.context - len(prompts[number]),
                    on_text=partial(on_text, number) if on_text else None,
                    is_cancelled=partial(is_cancelled, number) if is_cancelled else None,
                )
                for number in batch
            ]
            # where nobody looks on, the tokens need not leave the device one by one
            criteria = StoppingCriteriaList([_EachToken(rows)] if on_text or is_cancelled else [])
            answers = self._generate_batch([prompts[number] for number in batch], rows, temperature, criteria)
            yield from zip(batch, answers, strict=True)

    def _generate_batch(
        self,
        prompts: Sequence[Sequence[int]],
        rows: Sequence[GrowingAnswer],
        temperature: float,
        criteria: StoppingCriteriaList,
    ) -> list[Generated]:
        """Answer prompts side by side, padded on the left to the longest."""
        started = time.perf_counter()
        shape = (len(prompts), max(map(len, prompts)))
        ids, mask = torch.full(shape, self._pad_id), torch.zeros(shape, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, -len(prompt) :] = torch.tensor(prompt)
            mask[row, -len(prompt) :] = 1
        device = self._model.device
        with self._lock, torch.inference_mode(), _answering(self._model):
            output = self._model.generate(
                ids.to(device),
                attention_mask=mask.to(device),
                generation_config=self._generation_config(max(row.limit for row in rows), temperature),
                stopping_criteria=criteria,
            )
        seconds = (time.perf_counter() - started) / len(prompts)
        for answer, tokens in zip(rows, output[:, shape[1] :].tolist(), strict=True):
            for token in tokens[len(answer.tokens) :]:
                answer.take(token)  # transformers goes on until each row has ended
        return [answer.generated(seconds) for answer in rows]

    def _generation_config(self, max_new_tokens: int, temperature: float) -> GenerationConfig:
        """Greedy, or drawn from the whole distribution at a temperature."""
        drawn = (
            {"do_sample": True, "temperature": float(temperature), "top_k": 0}
            if temperature > 0
            else {"do_sample": False}
        )
        return GenerationConfig(
            max_new_tokens=max_new_tokens,
            eos_token_id=list(self._endings),
            pad_token_id=self._pad_id,
            **drawn,
        )


@contextmanager
def _answering(model: PreTrainedModel) -> Iterator[None]:
    """Have a model answer without dropout and without what its base advises, and leave it as it was.

    Under Qwen2.5's penalty for repetition a recipe could not name an ingredient a second time, and greedy would not be
    greedy.
    """
    inner: Any = cast(PeftModel, model).get_base_model() if isinstance(model, PeftModel) else model
    advised, training = inner.generation_config, [module for module in model.modules() if module.training]
    inner.generation_config = GenerationConfig()
    model.eval()
    try:
        yield
    finally:
        inner.generation_config = advised
        for module in training:
            module.training = True


class _EachToken(StoppingCriteria):
    """Gives each row its token as soon as it is generated, and stops once no answer goes on."""

    def __init__(self, rows: Sequence[GrowingAnswer]) -> None:
        self._rows = rows

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: Any) -> torch.Tensor:  # noqa: ARG002
        """Called by transformers after each token of the batch.

        Args:
            input_ids: (rows, tokens so far), prompts and padding included.

        Returns:
            (rows,), True for each whose answer has ended.
        """
        for row, token in zip(self._rows, input_ids[:, -1].tolist(), strict=True):
            row.take(token)
        return torch.tensor([row.ended_by is not None for row in self._rows], device=input_ids.device)
