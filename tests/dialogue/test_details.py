"""Details: questions about one thing in a recipe, answered from its own text."""

import random
import re
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

import koki.recipes
from koki.book.naming import names_of
from koki.book.pantry import thing
from koki.dialogue.detail_words import load_details
from koki.dialogue.details import Detail, common_ingredients, details_of
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.typist import Typist
from koki.dialogue.vocabulary import WORD, Vocabulary
from koki.ingredients.lexicon import fold
from koki.ingredients.parse import parse_ingredients
from koki.ingredients.scaling import scaled
from koki.recipes.recipe import Recipe, identity
from koki.recipes.table import read_recipes

RECIPES = read_recipes(Path(koki.recipes.__file__).parent / "samples.csv")
NAMES = names_of(RECIPES)
OTHERS = common_ingredients(RECIPES)
ALL = {recipe.id: details_of(recipe, NAMES[recipe.id], OTHERS, seed=42) for recipe in RECIPES}


def recipe_of(ingredients: list[str], steps: list[str], title: str = "Soto Uji") -> Recipe:
    return Recipe(
        identity(title, ingredients, steps),
        title,
        parse_ingredients(ingredients),
        tuple(steps),
        None,
        None,
        None,
        "x",
        1,
    )


def answers(recipe: Recipe, topic: str, others: tuple[str, ...] = ("kemiri",)) -> set[str]:
    """Every answer of a topic that some seed draws."""
    drawn = (details_of(recipe, recipe.title, others, seed) for seed in range(12))
    return {detail.answer for details in drawn for detail in details if detail.topic == topic}


def questions(recipe: Recipe, topic: str) -> set[str]:
    drawn = (details_of(recipe, recipe.title, ("kemiri",), seed) for seed in range(40))
    return {detail.question for details in drawn for detail in details if detail.topic == topic}


SOTO = recipe_of(
    [
        "1 ekor ayam, potong 4", "secukupnya garam", "2 sdm tepung terigu", "3 sdm tepung beras", "Bumbu halus:",
        "5 siung bawang putih", "Sambal:", "3 siung bawang putih", "10 buah cabai rawit",
    ],
    ["Rebus ayam dengan api kecil sekitar 40 menit, lalu tiriskan.", "Masukkan cabai rawit, aduk.", "Goreng tahu."],
)  # fmt: skip


def test_an_amount_is_the_one_that_the_recipe_writes() -> None:
    said = answers(SOTO, "amount")
    assert {"Ayamnya 1 ekor.", "Garamnya secukupnya.", "Cabai rawitnya 10 buah."} <= said
    assert "Bawang putihnya 5 siung untuk bumbu halus dan 3 siung untuk sambal." in said


def test_what_is_in_there_is_said_with_its_amount_and_what_is_not_is_denied() -> None:
    said = answers(SOTO, "contains")
    assert "Ya, Soto Uji memakai 10 buah cabai rawit." in said
    assert "Tidak, resep Soto Uji tidak memakai kemiri." in said


def test_what_is_a_kind_of_something_in_there_is_not_denied() -> None:
    said = answers(SOTO, "contains", ("cabai", "cabai merah", "ayam kampung", "tahu", "kencur"))
    assert {answer for answer in said if answer.startswith("Tidak")} == {
        "Tidak, resep Soto Uji tidak memakai kencur."
    }  # tahu is in a step


def test_kinds_are_named_where_there_are_only_kinds() -> None:
    assert "Tepungnya tepung terigu dan tepung beras." in answers(SOTO, "which")
    bare = recipe_of(["tepung 2 sdm", "1 sdm tepung beras", "1 ayam"], ["Aduk."])
    assert answers(bare, "which") == set()


def test_times_and_heat_are_said_with_the_words_of_the_step() -> None:
    sentence = "rebus ayam dengan api kecil sekitar 40 menit"
    assert answers(SOTO, "time") == {f"Sekitar 40 menit: {sentence}."}
    assert answers(SOTO, "heat") == {f"Api kecil: {sentence}."}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["Goreng ayam 5 menit.", "Goreng tahu sampai kuning."], {"5 menit: goreng ayam 5 menit."}),
        (["Goreng ayam 5 menit.", "Goreng lagi sampai kuning."], set()),  # which frying?
        (["Goreng ayam 5 menit dan tahu 2 menit."], set()),  # two times
        (["Goreng ayam, tiriskan 10 menit."], set()),  # of what is done after it
        (["Panaskan minyak goreng 3 menit."], set()),  # a name, nothing that is done
        (["Tambahkan ayam yang sudah digoreng, masak setengah jam."], {"Setengah jam: masak setengah jam."}),
        (["Rebus ayam, tahu dan garam 1-2 jam."], {"1-2 jam: rebus ayam, tahu dan garam 1-2 jam."}),
    ],
)  # fmt: skip
def test_a_time_belongs_to_one_thing_that_is_done(steps: list[str], said: set[str]) -> None:
    assert answers(recipe_of(["1 ekor ayam", "2 buah tahu", "garam", "minyak goreng"], steps), "time") == said


def test_what_is_done_to_several_things_is_asked_with_the_thing() -> None:
    recipe = recipe_of(["1 ekor ayam", "2 buah tahu"], ["Goreng ayam 5 menit.", "Goreng tahu sampai kuning."])
    assert all("ayam" in question for question in questions(recipe, "time"))


def test_when_something_is_used_is_said_with_the_step() -> None:
    said = answers(SOTO, "order")
    assert "Cabai rawit dipakai di langkah 2: Masukkan cabai rawit, aduk." in said
    assert not any("Bawang putih" in answer for answer in said)  # no step names it


def test_what_becomes_of_something_is_no_use_of_it() -> None:
    steps = ["Tuang santan.", "Aduk terus supaya santan tidak pecah.", "Masukkan gula dan garam."]
    said = answers(recipe_of(["500 ml santan", "gula", "1 sdt garam"], steps), "order")
    assert "Santan dipakai di langkah 1: Tuang santan." in said


def test_portions_are_multiplied_by_program() -> None:
    found = [detail for seed in range(60) for detail in details_of(SOTO, "Soto Uji", (), seed)]
    by_times = {(detail.times, detail.answer) for detail in found if detail.topic == "portions"}
    assert (Fraction(1, 2), "Cabai rawitnya jadi 5 buah.") in by_times
    assert (Fraction(2), "Garamnya jadi 2 sdt.") not in by_times  # "secukupnya" is no number
    lists = {answer for times, answer in by_times if times == 2 and answer.startswith("Untuk")}
    assert all("- 2 ekor ayam, potong 4\n- secukupnya garam\n" in answer for answer in lists)
    assert lists


def test_a_line_that_offers_a_choice_is_not_asked_about() -> None:
    recipe = recipe_of(["2 sdm kecap asin atau saus tiram", "1 ekor ayam"], ["Aduk."])
    assert answers(recipe, "amount") == {"Ayamnya 1 ekor."}


# ------------------------------------------------------------------------------------------- the recipes that ship


def test_each_recipe_has_a_dozen_details_or_more() -> None:
    counts = [sum(not detail.held_out for detail in details) for details in ALL.values()]
    assert min(counts) >= 10
    assert sum(counts) / len(counts) >= 13
    assert max(counts) <= 20


@pytest.mark.slow
def test_every_form_is_used_and_none_is_trained_and_held_out() -> None:
    more = [details_of(recipe, NAMES[recipe.id], OTHERS, seed) for seed in range(3) for recipe in RECIPES]
    asked = {detail for details in (*ALL.values(), *more) for detail in details}
    for topic, forms in load_details().forms.items():
        for form in forms:
            filled = re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(form.question)))
            assert any(it.topic == topic and filled.fullmatch(it.question) for it in asked), form.question
    held_out = {it.question for it in asked if it.held_out}
    assert held_out.isdisjoint(it.question for it in asked if not it.held_out)


def test_no_question_has_two_answers() -> None:
    told: defaultdict[str, set[str]] = defaultdict(set)
    for details in ALL.values():
        for detail in details:
            told[detail.question.lower().rstrip("?!. ")].add(detail.answer)
    assert {question: said for question, said in told.items() if len(said) > 1} == {}


def test_details_follow_from_recipe_name_and_seed() -> None:
    recipe = RECIPES[3]
    assert details_of(recipe, NAMES[recipe.id], OTHERS, seed=42) == ALL[recipe.id]
    assert details_of(recipe, NAMES[recipe.id], OTHERS, seed=7) != ALL[recipe.id]


@pytest.mark.slow
def test_every_number_of_an_answer_stands_on_the_page() -> None:
    for recipe in RECIPES:
        for detail in ALL[recipe.id]:
            lines = scaled(recipe.ingredients, detail.times)
            page = "\n".join([NAMES[recipe.id], *lines, *(f"{n}. {step}" for n, step in enumerate(recipe.steps, 1))])
            numbers = re.findall(r"[0-9½¼¾⅓⅔]+", detail.answer)
            assert set(numbers) <= set(re.findall(r"[0-9½¼¾⅓⅔]+", page)), detail


def test_what_is_denied_is_related_to_nothing_in_the_recipe() -> None:
    for recipe in RECIPES:
        have = [thing(name) for item in recipe.ingredients if item.name for name in (item.name, *item.others)]
        for detail in ALL[recipe.id]:
            if detail.topic == "contains" and detail.answer.startswith("Tidak"):
                name = detail.answer.rpartition("tidak memakai ")[2].rstrip(".")
                denied = thing(name)
                assert denied is not None
                assert not any(it and it.is_related_to(denied) for it in have), detail
                assert f" {fold(name)} " not in f" {fold(' '.join(recipe.steps))} "


def test_a_vocabulary_has_the_words_of_all_details() -> None:
    words = Vocabulary.of(RECIPES, NAMES, load_phrasebook()).words
    asked = {word for details in ALL.values() for it in details for word in WORD.findall(it.question.lower())}
    assert asked <= words


@pytest.mark.slow
def test_nothing_that_is_typed_has_two_answers() -> None:
    typist = Typist(load_phrasebook(), Vocabulary.of(RECIPES, NAMES, load_phrasebook()))
    told: defaultdict[str, set[str]] = defaultdict(set)
    for detail in (detail for details in ALL.values() for detail in details):
        for number in range(4):
            typed = typist.type(detail.question, random.Random(f"{number}:{detail.question}"))
            told[typed.lower().rstrip("?!. ")].add(detail.answer)
    assert len(told) > 10_000
    assert {question: said for question, said in told.items() if len(said) > 1} == {}


@pytest.mark.slow
def test_real_recipes_give_details_too(shared_data: Path) -> None:
    recipes = read_recipes(shared_data / "recipes" / "dataset-tempe.csv")[:40]
    names = names_of(recipes)
    found: list[Detail] = []
    for recipe in recipes:
        found += details_of(recipe, names[recipe.id], common_ingredients(recipes), seed=1)
    assert len(found) / len(recipes) > 16
