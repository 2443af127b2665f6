"""Which variation of which recipe comes when, and batches of them.

The order is a pure function of seed and epoch, so a run that goes on from step n sees what it would have seen.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Sampler

from koki.dialogue.compose import KINDS
from koki.tokens.dataset import IGNORED, ConversationDataset, Example


class VariationSampler(Sampler[int]):
    """Conversation numbers of one epoch: all of them, or ``variations`` of each recipe, in seeded order.

    With a number, a recipe's conversations are dealt out epoch by epoch, every kind in its share, and start over
    when all have been dealt. A unit with fewer conversations than a full recipe (a tip) is dealt in proportion,
    at least one an epoch.

    Args:
        examples_per_step: micro-batch size times accumulation steps. The loss is divided by the tokens of the whole
            step, so the order within it changes nothing but the padding.
    """

    def __init__(
        self, dataset: ConversationDataset, variations: int | Literal["all"], seed: int, examples_per_step: int
    ) -> None:
        self._seed = seed
        self._lengths = dataset.lengths()
        self._examples_per_step = examples_per_step
        self._epoch = 0
        starts = dataset.unit_starts
        self._hands = [
            _dealt(dataset.kinds[start:end], np.random.default_rng([seed, unit])) + start
            for unit, (start, end) in enumerate(pairwise(starts.tolist()))
            if end > start
        ]
        fullest = max(len(hand) for hand in self._hands)
        self._draws = [
            len(hand) if variations == "all" else min(len(hand), max(1, round(variations * len(hand) / fullest)))
            for hand in self._hands
        ]

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader at the start of each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return sum(self._draws)

    def __iter__(self) -> Iterator[int]:
        drawn = np.concatenate(
            [
                hand[np.arange(self._epoch * count, (self._epoch + 1) * count) % len(hand)]
                for hand, count in zip(self._hands, self._draws, strict=True)
            ]
        )
        # the unit seeds above have two words, so this generator shares its stream with none of them
        order = np.random.default_rng([self._seed, self._epoch, len(drawn)]).permutation(len(drawn))
        return iter(self._sorted_within_steps(drawn[order]).tolist())

    def _sorted_within_steps(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The same examples in every optimizer step, those of like length next to each other: less padding."""
        steps = np.arange(len(numbers)) // self._examples_per_step
        return numbers[np.lexsort((self._lengths[numbers], steps))]


def _dealt(kinds: npt.NDArray[np.uint8], generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """An order in which every stretch holds each kind in about its share of the whole."""
    places = np.empty(len(kinds))
    for kind in range(len(KINDS)):
        members = np.flatnonzero(kinds == kind)
        places[generator.permutation(members)] = (np.arange(len(members)) + generator.random()) / max(1, len(members))
    return np.argsort(places, kind="stable")


class PaddingCollator:
    """Pads a micro-batch to its longest example.

    Returns ``input_ids``, ``attention_mask`` and ``labels``, each of shape (examples, longest).
    """

    def __init__(self, pad_token_id: int) -> None:
        self._pad_token_id = pad_token_id

    def __call__(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        shape = (len(examples), max(len(example["input_ids"]) for example in examples))
        input_ids = torch.full(shape, self._pad_token_id)
        attention_mask = torch.zeros(shape, dtype=torch.long)
        labels = torch.full(shape, IGNORED)
        for row, example in enumerate(examples):
            length = len(example["input_ids"])
            input_ids[row, :length] = torch.from_numpy(example["input_ids"])
            attention_mask[row, :length] = 1
            labels[row, :length] = torch.from_numpy(example["labels"])
        return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}
