"""Which recipes are the same dish in the same words, up to small edits, and which of them is kept."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koki.ingredients.parse import parse_ingredients
from koki.recipes import buckets
from koki.recipes.findings import Reason
from koki.recipes.near_duplicates import MOST_SHARED, Fingerprints, NearDuplicates
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes
from koki.workers import Workers


def recipe(title: str, ingredients: str, *steps: str, loves: int | None = None) -> Recipe:
    """A recipe with the ingredients of a list with commas."""
    return Recipe(title, title, parse_ingredients(ingredients.split(", ")), steps, loves, None, None, "resep.csv", 2)


BALADO = recipe(
    "Telur Balado",
    "6 butir telur, 5 siung bawang merah, 3 siung bawang putih, 10 buah cabai merah, 2 lembar daun jeruk",
    "Rebus telur selama sepuluh menit, kupas, lalu goreng sebentar sampai kulitnya berkerut.",
    "Tumis bawang dan cabai yang sudah dihaluskan bersama daun jeruk sampai harum dan minyaknya terpisah.",
    "Masukkan telur, aduk pelan supaya bumbunya menempel, dan hidangkan dengan nasi hangat.",
)
OPOR = recipe(
    "Opor Ayam",
    "1 ekor ayam, 500 ml santan, 2 batang serai, 3 lembar daun salam, 4 butir kemiri",
    "Tumis bumbu yang dihaluskan dengan serai dan daun salam.",
    "Masukkan potongan ayam, aduk sampai berubah warna, lalu tuang santan.",
    "Masak dengan api kecil sambil diaduk agar santan tidak pecah.",
)


def near_duplicate_groups(recipes: Sequence[Recipe], at_once: int = 100) -> list[list[int]]:
    """The groups of recipes that are added a few at a time."""
    with TemporaryDirectory() as folder, Workers(lambda: None, 1) as workers:
        near_duplicates = NearDuplicates(Path(folder))
        for start in range(0, len(recipes), at_once):
            near_duplicates.add(Fingerprints.of(recipes[start : start + at_once]))
        return near_duplicates.groups(recipes, workers)


def edited(it: Recipe, old: str, new: str) -> Recipe:
    """The recipe with a word replaced everywhere."""
    lines = [item.raw.replace(old, new) for item in it.ingredients]
    steps = tuple(step.replace(old, new) for step in it.steps)
    return replace(it, title=it.title.replace(old, new), ingredients=parse_ingredients(lines), steps=steps)


# ------------------------------------------------------------------------------------------- what is a near-duplicate


def test_two_dishes_are_no_near_duplicates() -> None:
    assert near_duplicate_groups([BALADO, OPOR]) == []


def test_a_copy_is_a_near_duplicate() -> None:
    assert near_duplicate_groups([OPOR, BALADO, BALADO]) == [[1, 2]]


@pytest.mark.parametrize(
    "copy",
    [
        edited(BALADO, "10 buah", "15 bh"),
        edited(BALADO, "telur", "telor"),
        edited(BALADO, ".", "!!!"),
        edited(BALADO, "Rebus", "REBUS"),
        replace(BALADO, steps=(*BALADO.steps, "Anak-anak suka sekali.")),
        replace(BALADO, steps=(" ".join(BALADO.steps),)),
        replace(BALADO, ingredients=BALADO.ingredients[1:]),
        replace(BALADO, title="Telur Balado Pedas ala Ibu"),
    ],
    ids=["quantity", "spelling", "punctuation", "capitals", "remark", "layout", "ingredient", "title"],
)
def test_a_copy_with_a_small_edit_is_a_near_duplicate(copy: Recipe) -> None:
    [group] = near_duplicate_groups([BALADO, copy])
    assert sorted(group) == [0, 1]


def test_a_copy_with_another_main_ingredient_is_another_dish() -> None:
    assert near_duplicate_groups([BALADO, edited(edited(BALADO, "Telur", "Tahu"), "telur", "tahu")]) == []


def test_the_same_title_with_other_words_is_another_recipe() -> None:
    assert near_duplicate_groups([BALADO, replace(OPOR, title=BALADO.title)]) == []


def test_a_step_in_common_does_not_make_a_near_duplicate() -> None:
    assert (
        near_duplicate_groups([BALADO, replace(OPOR, title=BALADO.title, steps=(BALADO.steps[0], *OPOR.steps))]) == []
    )


def test_recipes_too_short_to_tell_are_left_alone() -> None:
    short = recipe("Telur Rebus", "telur", "Rebus telur.")
    assert near_duplicate_groups([short, short]) == []


@pytest.mark.parametrize("recipes", [[], [BALADO]])
def test_fewer_than_two_recipes_have_no_near_duplicates(recipes: list[Recipe]) -> None:
    assert near_duplicate_groups(recipes) == []


# ---------------------------------------------------------------------------------------------------- the one to keep


def loved(loves: int | None) -> Recipe:
    return replace(BALADO, loves=loves)


def test_the_best_loved_one_comes_first() -> None:
    assert near_duplicate_groups([loved(None), loved(3), loved(12), loved(5)]) == [[2, 0, 1, 3]]


def test_of_equally_loved_ones_the_most_complete_comes_first() -> None:
    longer = replace(loved(3), steps=(*BALADO.steps, "Taburi bawang goreng."))
    assert near_duplicate_groups([loved(3), longer, loved(3)]) == [[1, 0, 2]]


def test_of_equal_ones_the_first_comes_first() -> None:
    assert near_duplicate_groups([loved(3), loved(3)]) == [[0, 1]]


def test_a_near_duplicate_of_a_near_duplicate_is_in_the_group() -> None:
    steps = [" ".join(f"{letter}{number}{letter * 3}" for number in range(9)) for letter in "abcdefghijk"]
    chain = [recipe("Telur Balado", "telur", *steps[start : start + 8]) for start in range(4)]
    assert near_duplicate_groups([chain[0], chain[3]]) == []
    assert near_duplicate_groups(chain) == [[0, 1, 2, 3]]


def test_a_recipe_posted_very_often_is_one_group() -> None:
    copies = [edited(BALADO, "10 buah", f"{place} buah") for place in range(3 * MOST_SHARED)]
    assert list(map(len, near_duplicate_groups(copies))) == [3 * MOST_SHARED]


def test_groups_come_in_the_order_of_their_earliest_recipe() -> None:
    assert near_duplicate_groups([OPOR, loved(1), OPOR, loved(2)]) == [[0, 2], [3, 1]]


# ------------------------------------------------------------------------------------------- more than memory holds


def test_the_groups_are_the_same_whatever_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = [edited(it, ".", f" {number}.") for number in range(30) for it in (BALADO, OPOR)]
    recipes = random.Random(0).sample(copies, len(copies))
    groups = near_duplicate_groups(recipes)
    assert list(map(len, groups)) == [30, 30]
    monkeypatch.setattr(buckets, "_MOST_HELD", 1000)
    assert near_duplicate_groups(recipes, at_once=7) == groups


def test_what_went_to_disk_is_taken_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "_MOST_HELD", 1000)
    near_duplicates = NearDuplicates(tmp_path)
    near_duplicates.add(Fingerprints.of([BALADO] * 30))
    assert list((tmp_path / "prints").iterdir())
    with Workers(lambda: None, 1) as workers:
        near_duplicates.groups([BALADO] * 30, workers)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_fingerprints_are_of_a_recipe_alone() -> None:
    prints, counts = Fingerprints.of([BALADO, OPOR])
    assert prints[counts[0] :].tolist() == Fingerprints.of([OPOR]).prints.tolist()


# ---------------------------------------------------------------------------------------------------------- any input

words = st.text("abcdefgh", min_size=2, max_size=6)
texts = st.lists(words, min_size=30, max_size=40)


@settings(max_examples=50)
@given(texts, st.integers(0, 29), words)
def test_whatever_the_text_is_one_word_more_makes_a_near_duplicate(text: list[str], place: int, word: str) -> None:
    longer = [*text[:place], word, *text[place:]]
    assert near_duplicate_groups([recipe("Soto", "ayam", " ".join(it)) for it in (text, longer)]) == [[1, 0]]


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_no_text_raises_and_no_recipe_is_in_two_groups(steps: list[str]) -> None:
    groups = near_duplicate_groups([recipe("Soto", "ayam", step * 3) for step in steps])
    places = [place for group in groups for place in group]
    assert len(places) == len(set(places))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 29), words), max_size=12), st.data())
def test_recipes_that_are_added_part_no_group(copies: list[tuple[int, int, str]], data: st.DataObject) -> None:
    recipes = [_copy(*it) for it in copies]
    kept = sorted(data.draw(st.sets(st.sampled_from(range(len(recipes))))) if recipes else [])
    together = [set(group) for group in near_duplicate_groups(recipes)]
    for group in near_duplicate_groups([recipes[place] for place in kept]):
        assert any({kept[place] for place in group} <= it for it in together)


def _copy(number: int, place: int, word: str) -> Recipe:
    """One of four texts, with a word replaced."""
    text = [f"{chr(97 + number) * 2}{chr(97 + at)}{at}" for at in range(30)]
    text[place] = word
    return recipe("Soto", "ayam", " ".join(text))


def test_a_phrase_that_very_many_recipes_share_takes_no_long_time() -> None:
    """Ten thousand recipes with the same long closing line would give fifty million pairs to compare."""
    closing = "Terima kasih sudah membaca resep ini, jangan lupa simpan dan bagikan kepada keluarga."
    recipes = [recipe(f"Sup {place}", "wortel", f"Rebus {place * 7919}", closing) for place in range(MOST_SHARED * 60)]
    started = time.process_time()
    near_duplicate_groups(recipes)
    assert time.process_time() - started < 5


# ---------------------------------------------------------------------------------------------------- the real recipes

DATA = Path(__file__).parents[3] / "shared" / "data" / "recipes"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the real recipe files are not beside the repository")
def test_near_duplicates_of_real_posts_are_found_and_variants_are_not() -> None:
    recipes = read_recipes(DATA / "dataset-telur.csv")
    report = recipes.report
    title = {f"{it.file}:{it.line}": it.title for it in recipes}
    titles = [{row.title, title[row.of]} for row in report.dropped if row.reason == Reason.NEAR_DUPLICATE]
    assert {"Telur Ceplok Tauco", "Telor Ceplok Tauco"} in titles
    assert {"Tempe Goreng Telur", "Tempe goreng telur"} in titles
    assert len(titles) < 10
