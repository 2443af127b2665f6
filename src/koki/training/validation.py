"""Validation while a model trains: the loss of conversations that it does not learn from, and a few answers.

It changes nothing: no weight, no random number, no order of examples. The best checkpoint and an early stop follow from
the logged losses alone, which every checkpoint holds, so a resumed run decides alike.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from textwrap import indent, shorten
from typing import Any, Final, Self

import numpy as np
import torch
from peft import PeftModel
from peft.utils import load_peft_weights, set_peft_model_state_dict
from rich.console import Console
from rich.padding import Padding
from rich.text import Text
from torch import nn
from transformers import (
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from koki.config import EvaluationConfig, ResolvedConfig
from koki.dialogue.conversation import KINDS, Kind
from koki.language import _
from koki.runs.log import held_out_losses, is_out_of_patience, lowest, lowest_trained
from koki.tokens.batches import StepCollator
from koki.tokens.dataset import IGNORED, ConversationDataset
from koki.training.loss import Batch, supervised_tokens
from koki.training.sharding import is_sharded

# Conversations whose loss is measured, without a backward pass: the work of about four steps of eight.
MOST_CONVERSATIONS: Final = 100
# What is asked at each evaluation, and where its answer is cut off: a second or two for `mini` on a CPU.
SAMPLED_KINDS: Final[tuple[Kind, ...]] = ("standard", "recommendation", "inquiry")
SAMPLED_TOKENS: Final = 80
_SHOWN_CHARACTERS: Final = 280


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Conversations whose loss is measured, as the trainer takes them.

    Attributes:
        rows: see `koki.tokens.batches.row_of`.
        tokens: supervised ones.
        text_bytes: of the supervised text in UTF-8, control tokens left out.
    """

    rows: list[Batch]
    conversations: int
    tokens: int
    text_bytes: int

    @classmethod
    def of(cls, dataset: ConversationDataset, tokenizer: PreTrainedTokenizerBase, config: ResolvedConfig) -> Self:
        """Take up to `MOST_CONVERSATIONS` of a data set, every kind in turn, in rows as long as those trained on."""
        examples = [dataset[number] for number in islice(every_kind_in_turn(dataset, config.seed), MOST_CONVERSATIONS)]
        rows = StepCollator(config.training.tokens_per_micro_batch)(examples)["micro_batches"]
        supervised = (example["labels"][example["labels"] != IGNORED].tolist() for example in examples)
        texts = (
            str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
            for ids in supervised
        )
        return cls(
            rows,
            conversations=len(examples),
            tokens=sum(int(supervised_tokens(row)) for row in rows),
            text_bytes=sum(len(text.encode("utf-8")) for text in texts),
        )

    def metrics(self, nats: float) -> dict[str, float]:
        """The summed loss in transformers' names: a token's mean, and bits for each byte of text.

        The latter does not depend on how a tokenizer cuts the text, so models with other tokenizers compare.
        """
        return {"eval_loss": nats / self.tokens, "eval_bits_per_byte": nats / math.log(2) / self.text_bytes}


def every_kind_in_turn(dataset: ConversationDataset, seed: int) -> Iterator[int]:
    """The numbers of all conversations, in a seeded order in which the kinds take turns as long as they last."""
    order = np.random.default_rng([seed, len(dataset)]).permutation(len(dataset))
    hands = [order[dataset.kinds[order] == kind] for kind in range(len(KINDS))]
    for turn in range(max(map(len, hands))):
        yield from (int(hand[turn]) for hand in hands if turn < len(hand))


def sampled_questions(dataset: ConversationDataset, seed: int) -> list[str]:
    """A question of each of `SAMPLED_KINDS` that the data set has."""
    first = {dataset.kind(number): number for number in islice(every_kind_in_turn(dataset, seed), len(KINDS))}
    return [dataset.texts(first[kind])[0] for kind in SAMPLED_KINDS if kind in first]


def is_over(state: TrainerState, config: EvaluationConfig) -> bool:
    """Whether a run has had all its steps, or has stopped early."""
    losses = held_out_losses(state.log_history)
    return state.global_step >= state.max_steps or is_out_of_patience(losses, config.early_stopping_patience)


def restore_adapter(model: PeftModel, checkpoint: Path) -> None:
    """Give a model the adapter of one of its checkpoints."""
    set_peft_model_state_dict(model, load_peft_weights(str(checkpoint), device=str(model.device)))


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Use a model that is being trained without dropout and gradients, and leave random numbers as they were."""
    training = model.training
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices):
            yield
    finally:
        model.train(training)


class Validation(TrainerCallback):
    """Evaluates before the first step, every so many and after the last; keeps the best, and stops early, if asked to.

    Args:
        say: prints a line to the user.
    """

    def __init__(self, trainer: Trainer, config: EvaluationConfig, say: Callable[[str], None]) -> None:
        self._trainer = trainer
        self._config = config
        self._say = say

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any
    ) -> None:
        if state.global_step == 0:
            self._trainer.evaluate()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any) -> None:
        every = self._config.every_steps
        if every is not None and (state.global_step % every == 0 or state.global_step == state.max_steps):
            # a stop that was asked for waits: a checkpoint has the evaluation of its step, so no run misses one
            control.should_evaluate = True
            control.should_log = True  # the loss trained on beside the one held out, also where it stops early

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any) -> None:
        losses = held_out_losses(state.log_history)
        if not losses:
            return
        best, patience = lowest(losses), self._config.early_stopping_patience
        if self._config.load_best_model_at_end and lowest_trained(losses) == state.global_step:
            control.should_save = True
        if is_out_of_patience(losses, patience):
            self._say(
                _(
                    "after step {step}: the held-out loss was lowest at step {best} ({loss:.4f}), "
                    "evaluation.early_stopping_patience is {patience}",
                    step=state.global_step,
                    best=best,
                    loss=losses[best],
                    patience=patience,
                )
            )
            control.should_save = control.should_training_stop = True


class SampledAnswers(TrainerCallback):
    """The model's answers to the same questions at each evaluation, for people to watch it learn.

    Args:
        answer: asks the model in training.
        console: shows how the answers begin.
        write: takes a tag, a text in Markdown and a step: TensorBoard, which shows the answers as far as they go.
        say: prints a line to the user.
    """

    def __init__(
        self,
        questions: Sequence[str],
        answer: Callable[[Sequence[str]], Sequence[str]],
        console: Console,
        write: Callable[[str, str, int], None],
        say: Callable[[str], None],
    ) -> None:
        self._questions = questions
        self._answer = answer
        self._console = console
        self._write = write
        self._say = say

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        try:
            with undisturbed(given["model"]):
                answers = self._answer(self._questions)
        except Exception as error:  # whatever it is, it must not end the training
            if is_sharded(given["model"]):
                raise  # in which the others wait for this process's part of the base
            self._say(
                _(
                    "the model cannot be asked now: {kind}: {error}; training goes on",
                    kind=type(error).__name__,
                    error=error,
                )
            )
            return
        for number, (question, answer) in enumerate(zip(self._questions, answers, strict=True), start=1):
            self._console.print(Padding(Text(_in_short(question), style="bold"), (0, 0, 0, 2)))
            self._console.print(Padding(Text(_in_short(answer)), (0, 0, 0, 4)))
            self._write(f"answers/{number}", _as_it_is(question, answer), state.global_step)


def _as_it_is(*texts: str) -> str:
    """Texts in Markdown, which shows indented text letter by letter."""
    return "\n\n---\n\n".join(indent(text, "    ") for text in texts)


def _in_short(text: str) -> str:
    """The beginning of a text from outside, in one paragraph, without what a terminal would obey."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return shorten(printable, _SHOWN_CHARACTERS, placeholder=" ...") or "(nothing)"
