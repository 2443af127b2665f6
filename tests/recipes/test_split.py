"""Which recipes are kept for validation: nothing leaks across, and added recipes move nobody they are not tied to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koki.recipes.ingredients import parse_ingredients
from koki.recipes.split import split
from koki.recipes.table import Recipe


def recipe(title: str, number: int = 0) -> Recipe:
    return Recipe(
        f"{title} {number}", title, parse_ingredients(["tempe"]), ("Goreng.",), None, None, None, "resep.csv", 2
    )


MANY = [recipe(f"Sayur {number}") for number in range(2000)]
TRAIN, VALIDATION = split(MANY, 0.5, [])


# ---------------------------------------------------------------------------------------------------------- the share


def test_every_recipe_goes_to_one_side_in_its_order() -> None:
    train, validation = split(MANY, 0.3, [])
    assert sorted(train + validation, key=MANY.index) == MANY
    assert train == sorted(train, key=MANY.index)
    assert validation == sorted(validation, key=MANY.index)


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.9])
def test_the_share_of_validation_is_about_the_fraction(fraction: float) -> None:
    _, validation = split(MANY, fraction, [])
    assert len(validation) / len(MANY) == pytest.approx(fraction, abs=0.03)


def test_a_fraction_of_0_trains_on_all_and_one_of_1_on_none() -> None:
    assert split(MANY, 0, []) == (MANY, [])
    assert split(MANY, 1, []) == ([], MANY)


def test_no_recipes_are_split_into_none() -> None:
    assert split([], 0.5, []) == ([], [])


def test_the_side_is_the_same_on_every_machine() -> None:
    """Known titles: a changed hash would move the recipes of every run there has been."""
    titles = ["Soto Ayam", "Rendang", "Tempe Orek", "Opor Ayam", "Sayur Asem", "Gulai Ikan", "Pepes Tahu", "Semur"]
    _, validation = split([recipe(title) for title in titles], 0.5, [])
    assert [it.title for it in validation] == ["Rendang", "Gulai Ikan", "Pepes Tahu"]


# ------------------------------------------------------------------------------------------------------- no leaks


@pytest.mark.parametrize("form", ["SOTO  AYAM {}!", "soto ayam {}", "Soto Ayam 😋 {}"])
def test_equal_titles_go_to_the_same_side_whatever_their_capitals_and_signs(form: str) -> None:
    for number in range(20):
        assert [] in split([recipe(f"Soto Ayam {number}"), recipe(form.format(number))], 0.5, [])


def test_titles_that_differ_in_spelling_only_go_to_the_same_side() -> None:
    for number in range(20):
        assert [] in split([recipe(f"Telor Cabe {number}"), recipe(f"Telur Cabai {number}")], 0.5, [])


def test_titles_without_latin_letters_are_told_apart() -> None:
    titles = [chr(0x4E00 + number) for number in range(100)]
    assert all(split([recipe(title) for title in titles], 0.5, []))


def test_near_duplicates_of_train_and_validation_all_train() -> None:
    assert split([TRAIN[0], VALIDATION[0], VALIDATION[1]], 0.5, [[0, 1]]) == (
        [TRAIN[0], VALIDATION[0]],
        [VALIDATION[1]],
    )


def test_near_duplicates_of_validation_stay_there() -> None:
    assert split(VALIDATION[:3], 0.5, [[0, 1]]) == ([], VALIDATION[:3])


def test_who_shares_a_title_with_a_near_duplicate_goes_with_it() -> None:
    namesake = recipe(VALIDATION[0].title, number=1)
    assert split([TRAIN[0], VALIDATION[0], namesake], 0.5, [[0, 1]])[1] == []


def test_ties_reach_from_group_to_group() -> None:
    chain = [*VALIDATION[:4], TRAIN[0]]
    assert split(chain, 0.5, [[0, 1], [1, 2], [2, 3]]) == (chain[4:], chain[:4])
    assert split(chain, 0.5, [[0, 1], [1, 2], [2, 3], [3, 4]]) == (chain, [])


# ------------------------------------------------------------------------------------------------------------- laws

DISHES = [
    recipe(title, number)
    for title in ("Soto", "Opor", "Gulai", "Semur", "Pepes", "Rawon", "Pecel", "Karedok", "Lodeh", "Urap")
    for number in range(3)
]
places = st.integers(0, len(DISHES) - 1)
near = st.lists(st.tuples(places, places), max_size=8)
"""Pairs of near-duplicates among `DISHES`."""
fractions = st.floats(0, 1)


def split_of(chosen: set[int], pairs: list[tuple[int, int]], fraction: float) -> tuple[set[str], set[str]]:
    """The ids on each side, where these dishes are all there is."""
    order = sorted(chosen)
    groups = [[order.index(one), order.index(other)] for one, other in pairs if {one, other} <= chosen]
    train, validation = split([DISHES[place] for place in order], fraction, groups)
    return {it.id for it in train}, {it.id for it in validation}


def ties(pairs: list[tuple[int, int]]) -> set[str]:
    """The titles of dishes that have a near-duplicate under another title."""
    return {DISHES[place].title for pair in pairs for place in pair if len({DISHES[it].title for it in pair}) > 1}


@given(st.sets(places), near, fractions)
def test_no_title_and_no_near_duplicate_is_on_both_sides(
    chosen: set[int], pairs: list[tuple[int, int]], fraction: float
) -> None:
    train, validation = split_of(chosen, pairs, fraction)
    titles = {it.id: it.title for it in DISHES}
    assert not {titles[it] for it in train} & {titles[it] for it in validation}
    for pair in pairs:
        if set(pair) <= chosen:
            ids = {DISHES[place].id for place in pair}
            assert ids <= train or ids <= validation


@settings(max_examples=300)
@given(st.sets(places), st.sets(places), near, fractions)
def test_added_recipes_never_take_one_from_train_to_validation(
    some: set[int], added: set[int], pairs: list[tuple[int, int]], fraction: float
) -> None:
    train, _ = split_of(some, pairs, fraction)
    _, validation_after = split_of(some | added, pairs, fraction)
    assert not train & validation_after


@settings(max_examples=300)
@given(st.sets(places), st.sets(places), near, fractions)
def test_added_recipes_move_none_whose_title_has_no_near_duplicate_under_another(
    some: set[int], added: set[int], pairs: list[tuple[int, int]], fraction: float
) -> None:
    _, validation = split_of(some, pairs, fraction)
    train_after, _ = split_of(some | added, pairs, fraction)
    tied = ties(pairs)
    assert not {it.id for it in DISHES if it.title not in tied} & validation & train_after


@given(st.sets(places), near, fractions, fractions)
def test_a_larger_fraction_takes_none_back_from_validation(
    chosen: set[int], pairs: list[tuple[int, int]], one: float, other: float
) -> None:
    _, smaller = split_of(chosen, pairs, min(one, other))
    _, larger = split_of(chosen, pairs, max(one, other))
    assert smaller <= larger


@given(st.permutations(range(len(DISHES))), fractions)
def test_the_order_of_the_recipes_changes_no_side(order: list[int], fraction: float) -> None:
    _, validation = split([DISHES[place] for place in order], fraction, [])
    assert {it.id for it in validation} == split_of(set(order), [], fraction)[1]


@given(st.text(max_size=20))
def test_no_title_raises(title: str) -> None:
    train, validation = split([recipe(title)], 0.5, [])
    assert train + validation == [recipe(title)]
