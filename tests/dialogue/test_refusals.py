"""What is not cooking is declined politely, in few words, and without a recipe."""

import re
from collections import Counter
from itertools import chain

import pytest
from helpers import compose

from koki.answers.comparison import words_of
from koki.answers.said import read_answer
from koki.book.naming import names_of
from koki.config import load_config, read_assignments
from koki.data.recipes import recipe_files
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import Refusal, load_phrasebook, load_refusals, load_tips
from koki.dialogue.shelf import shelf_of
from koki.evaluation.metrics import declines, has_loop
from koki.evaluation.questions import with_other_forms
from koki.recipes.table import read_recipes

REFUSALS = load_refusals()
DECLINING = [refusal for refusal in REFUSALS if refusal.declines]


def composed(*assignments: str) -> list[list[Conversation]]:
    """The conversations of a run on the recipes that ship, group by group."""
    config = load_config(settings=read_assignments(assignments))
    return list(compose(read_recipes(*recipe_files(config)), config))


@pytest.fixture(scope="module")
def groups() -> list[list[Conversation]]:
    return composed()


def by_topic(refusal: Refusal) -> str:
    return refusal.topic


def test_there_are_at_least_forty_and_no_topic_comes_twice() -> None:
    assert len(DECLINING) >= 40
    assert max(Counter(map(by_topic, REFUSALS)).values()) == 1


@pytest.mark.parametrize("refusal", REFUSALS, ids=by_topic)
def test_an_answer_is_short_and_holds_no_recipe(refusal: Refusal) -> None:
    said = read_answer(refusal.answer)
    assert not said.ingredients
    assert not said.steps
    assert not has_loop(refusal.answer)
    assert "\n" not in refusal.answer
    assert len(words_of(refusal.answer)) <= 40
    assert refusal.answer[0].isupper()
    assert refusal.answer[-1] in ".?!"


def test_different_answers_differ_from_their_first_words_on() -> None:
    starts = [tuple(words_of(answer)[:3]) for answer in {refusal.answer for refusal in REFUSALS}]
    assert max(Counter(starts).values()) == 1


@pytest.mark.parametrize("refusal", REFUSALS, ids=by_topic)
def test_small_talk_aside_each_answer_says_that_it_declines(refusal: Refusal) -> None:
    assert declines(refusal.answer) or not refusal.declines


def test_a_tip_does_not_decline() -> None:
    assert [tip.answer for tip in load_tips() if declines(tip.answer)] == []


def test_no_question_is_asked_twice_whatever_its_kind(groups: list[list[Conversation]]) -> None:
    ours = [question for refusal in REFUSALS for question in (*refusal.questions, refusal.held_out)]
    assert len({question.lower() for question in ours}) == len(ours)
    recipes = read_recipes(*recipe_files(load_config()))
    names = names_of(recipes)
    held_out = Composer(with_other_forms(load_phrasebook()), (), shelf_of(recipes, names), seed=42)
    others = [*chain(*groups), *chain.from_iterable(held_out.compose(it, names[it.id]) for it in recipes)]
    theirs = {one.question.lower() for one in others if one.kind != "refusal"}
    assert theirs.isdisjoint(question.lower() for question in ours)


def test_each_is_a_group_of_its_own_in_the_forms_that_are_trained_on(groups: list[list[Conversation]]) -> None:
    found = [group for group in groups if group and group[0].kind == "refusal"]
    assert [[one.question for one in group] for group in found] == [list(refusal.questions) for refusal in REFUSALS]
    assert {one.answer[0].text for group in found for one in group} == {refusal.answer for refusal in REFUSALS}


def test_they_are_a_small_share_of_the_conversations(groups: list[list[Conversation]]) -> None:
    kinds = Counter(one.kind for one in chain(*groups))
    assert 0 < kinds["refusal"] / kinds.total() < 0.05


def test_the_option_leaves_them_and_nothing_else_out(groups: list[list[Conversation]]) -> None:
    without = [group for group in groups if not group or group[0].kind != "refusal"]
    assert composed("data.refusals=false") == without


@pytest.mark.parametrize(
    ("danger", "safe"),
    [
        ("ayam setengah matang", "74 derajat"),
        ("ikan buntal", "jangan dimasak"),
        ("gadung", "beli saja yang sudah jadi"),
        ("singkong pahit", "jangan dimakan"),
        ("nasi di rice cooker", "12 jam"),
        ("nasi sisa", "cukup sekali"),
    ],
)
def test_food_that_harms_when_done_wrong_has_a_tip_with_the_safe_way(danger: str, safe: str) -> None:
    words = set(danger.split())
    about = [tip for tip in load_tips() if words <= set(words_of(" ".join((*tip.questions, tip.answer))))]
    assert any(safe in tip.answer.lower() and len(tip.questions) >= 2 for tip in about)


@pytest.mark.parametrize("danger", ["ikan buntal", "gadung", "ayam mentah"])
def test_who_asks_for_a_recipe_of_what_harms_is_warned(danger: str) -> None:
    (warning,) = (tip for tip in load_tips() if any(re.match(f"Resep .*{danger} ", ask) for ask in tip.questions))
    assert warning.answer.startswith("Jangan ")
    assert len(warning.questions) >= 4


@pytest.mark.parametrize(
    "need",
    [
        "alergi udang",
        "kacang",
        "telur",
        "alergi susu",
        "gluten",
        "vegan",
        "halal",
        "hamil",
        "bayi",
        "diabetes",
        "tanpa",
    ],
)
def test_that_food_is_safe_for_somebody_is_not_promised(need: str) -> None:
    asked = [refusal for refusal in REFUSALS if any(need in question for question in refusal.questions)]
    assert asked
    for refusal in asked:
        assert refusal.declines
        assert len(refusal.questions) >= 5
        assert any(words in refusal.answer for words in ("jamin", "dokter"))


@pytest.mark.parametrize("said", ["terima kasih ya", "makasih banyak", "thx", "halo", "hai", "pagi", "p", "asdf", "??"])
def test_small_talk_and_letters_at_random_have_a_short_polite_answer(said: str) -> None:
    (answering,) = (refusal for refusal in REFUSALS if said in refusal.questions)
    assert not answering.declines
    assert len(words_of(answering.answer)) <= 20
