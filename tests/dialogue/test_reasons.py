"""Tips that stand in the recipes' own steps."""

from dataclasses import replace
from pathlib import Path

import pytest

from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.reasons import reasons_in
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes


@pytest.fixture
def recipe(recipe_csv: Path) -> Recipe:
    return read_recipes(recipe_csv)[0]


def reasons(recipe: Recipe, *steps: str) -> list[tuple[str, str]]:
    return list(reasons_in(replace(recipe, steps=steps), load_phrasebook().reasons))


@pytest.mark.parametrize("word", ["agar", "supaya", "biar"])
def test_a_sentence_that_says_what_it_is_good_for_is_a_tip(recipe: Recipe, word: str) -> None:
    sentence = f"Rendam tempe dalam air garam {word} bumbunya meresap."
    assert reasons(recipe, f"Potong tempe. {sentence} Tiriskan.") == [("bumbunya meresap", sentence)]


def test_what_ties_it_to_the_step_before_is_left_out(recipe: Recipe) -> None:
    ((_, sentence),) = reasons(recipe, "Setelah itu, lalu aduk kuah perlahan terus supaya santan tidak pecah")
    assert sentence == "Aduk kuah perlahan terus supaya santan tidak pecah."


def test_the_word_tips_and_marks_at_the_end_are_no_part_of_it(recipe: Recipe) -> None:
    ((_, sentence),) = reasons(recipe, "Tips: aduk kuah perlahan terus supaya santan tidak pecah..")
    assert sentence == "Aduk kuah perlahan terus supaya santan tidak pecah."


def test_the_purpose_ends_at_the_comma(recipe: Recipe) -> None:
    ((purpose, _),) = reasons(recipe, "Diamkan ayam selama 15 menit agar bumbu meresap, lalu goreng.")
    assert purpose == "bumbu meresap"


@pytest.mark.parametrize(
    "step",
    [
        "Goreng ayam sampai matang.",
        "Aduk agar rata.",
        "Masukkan agar-agar bubuk ke panci.",
        "Balik ayam sesekali dengan capit supaya tidak gosong.",  # what is not to burn?
        "Setelah 15 menit, bilas ayam agar bumbunya tidak asin.",  # 15 minutes of what?
        "Balik ayam sesekali dengan capit biar ga gosong.",
        "Tutup panci rapat-rapat supaya ayam empuk ya bun.",
        "Kalau saya, ayamnya direbus dulu biar empuk dagingnya.",
        f"Masukkan {'bawang, ' * 40}lalu aduk supaya bumbu meresap.",
    ],
)
def test_a_step_without_a_reason_worth_asking_for_is_none(recipe: Recipe, step: str) -> None:
    assert reasons(recipe, step) == []


def test_a_purpose_is_asked_for_once(recipe: Recipe) -> None:
    step = "Diamkan ayam selama 15 menit agar bumbu meresap."
    assert len(reasons(recipe, step, step)) == 1
