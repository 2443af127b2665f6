"""Which variation of which recipe comes when, and batches of them.

The order is a pure function of seed and epoch, so a run that goes on from step n sees what it would have seen.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import BatchSampler, Sampler

from koki.dialogue.conversation import KINDS
from koki.language import _
from koki.progress import stage
from koki.tokens.dataset import IGNORED, ConversationDataset, Example

# The least share of an epoch that is about the recipes: of a small collection, tips and refusals would be most of it.
_RECIPES_SHARE: Final = Fraction(7, 10)

_TIP: Final = KINDS.index("tip")
_REFUSAL: Final = KINDS.index("refusal")

# Groups whose order is kept from turn to turn: of a small data set all.
_KEPT: Final = 16_384

# Numbers of an array that are Python's at a time: all of them would take four times the memory of the array.
_AT_A_TIME: Final = 16_384


class _Hands:
    """The conversations of some groups, of which each turn deals some of each group; what has been dealt starts over.

    Of many groups only a few numbers are kept, and the order in which one is dealt is drawn anew in each turn.

    Args:
        groups: their numbers in the data set, shape (groups,). None of them is empty.
        draws: how many of each are dealt in a turn, shape (groups,).
        shares: of those the part that is answered from the book, in the mean of the turns, in units of one in
            ``whole``, shape (groups,).
    """

    def __init__(
        self,
        dataset: ConversationDataset,
        groups: npt.NDArray[np.int64],
        draws: npt.NDArray[np.int64],
        shares: npt.NDArray[np.int64],
        whole: int,
        seed: int,
    ) -> None:
        self.draws = draws
        self._kinds, self._read_pieces, self._starts = dataset.kinds, dataset.read_pieces, dataset.group_starts
        self._groups, self._shares, self._whole, self._seed = groups, shares, whole, seed
        self._order = lru_cache(_KEPT)(self._drawn_order)

    def deal(self, turn: int, into: npt.NDArray[np.int64]) -> None:
        """Deal what all groups deal in a turn, counted from 0, one group after the other, shape (sum of draws,)."""
        end = 0
        spans = (*self._dealt_before(turn), *self._dealt_before(turn + 1))
        with stage(_("Drawing conversations of recipes"), len(self._groups)) as advance:
            for group, memory, book, next_memory, next_book in zip(*map(_items, (self._groups, *spans)), strict=True):
                for is_read, first, last in ((False, memory, next_memory), (True, book, next_book)):
                    if first < last:
                        start, end = end, end + last - first
                        order = self._order(group, is_read)
                        into[start:end] = order[np.arange(first, last) % len(order)]
                advance(1)

    def _dealt_before(self, turn: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """How many of each group have been dealt before a turn, from memory and from the book."""
        # a part of one from the book counts as dealt at the start, so that not all groups begin alike
        begun = self._groups * self._shares % self._whole
        book = (turn * self.draws * self._shares + begun) // self._whole
        return turn * self.draws - book, book

    def _drawn_order(self, group: int, is_read: bool) -> npt.NDArray[np.int64]:
        """The conversations of a group from the book or from memory, in the order in which they are dealt."""
        start, end = self._starts[group], self._starts[group + 1]
        members = np.flatnonzero((self._read_pieces[start:end] > 0) == is_read)
        # generators of two words and of five: the others below have three and four, so none shares another's stream
        draw = np.random.default_rng([self._seed, group, 1, 1, 1] if is_read else [self._seed, group])
        order: npt.NDArray[np.int64] = start + members[_shuffled(self._kinds[start:end][members], draw)]
        return order


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
        share = Fraction(book_share).limit_denominator(1000)
        sizes = np.diff(dataset.group_starts)
        groups = np.flatnonzero(sizes)
        sizes, starts = sizes[groups], dataset.group_starts[groups]
        is_read, is_tip, is_refusal = dataset.read_pieces > 0, dataset.kinds == _TIP, dataset.kinds == _REFUSAL
        read = _counted(is_read, starts)
        shares = np.select([read == 0, read == sizes], [0, share.denominator], share.numerator)
        is_besides = _counted(is_tip | is_refusal, starts) == sizes
        # of a group of which nothing is answered from memory, what is answered from the book counts
        counts = ~is_read | np.repeat(read == sizes, sizes)
        counted, tips, refusals = (_counted(mask, starts) for mask in (counts, counts & is_tip, counts & is_refusal))
        draws = _draws(counted, tips, refusals, variations)
        self._recipes, self._besides = (
            _Hands(dataset, groups[these], draws[these], shares[these], share.denominator, seed)
            for these in (~is_besides, is_besides)
        )
        self._of_recipes, self._round = int(self._recipes.draws.sum()), int(self._besides.draws.sum())
        room = int(self._of_recipes * (1 - _RECIPES_SHARE) / _RECIPES_SHARE)
        self._room = min(room, self._round) if self._of_recipes else self._round

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader at the start of each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self._of_recipes + self._room

    def seen(self, examples: int) -> Seen:
        """How often each recipe is seen among so many examples, of any number of epochs."""
        draws = self._recipes.draws if self._of_recipes else np.zeros(1, dtype=np.int64)
        epochs = examples / len(self)
        return Seen(epochs * self._of_recipes / len(draws), epochs * int(draws.min()))

    def __iter__(self) -> Iterator[int]:
        drawn = np.empty(len(self), dtype=np.int64)
        self._recipes.deal(self.epoch, into=drawn[: self._of_recipes])
        drawn[self._of_recipes :] = self._drawn_besides()
        np.random.default_rng([self._seed, self.epoch, len(drawn)]).shuffle(drawn)
        return _items(drawn)

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
        drawn = np.empty(self._round, dtype=np.int64)
        self._besides.deal(number, into=drawn)
        np.random.default_rng([self._seed, number, len(drawn), 1]).shuffle(drawn)
        return drawn


def _items(numbers: npt.NDArray[np.int64]) -> Iterator[int]:
    """Those of an array, one after the other."""
    blocks = (numbers[start : start + _AT_A_TIME] for start in range(0, len(numbers), _AT_A_TIME))
    return chain.from_iterable(block.tolist() for block in blocks)


def _counted(mask: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many are true of each group, none of which is empty."""
    # numbers of four bytes, as a copy of the whole mask in them is made
    return np.add.reduceat(mask, starts, dtype=np.uint32).astype(np.int64)


def _draws(
    sizes: npt.NDArray[np.int64],
    tips: npt.NDArray[np.int64],
    refusals: npt.NDArray[np.int64],
    variations: int | Literal["all"],
) -> npt.NDArray[np.int64]:
    """The number of conversations that a turn draws from each group, of so many that count, tips and refusals of them.

    Of a tip it draws half, at least one: with more, a small model takes inquiries for questions about tips. Tips on
    dangers have most questions, so they are still seen most. Of a refusal it draws as many as of a recipe, and half of
    those that are asked in many ways: with one, a small model knew only half of the refusals.
    """
    if variations == "all":
        return sizes
    half, as_of_a_recipe = sizes // 2, np.minimum(sizes, variations)
    choices = [np.maximum(1, half), np.maximum(half, as_of_a_recipe)]
    return np.select([tips == sizes, refusals == sizes], choices, as_of_a_recipe)


def _shuffled(kinds: npt.NDArray[np.uint8], generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """An order in which every stretch holds each kind in about its share of the whole."""
    places = np.empty(len(kinds))
    for members, numbers in _by_kind(kinds.tobytes()):
        first = generator.random()  # of a kind that is not there too
        if len(members):
            places[generator.permutation(members)] = (numbers + first) / len(members)
    return np.argsort(places, kind="stable")


@lru_cache(maxsize=1024)
def _by_kind(kinds: bytes) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Of each kind the places that have it, and their numbers; most groups have the same kinds in the same places."""
    of_all = np.frombuffer(kinds, dtype=np.uint8)
    members = [np.flatnonzero(of_all == kind) for kind in range(len(KINDS))]
    return [(places, np.arange(len(places))) for places in members]


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
        lengths: npt.NDArray[np.integer[Any]],
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
