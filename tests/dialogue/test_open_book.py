"""Conversations with the book open: what is said stands on a page, or in the notes beside it."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from helpers import composer_of

import koki.recipes
from koki.book.naming import names_of
from koki.dialogue.conversation import Conversation, Kind
from koki.dialogue.phrasebook import load_tips
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes

RECIPES = read_recipes(Path(koki.recipes.__file__).parent / "samples.csv")[:24]
NAMES = names_of(RECIPES)
BOOK = composer_of(RECIPES).open_book
ALL = {recipe.id: BOOK.compose(recipe, NAMES[recipe.id]) for recipe in RECIPES}


def of_kind(*kinds: Kind) -> list[tuple[Recipe, Conversation]]:
    return [(recipe, one) for recipe in RECIPES for one in ALL[recipe.id] if one.kind in kinds]


def said(conversation: Conversation) -> str:
    return "\n\n".join(segment.text for segment in conversation.answer)


def lines(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in text.splitlines() if line]


@pytest.mark.parametrize("kind", ["standard", "simple", "recommendation", "inquiry", "detail", "absent"])
def test_every_recipe_has_conversations_of_each_kind(kind: Kind) -> None:
    assert {recipe.id for recipe, _ in of_kind(kind)} == {recipe.id for recipe in RECIPES}


def test_every_line_of_a_recipe_that_is_told_stands_on_a_page() -> None:
    for _, conversation in of_kind("standard", "simple", "recommendation", "inquiry"):
        told = [line for line in lines([said(conversation)]) if line.startswith("- ") or line[:1].isdigit()]
        assert told
        assert set(told) <= set(lines([conversation.read[0]]))


def test_the_answer_to_a_request_is_about_the_page_that_was_asked_for() -> None:
    for recipe, conversation in of_kind("standard", "simple"):
        name = NAMES[recipe.id]
        assert name.lower() in conversation.question.lower()
        assert name in said(conversation).split("\n")[0]


def test_some_pages_lie_beside_the_right_one_before_and_behind_it() -> None:
    places = set()
    for recipe, conversation in of_kind("standard", "simple"):
        titles = [line for line in lines([conversation.read[0]]) if line.startswith("Resep ") and line.endswith(":")]
        places.add((titles.index(f"Resep {NAMES[recipe.id]}:"), len(titles)))
    assert {(0, 1), (0, 2), (1, 2), (0, 3), (2, 3)} <= places


def test_a_version_of_what_is_read_is_shorter_than_the_one_before_and_has_what_is_told() -> None:
    for _, conversation in of_kind("standard", "simple"):
        lengths = [len(read) for read in conversation.read]
        assert lengths == sorted(lengths, reverse=True)
        told = [line for line in lines([said(conversation)]) if line.startswith("- ") or line[:1].isdigit()]
        assert all(set(told) <= set(lines([read])) for read in conversation.read)


def test_what_is_missing_stands_in_the_notes_word_for_word() -> None:
    for _, conversation in of_kind("recommendation"):
        opening = said(conversation).split("\n")[0]
        if "Yang belum ada: " in opening:
            missing = opening.split("Yang belum ada: ")[1].split(". Ini resepnya")[0]
            assert f"masih perlu {missing}." in conversation.read[0]


def test_what_was_understood_to_be_wanted_stands_before_the_question() -> None:
    for recipe, conversation in of_kind("standard", "simple"):
        whole = "Bahan:" in said(conversation) and "Cara membuat:" in said(conversation)
        (note,) = {read.rpartition("\n\n")[2] for read in conversation.read}
        assert note.startswith("Yang diminta: resep lengkap") == whole
        is_sure = conversation.read[0].count("Resep ") == 1
        assert note.endswith(f" {NAMES[recipe.id]}.") == is_sure


def test_of_a_dish_that_is_on_none_of_several_pages_it_is_not_said_which_is_meant() -> None:
    notes = {conversation.read[0].rpartition("\n\n")[2] for _, conversation in of_kind("absent")}
    assert {note for note in notes if note.startswith("Yang diminta")} <= {
        "Yang diminta: resep lengkap.",
        "Yang diminta: bahan-bahan.",
        "Yang diminta: cara membuat.",
    }


def test_some_pages_say_otherwise_than_the_recipe_and_so_do_their_answers() -> None:
    otherwise = 0
    for recipe, conversation in of_kind("standard", "simple"):
        own = {item.raw for item in recipe.ingredients}
        told = [line[2:] for line in lines([said(conversation)]) if line.startswith("- ")]
        otherwise += any(line not in own for line in told)
    assert 0.3 < otherwise / len(of_kind("standard", "simple")) < 0.5


def test_a_dish_that_the_book_lacks_is_said_to_be_absent_and_no_recipe_is_given() -> None:
    for _, conversation in of_kind("absent"):
        assert "tidak ada di buku resep" in said(conversation)
        assert not any(line.startswith("- ") for line in lines([said(conversation)]))


def test_dishes_that_are_called_nearest_are_named_in_what_is_read() -> None:
    for _, conversation in of_kind("absent"):
        _, found, nearest = said(conversation).partition("Yang paling mirip: ")
        for name in nearest.rstrip(".").replace(", dan ", ", ").replace(" dan ", ", ").split(", ") if found else ():
            assert all(name in read for read in conversation.read)


def test_an_answer_depends_on_what_was_read_and_asked_alone() -> None:
    other = composer_of(RECIPES, seed=1).open_book
    by_prompt = {(one.read, one.question): said(one) for _, one in of_kind("standard", "simple", "inquiry")}
    asked = (one for recipe in RECIPES for one in other.compose(recipe, NAMES[recipe.id]))
    again = [one for one in asked if (one.read, one.question) in by_prompt]
    assert len(again) > 100
    assert all(said(one) == by_prompt[one.read, one.question] for one in again)


def test_a_tip_is_told_as_it_stands_on_its_page() -> None:
    for tip in load_tips()[:20]:
        for conversation in BOOK.compose_tip(tip):
            assert said(conversation) == tip.answer
            assert tip.answer in conversation.read[0]
