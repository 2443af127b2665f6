"""Which variation of which recipe comes when, and batches of them.

The order is a pure function of seed and epoch, so a run that goes on from step n sees what it would have seen.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import BatchSampler, Sampler

from koki.dialogue.conversation import KINDS
from koki.tokens.dataset import IGNORED, ConversationDataset, Example

# The least share of an epoch that is about the recipes: of a small collection, tips and refusals would be most of it.
_RECIPES_SHARE: Final = Fraction(7, 10)


_BESIDES: Final = (KINDS.index("tip"), KINDS.index("refusal"))


class _Hand(NamedTuple):
    """The conversations of a group in the order in which they are dealt.

    Attributes:
        memory, book: numbers of those that are answered from memory and from the book.
        draws: how many are dealt in each turn.
        share: of those from the book, in the mean of the turns.
        begun: the part of one from the book that counts as dealt before, so that not all groups begin alike.
    """

    memory: npt.NDArray[np.int64]
    book: npt.NDArray[np.int64]
    draws: int
    share: Fraction
    begun: Fraction

    def turn(self, number: int) -> npt.NDArray[np.int64]:
        """What is dealt in a turn, counted from 0; what has been dealt starts over."""
        (book, memory), (next_book, next_memory) = map(self._dealt_before, (number, number + 1))
        return np.concatenate(
            [
                self.memory[np.arange(memory, next_memory) % max(1, len(self.memory))],
                self.book[np.arange(book, next_book) % max(1, len(self.book))],
            ]
        )

    def _dealt_before(self, turn: int) -> tuple[int, int]:
        """How many from the book and from memory have been dealt before a turn."""
        book = int(turn * self.draws * self.share + self.begun)
        return book, turn * self.draws - book


class Drawn(NamedTuple):
    """A conversation's number, and the epoch that it was drawn for, counted from 0."""

    number: int
    epoch: int


class Seen(NamedTuple):
    """How often a recipe's conversations are drawn in a whole run: in the mean of the recipes, and the rarest."""

    mean: float
    least: float


class VariationSampler(Sampler[int]):
    """Conversation numbers of one epoch: all of them, or ``variations`` of each recipe, in seeded order.

    ``all`` are as many as are answered from memory. Of those that are drawn, ``book_share`` are answered from the book.

    With a number of variations, a recipe's conversations are dealt out epoch by epoch, every kind in its share, and
    start over when all have been dealt. So are those of a tip or a refusal (`_draws` says how many), unless they would
    take more of an epoch than is left beside the recipes: then an epoch has as many as there is room for, the next one
    goes on with the others, and so all of them have their turn.
    """

    def __init__(
        self, dataset: ConversationDataset, variations: int | Literal["all"], seed: int, book_share: float = 0.0
    ) -> None:
        self._seed = seed
        self.epoch = 0
        self._share = Fraction(book_share).limit_denominator(1000)
        recipes: list[_Hand] = []
        besides: list[_Hand] = []
        for group, (start, end) in enumerate(pairwise(dataset.group_starts.tolist())):
            if end > start:
                about_a_recipe = not np.isin(dataset.kinds[start:end], _BESIDES).all()
                (recipes if about_a_recipe else besides).append(self._hand(dataset, group, variations))
        self._recipes, self._besides = recipes, besides
        self._of_recipes = sum(hand.draws for hand in recipes)
        self._round = sum(hand.draws for hand in besides)
        room = int(self._of_recipes * (1 - _RECIPES_SHARE) / _RECIPES_SHARE)
        self._room = min(room, self._round) if recipes else self._round

    def _hand(self, dataset: ConversationDataset, group: int, variations: int | Literal["all"]) -> _Hand:
        start, end = dataset.group_starts[group : group + 2].tolist()
        kinds, is_read = dataset.kinds[start:end], dataset.read_pieces[start:end] > 0
        memory, book = np.flatnonzero(~is_read), np.flatnonzero(is_read)
        share = Fraction(0) if not len(book) else Fraction(1) if not len(memory) else self._share
        count = _draws(kinds[memory] if len(memory) else kinds, variations)
        # generators of two words and of five: the others below have three and four, so none shares another's stream
        memory = memory[_dealt(kinds[memory], np.random.default_rng([self._seed, group]))] + start
        book = book[_dealt(kinds[book], np.random.default_rng([self._seed, group, 1, 1, 1]))] + start
        return _Hand(memory, book, count, share, begun=group * share % 1)

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader at the start of each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self._of_recipes + self._room

    def seen(self, examples: int) -> Seen:
        """How often each recipe is seen among so many examples, of any number of epochs."""
        counts = [hand.draws for hand in self._recipes] or [0]
        epochs = examples / len(self)
        return Seen(epochs * sum(counts) / len(counts), epochs * min(counts))

    def __iter__(self) -> Iterator[int]:
        drawn = np.concatenate([*_turn(self._recipes, self.epoch), self._drawn_besides()])
        order = np.random.default_rng([self._seed, self.epoch, len(drawn)]).permutation(len(drawn))
        return iter(drawn[order].tolist())

    def _drawn_besides(self) -> npt.NDArray[np.int64]:
        """The next tips and refusals of a row without end, in which each round has its turn of all of them."""
        if not self._room:
            return np.empty(0, dtype=np.int64)
        first = self.epoch * self._room
        rounds = range(first // self._round, (first + self._room - 1) // self._round + 1)
        row = np.concatenate([self._round_besides(number) for number in rounds])
        start = first - rounds.start * self._round
        return row[start : start + self._room]

    def _round_besides(self, number: int) -> npt.NDArray[np.int64]:
        drawn = np.concatenate(_turn(self._besides, number))
        return np.random.default_rng([self._seed, number, len(drawn), 1]).permutation(drawn)


def _turn(hands: Iterable[_Hand], number: int) -> list[npt.NDArray[np.int64]]:
    """What each group deals in a turn, counted from 0."""
    return [hand.turn(number) for hand in hands]


def _draws(kinds: npt.NDArray[np.uint8], variations: int | Literal["all"]) -> int:
    """The number of conversations that a turn draws from a group.

    Of a tip it draws half, at least one: with more, a small model takes inquiries for questions about tips. Tips on
    dangers have most questions, so they are still seen most. Of a refusal it draws as many as of a recipe, and half of
    those that are asked in many ways: with one, a small model knew only half of the refusals.
    """
    if variations == "all":
        return len(kinds)
    half, as_of_a_recipe = len(kinds) // 2, min(len(kinds), variations)
    if (kinds == KINDS.index("tip")).all():
        return max(1, half)
    return max(half, as_of_a_recipe) if (kinds == KINDS.index("refusal")).all() else as_of_a_recipe


def _dealt(kinds: npt.NDArray[np.uint8], generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """An order in which every stretch holds each kind in about its share of the whole."""
    places = np.empty(len(kinds))
    for kind in range(len(KINDS)):
        members = np.flatnonzero(kinds == kind)
        places[generator.permutation(members)] = (np.arange(len(members)) + generator.random()) / max(1, len(members))
    return np.argsort(places, kind="stable")


class StepSampler(Sampler[list[Drawn]]):
    """One process's share of the conversations of each optimizer step, with the epoch that they are drawn for.

    The steps are the same for any number of processes. A step is dealt out by length, the longest conversation first,
    each to the process that has fewest tokens so far, so that none waits long for another. A share keeps the step's
    order and may be empty in the last step of an epoch.

    Args:
        order: has the conversation numbers of an epoch.
        conversations: the number in a step, of all processes together.
        lengths: tokens of each conversation, shape (conversations,).
        rank: the process whose share this is, counted from 0.
        world_size: the number of processes.
    """

    def __init__(
        self,
        order: VariationSampler,
        conversations: int,
        lengths: npt.NDArray[np.int64],
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self._steps = BatchSampler(order, conversations, drop_last=False)
        self.batch_size, self.drop_last, self.sampler = conversations, False, order
        self._lengths = lengths
        self._rank = rank
        self._world_size = world_size

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[list[Drawn]]:
        epoch = self.sampler.epoch
        for step in self._steps:
            yield [Drawn(number, epoch) for number in (step if self._world_size == 1 else self._share(step))]

    def _share(self, step: Sequence[int]) -> list[int]:
        dealt_to = self._deal(step)
        return [number for number, rank in zip(step, dealt_to, strict=True) if rank == self._rank]

    def _deal(self, step: Sequence[int]) -> npt.NDArray[np.int64]:
        """The rank of the process that each conversation goes to, shape (conversations of the step,)."""
        lengths = self._lengths[step]
        dealt_to = np.zeros(len(step), dtype=np.int64)
        tokens = np.zeros(self._world_size, dtype=np.int64)
        for place in np.argsort(-lengths, kind="stable"):
            dealt_to[place] = tokens.argmin()
            tokens[dealt_to[place]] += lengths[place]
        return dealt_to


class StepCollator:
    """Cuts the examples of one optimizer step into micro-batches without padding.

    A micro-batch is one row in which examples stand one after the other. The loss is divided by the supervised tokens
    of the whole step, so where the cuts fall changes nothing but the memory.

    Args:
        tokens_per_micro_batch: tokens that a row has at most; an example that is longer has a row of its own.
    """

    def __init__(self, tokens_per_micro_batch: int) -> None:
        self._most = tokens_per_micro_batch

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        """A dictionary whose ``micro_batches`` are rows as `row_of` makes them; no examples give no rows."""
        rows: list[list[Example]] = [[]] if examples else []
        room = self._most
        for example in examples:
            length = len(example["input_ids"])
            if rows[-1] and length > room:
                rows.append([])
                room = self._most
            rows[-1].append(example)
            room -= length
        return {"micro_batches": [row_of(row) for row in rows]}


def recut(micro_batches: Sequence[dict[str, Any]], tokens_per_micro_batch: int) -> list[dict[str, Any]]:
    """The examples of a step in other micro-batches, on the same device."""
    examples: list[Example] = []
    for batch in micro_batches:
        columns = {name: batch[name][0].cpu().split(batch["segment_lengths"]) for name in ("input_ids", "labels")}
        examples += [
            {"input_ids": ids.numpy(), "labels": labels.numpy()} for ids, labels in zip(*columns.values(), strict=True)
        ]
    device = micro_batches[0]["input_ids"].device
    return [
        {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in batch.items()}
        for batch in StepCollator(tokens_per_micro_batch)(examples)["micro_batches"]
    ]


def empty_row() -> dict[str, Any]:
    """A row of one token that teaches nothing, for a process that only keeps step with others."""
    return row_of([{"input_ids": np.zeros(1, dtype=np.int64), "labels": np.full(1, IGNORED)}])


def row_of(examples: Sequence[Example]) -> dict[str, Any]:
    """Examples one after the other.

    Returns:
        ``input_ids``, ``position_ids`` (from 0 in each example) and ``labels`` (none for an example's first token,
        which nothing predicts), each of shape (1, tokens), and ``segment_lengths``, the tokens of each example.
    """
    lengths = [len(example["input_ids"]) for example in examples]
    labels = np.concatenate([example["labels"] for example in examples])
    labels[np.cumsum([0, *lengths[:-1]])] = IGNORED
    columns = {
        "input_ids": np.concatenate([example["input_ids"] for example in examples]),
        "position_ids": np.concatenate([np.arange(length) for length in lengths]),
        "labels": labels,
    }
    return {
        **{name: torch.from_numpy(column)[None] for name, column in columns.items()},
        "segment_lengths": lengths,
    }
