"""Names: no two recipes are asked for alike."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers import SOTO, write_csv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koki.book.naming import Titled, names_by_number, names_of
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes


def read(folder: Path, *rows: dict[str, str]) -> Sequence[Recipe]:
    """Recipes with nothing in common but what the rows say, so that none is the duplicate of another."""
    steps = (f"Aduk {hashlib.sha512(str(number).encode()).hexdigest()}." for number in range(len(rows)))
    unlike = [SOTO | {"Loves": "0", "Steps": text} | row for text, row in zip(steps, rows, strict=True)]
    return read_recipes(write_csv(folder / "r.csv", unlike))


def test_a_title_of_its_own_is_the_name(tmp_path: Path) -> None:
    (recipe,) = read(tmp_path, {})
    assert names_of([recipe]) == {recipe.id: "Soto Ayam"}


def test_the_best_loved_keeps_the_bare_title_and_the_other_is_told_by_what_it_has(tmp_path: Path) -> None:
    plain, loved = read(
        tmp_path,
        {"Ingredients": "1 ekor ayam--2 buah kentang--serai"},
        {"Ingredients": "1 ekor ayam--serai", "Loves": "9"},
    )
    names = names_of([plain, loved])
    assert names[loved.id] == "Soto Ayam"
    assert names[plain.id] == "Soto Ayam dengan kentang"


def test_what_makes_a_dish_tells_more_than_what_seasons_it(tmp_path: Path) -> None:
    plain, loved = read(
        tmp_path,
        {"Ingredients": "1 ekor ayam--serai--kemiri--2 buah kentang"},
        {"Ingredients": "1 ekor ayam--serai", "Loves": "9"},
    )
    assert names_of([plain, loved])[plain.id] == "Soto Ayam dengan kentang"


def test_one_that_has_nothing_of_its_own_is_told_by_what_it_does_without(tmp_path: Path) -> None:
    plain, loved = read(
        tmp_path, {"Ingredients": "1 ekor ayam--serai"}, {"Ingredients": "1 ekor ayam--serai--santan", "Loves": "9"}
    )
    assert names_of([plain, loved])[loved.id] == "Soto Ayam"
    assert names_of([plain, loved])[plain.id].startswith("Soto Ayam ")


def test_a_kind_of_what_the_best_loved_has_sets_nothing_apart(tmp_path: Path) -> None:
    plain, loved = read(
        tmp_path,
        {"Ingredients": "1 ekor ayam--2 butir telur ayam--kemiri"},
        {"Ingredients": "1 ekor ayam--2 butir telur", "Loves": "9"},
    )
    assert names_of([plain, loved])[plain.id] == "Soto Ayam dengan kemiri"


def test_a_dish_is_never_said_to_do_without_what_its_title_names(tmp_path: Path) -> None:
    rows = [{"Title": "Soto Santan", "Ingredients": f"1 ekor ayam{rest}"} for rest in ("", "--santan", "--santan")]
    recipes = read(tmp_path, rows[0], rows[1] | {"Loves": "9"}, rows[2] | {"Loves": "8"})
    assert not any("tanpa santan" in name for name in names_of(recipes).values())


def test_who_posted_a_dish_does_not_set_it_apart(tmp_path: Path) -> None:
    plain, loved = read(
        tmp_path,
        {"Title": "SOTO ayam by Linda", "Ingredients": "1 ekor ayam--kentang"},
        {"Title": "Soto Ayam", "Ingredients": "1 ekor ayam--serai", "Loves": "9"},
    )
    assert names_of([plain, loved])[plain.id] == "Soto ayam dengan kentang"


def test_spelling_variants_and_capitals_are_one_title(tmp_path: Path) -> None:
    recipes = read(tmp_path, {"Title": "Sambal Cabe"}, {"Title": "sambal cabai", "Ingredients": "cabai--tomat--terasi"})
    assert len({name.lower() for name in names_of(recipes).values()}) == 2
    assert sum(name.lower() in ("sambal cabe", "sambal cabai") for name in names_of(recipes).values()) == 1


def test_only_recipes_that_share_a_title_are_read_again(tmp_path: Path) -> None:
    recipes = read(tmp_path, {"Title": "Rawon"}, {}, {"Loves": "9"}, {"Title": "Gulai"})
    read_again = []

    class Watched(list[Recipe]):
        def __getitem__(self, number: Any) -> Any:
            read_again.append(number)
            return super().__getitem__(number)

    names = names_by_number(list(map(Titled.of, recipes)), Watched(recipes))
    assert names == [names_of(recipes)[recipe.id] for recipe in recipes]
    assert sorted(read_again) == [1, 2]


foods = st.lists(st.sampled_from(["ayam", "tahu", "kentang", "serai", "santan"]), min_size=2, max_size=3, unique=True)
titles = st.sampled_from(["Soto", "soto", "Soto dengan tahu", "SOTO", "Soto versi 2"])


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(titles, foods), min_size=1, max_size=12))
def test_names_differ_whatever_the_recipes(tmp_path: Path, rows: list[tuple[str, list[str]]]) -> None:
    recipes = read(tmp_path, *({"Title": title, "Ingredients": "--".join(items)} for title, items in rows))
    names = names_of(recipes)
    assert set(names) == {recipe.id for recipe in recipes}
    assert len({name.lower() for name in names.values()}) == len(recipes)
    assert names_of(recipes[::-1]) == names


def test_of_equally_common_ingredients_the_one_written_first_is_told_as_lacking(tmp_path: Path) -> None:
    every = "kentang--wortel--kol--buncis--tomat--jagung"
    rows = [{"Ingredients": f"1 ekor ayam--serai--{every}", "Loves": str(loves)} for loves in (9, 8, 7)]
    *_, bare = recipes = read(tmp_path, *rows, {"Ingredients": "1 ekor ayam--serai"})
    assert names_of(recipes)[bare.id] == "Soto Ayam tanpa kentang"
