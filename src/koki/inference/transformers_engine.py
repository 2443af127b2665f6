"""The engine that runs a model with transformers and torch."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Condition
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
from koki.inference.engine import GREEDY, Generated, Sampling
from koki.inference.growing_answer import GrowingAnswer, endings_of
from koki.model.base import load_base
from koki.model.device import detect_device
from koki.model.lora import load_adapter
from koki.model.source import BaseSource, pad_id

# Answers that are generated side by side: more make `mini` hardly faster and need more memory.
_AT_ONCE: Final = 32


class TransformersEngine:
    """An `Engine` whose answers come in batches: those of a batch are yielded once the longest has ended.

    What comes while a batch is answered waits for the next.

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
        self._changed = Condition()
        self._waiting: list[_Row] = []
        self._is_busy = False  # `_answering` changes the model, which threads share
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

    @property
    def at_once(self) -> int:
        """Answers that it generates side by side."""
        return _AT_ONCE

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Generator[tuple[int, Generated], None, None]:
        """See `Engine.generate`. Random tokens are drawn from torch's global generator, those of a seed from its own.

        What several threads ask meanwhile is answered in the next batch, by one of them for all.
        """
        rows = [
            _Row(
                number,
                prompt,
                GrowingAnswer(
                    self._tokenizer,
                    self._endings,
                    max_new_tokens=max_new_tokens,
                    room=self.context - len(prompt),
                    on_text=partial(on_text, number) if on_text else None,
                    is_cancelled=partial(is_cancelled, number) if is_cancelled else None,
                ),
                sampling,
                is_watched=bool(on_text or is_cancelled),
            )
            for number, prompt in enumerate(prompts)
        ]
        with self._changed:
            self._waiting += sorted(rows, key=lambda row: len(row.prompt))
        try:
            while rows:
                self._answer_some(rows)
                yield from [(row.number, row.generated()) for row in rows if row.is_over]
                rows = [row for row in rows if not row.is_over]
        finally:
            with self._changed:
                self._waiting = [row for row in self._waiting if row not in rows]

    def _answer_some(self, rows: "Sequence[_Row]") -> None:
        """Return once one of these rows is over; meanwhile answer batches, the oldest first, unless another does."""
        while batch := self._next_batch(rows):
            try:
                self._generate_batch(batch)
            except BaseException as error:
                for row in batch:  # of which perhaps none is of who answers
                    row.fail(error)
                if not isinstance(error, Exception):
                    raise
            finally:
                with self._changed:
                    self._is_busy = False
                    self._changed.notify_all()

    def _next_batch(self, rows: "Sequence[_Row]") -> "list[_Row]":
        with self._changed:
            self._changed.wait_for(lambda: not self._is_busy or any(row.is_over for row in rows))
            if any(row.is_over for row in rows):
                return []
            self._is_busy = True
            first, *others = self._waiting
            batch = [first, *(row for row in others if row.goes_with(first))][:_AT_ONCE]
            self._waiting = [row for row in self._waiting if row not in batch]
            return batch

    def _generate_batch(self, rows: "Sequence[_Row]") -> None:
        """Answer rows side by side, padded on the left to the longest."""
        started = time.perf_counter()
        shape = (len(rows), max(len(row.prompt) for row in rows))
        ids, mask = torch.full(shape, self._pad_id), torch.zeros(shape, dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, -len(row.prompt) :] = torch.tensor(row.prompt)
            mask[place, -len(row.prompt) :] = 1
        device, sampling = self._model.device, rows[0].sampling
        # where nobody looks on, the tokens need not leave the device one by one
        is_watched = any(row.is_watched for row in rows)
        with torch.inference_mode(), _answering(self._model), _seeded(sampling.seed, device):
            output = self._model.generate(
                ids.to(device),
                attention_mask=mask.to(device),
                generation_config=self._generation_config(max(row.answer.limit for row in rows), sampling),
                stopping_criteria=StoppingCriteriaList([_EachToken(rows)] if is_watched else []),
            )
        seconds = (time.perf_counter() - started) / len(rows)
        for row, tokens in zip(rows, output[:, shape[1] :].tolist(), strict=True):
            for token in tokens[len(row.answer.tokens) :]:
                row.take(token)  # transformers goes on until each row has ended
            row.seconds, row.is_over = seconds, True

    def _generation_config(self, max_new_tokens: int, sampling: Sampling) -> GenerationConfig:
        """Greedy, or drawn at a temperature."""
        drawn = (
            {"do_sample": True, "temperature": float(sampling.temperature), "top_p": sampling.top_p, "top_k": 0}
            if sampling.temperature > 0
            else {"do_sample": False}
        )
        return GenerationConfig(
            max_new_tokens=max_new_tokens,
            eos_token_id=list(self._endings),
            pad_token_id=self._pad_id,
            **drawn,
        )


class _Row:
    """A prompt on its way to an answer.

    Attributes:
        is_watched: somebody wants each token as soon as it is there.
        is_over: the answer is there, or why there is none.
        seconds: of generation.
    """

    def __init__(
        self, number: int, prompt: Sequence[int], answer: GrowingAnswer, sampling: Sampling, *, is_watched: bool
    ) -> None:
        self.number = number
        self.prompt = prompt
        self.answer = answer
        self.sampling = sampling
        self.is_watched = is_watched
        self.is_over = False
        self.seconds = 0.0
        self._error: BaseException | None = None

    def goes_with(self, other: "_Row") -> bool:
        """Whether one batch can answer both; what a seed draws depends on what is beside it."""
        return self.sampling == other.sampling and self.sampling.seed is None

    def take(self, token: int) -> bool:
        """Add a token, and say whether the answer has ended. Who asked may have failed to hear it: that ends it too."""
        try:
            if self._error is None:
                self.answer.take(token)
        except Exception as error:  # told in the thread that asked; the others of the batch go on
            self._error = error
        return self._error is not None or self.answer.ended_by is not None

    def fail(self, error: BaseException) -> None:
        """There will be no answer."""
        self._error, self.is_over = error, True

    def generated(self) -> Generated:
        """The answer, once it is over.

        Raises:
            BaseException: why there is none.
        """
        if self._error is not None:
            raise self._error
        return self.answer.generated(self.seconds)


@contextmanager
def _seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """Draw from a seed, and leave torch's generators as they were."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


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

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._rows = rows

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: Any) -> torch.Tensor:  # noqa: ARG002
        """Called by transformers after each token of the batch.

        Args:
            input_ids: (rows, tokens so far), prompts and padding included.

        Returns:
            (rows,), True for each whose answer has ended.
        """
        last = input_ids[:, -1].tolist()
        ended = [row.take(token) for row, token in zip(self._rows, last, strict=True)]
        return torch.tensor(ended, device=input_ids.device)
