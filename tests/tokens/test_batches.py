"""Order: a pure function of seed and epoch; every kind in its share."""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from koki.dialogue.conversation import KINDS, Kind
from koki.tokens import batches
from koki.tokens.batches import Drawn, StepCollator, StepSampler, VariationSampler, recut
from koki.tokens.dataset import IGNORED, ConversationDataset, Example

COUNTS: dict[Kind, int] = {"standard": 5, "simple": 15, "recommendation": 10, "inquiry": 10}
RECIPES = 6


class Groups(ConversationDataset):
    """Six recipes of forty conversations, a tip and a refusal of two each: the sampler asks for nothing but these."""

    def __init__(self) -> None:
        kinds = [KINDS.index(kind) for kind, count in COUNTS.items() for _ in range(count)]
        few = [KINDS.index("tip")] * 2 + [KINDS.index("refusal")] * 2
        self.kinds = np.array(kinds * RECIPES + few, dtype=np.uint8)
        self.read_pieces = np.zeros(len(self.kinds), dtype=np.uint16)
        self.group_starts = np.array([*range(0, 40 * RECIPES + 1, 40), 40 * RECIPES + 2, 40 * RECIPES + 4])

    def __len__(self) -> int:
        return len(self.kinds)


def sampler_of(variations: int | Literal["all"], seed: int) -> VariationSampler:
    return VariationSampler(Groups(), variations, seed)


def epochs(sampler: VariationSampler, count: int) -> Iterator[list[int]]:
    for epoch in range(count):
        sampler.set_epoch(epoch)
        yield list(sampler)


def test_all_variations_are_seen_once_an_epoch_in_another_order_each_time() -> None:
    first, second = epochs(sampler_of("all", seed=1), 2)
    assert sorted(first) == sorted(second) == list(range(len(Groups())))
    assert first != second


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    later = sampler_of(7, seed=3)
    later.set_epoch(2)
    assert list(later) == list(epochs(sampler_of(7, seed=3), 3))[2]
    assert list(later) != list(epochs(sampler_of(7, seed=4), 3))[2]


@pytest.mark.parametrize("variations", [1, 4, 8, 39])
def test_each_epoch_draws_so_many_variations_of_each_recipe(variations: int) -> None:
    sampler = sampler_of(variations, seed=1)
    (drawn,) = epochs(sampler, 1)
    assert len(drawn) == len(set(drawn)) == len(sampler)
    per_recipe = Counter(number // 40 for number in drawn if number < 40 * RECIPES)
    assert per_recipe == dict.fromkeys(range(RECIPES), variations)


@pytest.mark.parametrize(("variations", "tips", "refusals"), [(1, 1, 1), (2, 1, 2), (100, 1, 2)])
def test_half_of_a_tip_is_drawn_and_a_refusal_as_a_recipe(variations: int, tips: int, refusals: int) -> None:
    (epoch,) = epochs(sampler_of(variations, seed=1), 1)
    kinds = Counter(KINDS[Groups().kinds[number]] for number in epoch)
    assert (kinds["tip"], kinds["refusal"]) == (tips, refusals)


def test_five_epochs_of_eight_see_every_variation_once() -> None:
    drawn = [number for epoch in epochs(sampler_of(8, seed=1), 5) for number in epoch]
    recipes = [number for number in drawn if number < 40 * RECIPES]
    assert sorted(recipes) == list(range(40 * RECIPES))


def test_each_draw_has_every_kind_in_about_its_share() -> None:
    for drawn in epochs(sampler_of(8, seed=1), 5):
        for recipe in range(RECIPES):
            kinds = Counter(KINDS[Groups().kinds[number]] for number in drawn if number // 40 == recipe)
            for kind, count in COUNTS.items():
                assert abs(kinds[kind] - 8 * count / 40) <= 1


def test_more_variations_than_a_recipe_has_draw_them_all() -> None:
    (drawn,) = epochs(sampler_of(100, seed=1), 1)
    assert sum(number < 40 * RECIPES for number in drawn) == 40 * RECIPES


class Collection(ConversationDataset):
    """Recipes of so many conversations each, 162 tips and 56 refusals, as many as ship."""

    def __init__(self, sizes: Sequence[int]) -> None:
        tips, refusals = [2 + number % 3 for number in range(162)], [2] * 56
        kinds = [KINDS.index("simple")] * sum(sizes) + [KINDS.index("tip")] * sum(tips)
        self.kinds = np.array(kinds + [KINDS.index("refusal")] * sum(refusals), dtype=np.uint8)
        self.read_pieces = np.zeros(len(self.kinds), dtype=np.uint16)
        self.group_starts = np.cumsum([0, *sizes, *tips, *refusals])

    def __len__(self) -> int:
        return len(self.kinds)


COLLECTIONS = st.lists(st.integers(1, 43), min_size=1, max_size=120).map(Collection)
VARIATIONS = st.one_of(st.just("all"), st.integers(1, 50))


@settings(deadline=None, max_examples=50)
@given(collection=COLLECTIONS, variations=VARIATIONS, epoch=st.integers(0, 30))
def test_seven_tenths_of_every_epoch_are_about_the_recipes(
    collection: Collection, variations: int | Literal["all"], epoch: int
) -> None:
    sampler = VariationSampler(collection, variations, seed=1)
    sampler.set_epoch(epoch)
    drawn = collection.kinds[list(sampler)]
    assert len(drawn) == len(sampler)
    assert (drawn == KINDS.index("simple")).mean() >= 0.7


@settings(deadline=None, max_examples=20)
@given(collection=COLLECTIONS, variations=VARIATIONS)
def test_tips_and_refusals_that_an_epoch_has_no_room_for_have_their_turn_in_the_next_ones(
    collection: Collection, variations: int | Literal["all"]
) -> None:
    sampler = VariationSampler(collection, variations, seed=1)
    drawn = np.array([number for epoch in epochs(sampler, 40) for number in epoch])
    refusals = drawn[collection.kinds[drawn] == KINDS.index("refusal")]
    times = np.bincount((refusals - collection.group_starts[-57]) // 2, minlength=56)
    assert times.max() - times.min() <= 2  # a round has two of each at most


LENGTHS = np.random.default_rng(1).integers(50, 512, len(Groups()))


def shares(conversations: int, processes: int) -> list[list[list[Drawn]]]:
    """Of each process, its share of each step of an epoch."""
    order = sampler_of("all", seed=1)
    return [list(StepSampler(order, conversations, LENGTHS, process, processes)) for process in range(processes)]


@settings(deadline=None, max_examples=30)
@given(conversations=st.integers(1, 40), processes=st.integers(1, 5))
def test_the_shares_of_all_processes_are_the_steps_of_one(conversations: int, processes: int) -> None:
    (whole,) = shares(conversations, 1)
    assert [number for step in whole for number, _ in step] == list(sampler_of("all", seed=1))
    for step, *parts in zip(whole, *shares(conversations, processes), strict=True):
        assert sorted(step) == sorted(number for part in parts for number in part)
        assert all(part == [number for number in step if number in part] for part in parts)


def test_how_often_a_recipe_is_seen_counts_its_conversations_in_all_epochs() -> None:
    sampler = VariationSampler(Collection([2, 40]), 8, seed=1)
    assert sampler.seen(3 * len(sampler)) == (3 * (2 + 8) / 2, 3 * 2)
    assert sampler.seen(len(sampler) // 2).least == pytest.approx(1.0, abs=0.1)


def test_a_step_says_which_epoch_its_conversations_are_drawn_for() -> None:
    order = sampler_of(2, seed=1)
    steps = StepSampler(order, 4, LENGTHS)
    order.set_epoch(3)
    assert {drawn.epoch for step in steps for drawn in step} == {3}


def test_the_shares_of_a_step_are_about_equally_long() -> None:
    for parts in zip(*shares(conversations=32, processes=4), strict=True):
        tokens = [LENGTHS[[number for number, _ in part]].sum() for part in parts]
        assert max(tokens) - min(tokens) <= LENGTHS.max()


def test_no_conversations_make_no_micro_batches() -> None:
    assert StepCollator(512)([]) == {"micro_batches": []}


def example(*ids: int) -> Example:
    return {"input_ids": np.array(ids), "labels": np.array([IGNORED, *ids[1:]])}


def test_examples_stand_in_one_row_each_with_positions_of_its_own() -> None:
    (row,) = StepCollator(8)([example(5, 6, 7), example(8, 9)])["micro_batches"]
    assert row["input_ids"].tolist() == [[5, 6, 7, 8, 9]]
    assert row["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert row["segment_lengths"] == [3, 2]
    assert all(row[name].dtype == torch.long for name in ("input_ids", "position_ids", "labels"))


def test_nothing_predicts_the_first_token_of_an_example() -> None:
    everything = {"input_ids": np.array([5, 6]), "labels": np.array([5, 6])}
    (row,) = StepCollator(8)([everything, everything])["micro_batches"]
    assert row["labels"].tolist() == [[IGNORED, 6, IGNORED, 6]]
    assert everything["labels"].tolist() == [5, 6]


@given(lengths=st.lists(st.integers(2, 12), min_size=1, max_size=20), most=st.integers(1, 30))
def test_micro_batches_keep_every_example_whole_and_within_the_limit(lengths: list[int], most: int) -> None:
    rows = StepCollator(most)([example(*range(length)) for length in lengths])["micro_batches"]
    assert [length for row in rows for length in row["segment_lengths"]] == lengths
    assert all(sum(row["segment_lengths"]) <= most or len(row["segment_lengths"]) == 1 for row in rows)


@given(lengths=st.lists(st.integers(2, 12), min_size=1, max_size=9), most=st.integers(1, 30))
def test_a_step_that_is_cut_anew_is_as_if_it_had_been_cut_so_at_once(lengths: list[int], most: int) -> None:
    examples = [example(*range(length)) for length in lengths]
    again = recut(StepCollator(40)(examples)["micro_batches"], most)
    for ours, expected in zip(again, StepCollator(most)(examples)["micro_batches"], strict=True):
        assert ours["segment_lengths"] == expected["segment_lengths"]
        assert all(torch.equal(ours[name], expected[name]) for name in ("input_ids", "position_ids", "labels"))


class OpenBook(Groups):
    """The same, with forty conversations of each recipe that are answered from the book behind the forty others."""

    def __init__(self) -> None:
        super().__init__()
        of_recipes = self.kinds[: 40 * RECIPES].reshape(RECIPES, 40)
        self.kinds = np.concatenate([np.hstack([of_recipes, of_recipes]).ravel(), self.kinds[40 * RECIPES :]])
        is_read = np.hstack([np.zeros((RECIPES, 40)), np.ones((RECIPES, 40))]).ravel()
        self.read_pieces = np.concatenate([is_read, np.zeros(4)]).astype(np.uint16)
        self.group_starts = np.array([*range(0, 80 * RECIPES + 1, 80), 80 * RECIPES + 2, 80 * RECIPES + 4])


@pytest.mark.parametrize("variations", ["all", 1, 4, 7])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_so_large_a_share_of_what_is_drawn_about_recipes_is_answered_from_the_book(
    variations: int | Literal["all"], share: float
) -> None:
    dataset = OpenBook()
    drawn = [n for epoch in epochs(VariationSampler(dataset, variations, 1, share), 20) for n in epoch]
    about_recipes = np.array([number for number in drawn if number < 80 * RECIPES])
    assert (dataset.read_pieces[about_recipes] > 0).mean() == pytest.approx(share, abs=0.02)


def test_an_epoch_with_a_book_has_as_many_conversations_as_one_without() -> None:
    lengths = {share: len(VariationSampler(OpenBook(), "all", 1, share)) for share in (0.0, 0.3, 1.0)}
    assert set(lengths.values()) == {len(Groups())}


def test_without_a_share_nothing_is_drawn_from_the_book() -> None:
    dataset = OpenBook()
    (drawn,) = epochs(VariationSampler(dataset, "all", 1), 1)
    assert not dataset.read_pieces[drawn].any()


def test_all_that_is_answered_from_the_book_has_its_turn_before_any_of_it_comes_again() -> None:
    dataset = OpenBook()
    counts: Counter[int] = Counter()
    for epoch in epochs(VariationSampler(dataset, 4, 1, 0.5), 20):
        counts.update(number for number in epoch if dataset.read_pieces[number])
    assert set(counts.values()) == {1}
    assert len(counts) == 40 * RECIPES


@pytest.mark.parametrize(
    ("variations", "share", "drawn"),
    [("all", 0.0, 3098808253), ("all", 0.3, 2677281102), (7, 0.5, 820977706), (4, 1.0, 3618928127)],
)
def test_the_order_is_that_of_earlier_versions_so_that_their_runs_go_on_as_they_began(
    variations: int | Literal["all"], share: float, drawn: int
) -> None:
    order = [number for epoch in epochs(VariationSampler(OpenBook(), variations, 42, share), 3) for number in epoch]
    assert zlib.crc32(np.array(order, dtype="<i8").tobytes()) == drawn


def test_the_order_is_the_same_where_there_are_too_many_groups_to_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = list(epochs(VariationSampler(OpenBook(), 7, 42, 0.5), 4))
    monkeypatch.setattr(batches, "_KEPT", 2)
    assert list(epochs(VariationSampler(OpenBook(), 7, 42, 0.5), 4)) == kept


def test_groups_without_conversations_are_passed_over() -> None:
    dataset = Groups()
    dataset.group_starts = np.sort(np.concatenate([dataset.group_starts, [0, 80, 80, len(dataset)]]))
    (drawn,) = epochs(VariationSampler(dataset, "all", 1), 1)
    assert sorted(drawn) == list(range(len(dataset)))


def test_no_groups_have_an_empty_epoch() -> None:
    dataset = Groups()
    dataset.kinds, dataset.read_pieces = dataset.kinds[:0], dataset.read_pieces[:0]
    dataset.group_starts = np.zeros(1, dtype=np.int64)
    assert list(VariationSampler(dataset, "all", 1)) == []
