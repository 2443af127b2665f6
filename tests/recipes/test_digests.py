"""Which recipes are others than those that a run was trained on, told from short digests."""

import random
from dataclasses import replace
from pathlib import Path

from helpers import ORAK, SOTO, TELUR, write_csv
from hypothesis import given
from hypothesis import strategies as st

from koki.ingredients.parse import parse_ingredients
from koki.recipes.digests import differences, digests_of
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes


def recipe(number: int, file: str = "resep.csv") -> Recipe:
    lines = parse_ingredients([f"{number + 1} ekor ayam", "1 sdt garam"])
    return Recipe(
        f"{number:016x}", f"Ayam {number}", lines, (f"Rebus {number} menit.",), None, None, None, file, number
    )


FORTY = [recipe(number) for number in range(40)]
KEPT = digests_of(FORTY)


def test_the_same_recipes_differ_in_nothing() -> None:
    assert differences(KEPT, FORTY) == []


def test_a_recipe_whose_steps_are_others_is_changed_and_named() -> None:
    now = [*FORTY[:7], replace(FORTY[7], steps=("Goreng.",)), *FORTY[8:]]
    assert differences(KEPT, now) == ["resep.csv, 1 of 40 recipes changed (Ayam 7)"]


def test_so_is_one_with_another_title_and_one_that_is_loved_more() -> None:
    now = [replace(FORTY[0], title="Ayam Rebus"), replace(FORTY[1], loves=99), *FORTY[2:]]
    assert differences(KEPT, now) == ["resep.csv, 2 of 40 recipes changed (Ayam 1, Ayam Rebus)"]


def test_recipes_that_came_and_went_are_counted_and_those_that_came_named() -> None:
    now = [*FORTY[2:], *(recipe(number) for number in range(50, 55))]
    assert differences(KEPT, now) == [
        "resep.csv, 5 recipes added (Ayam 50, Ayam 51, Ayam 52 and 2 more), 2 of 40 recipes removed"
    ]


def test_each_file_has_a_text_of_its_own() -> None:
    more = [recipe(number, "data/baru.csv") for number in range(60, 62)]
    assert differences(KEPT, [*FORTY[1:], *more]) == [
        "baru.csv, 2 recipes added (Ayam 60, Ayam 61)",
        "resep.csv, 1 of 40 recipes removed",
    ]


def test_a_file_under_another_name_is_the_same_recipes() -> None:
    renamed = [replace(one, file="lain/kini.csv") for one in FORTY]
    assert differences(KEPT, renamed) == []
    changed = [replace(renamed[0], steps=("Goreng.",)), *renamed[1:]]
    assert differences(KEPT, changed) == ["kini.csv, 1 of 40 recipes changed (Ayam 0)"]


def test_another_order_is_said_to_be_one() -> None:
    assert differences(KEPT, FORTY[::-1]) == ["the same recipes in another order"]


def test_what_is_kept_names_no_folder_and_nothing_of_a_recipe(tmp_path: Path) -> None:
    recipes = read_recipes(write_csv(tmp_path / "resep.csv", [SOTO, ORAK, TELUR]))
    kept = digests_of(recipes)
    assert list(kept) == ["resep.csv"]
    assert [len(digest) for digest in kept["resep.csv"]] == [16, 16, 16]


@given(st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39)), st.sets(st.integers(100, 120)), st.integers(0, 99))
def test_every_recipe_is_accounted_for(removed: set[int], changed: set[int], added: set[int], seed: int) -> None:
    kept = [
        replace(one, steps=("Goreng.",)) if one.line in changed else one for one in FORTY if one.line not in removed
    ]
    now = [*kept, *(recipe(number) for number in added)]
    random.Random(seed).shuffle(now)
    [text] = differences(KEPT, now) or [""]
    counts = {"changed": len(changed - removed), "added": len(added), "removed": len(removed)}
    for verb, count in counts.items():
        of = f" of 40 recipes {verb}" if verb != "added" else f" recipe{'s' if count > 1 else ''} added"
        assert (f" {count}{of}" in text) == (count > 0)
