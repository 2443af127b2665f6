"""What is asked: trained on, asked in other words, about other recipes."""

from collections import Counter

import pytest
from cases import added, config, examiner, read_for, samples, trained_on

from koki.book.kitchen import inquiry_subjects
from koki.config import flatten, load_config
from koki.dialogue.phrasebook import load_phrasebook
from koki.evaluation.asked import GROUPS, Asked, is_with_book
from koki.evaluation.capabilities.registry import CAPABILITIES
from koki.evaluation.questions import Examiner, with_other_forms

QUESTIONS = examiner().draw(8)


def of(group: str, capability: str | None = None) -> list[Asked]:
    return [one for one in QUESTIONS if one.group == group and capability in (None, one.capability)]


def test_each_capability_has_as_many_questions_as_wanted_where_there_are_any() -> None:
    counts = Counter((one.group, one.capability) for one in QUESTIONS)
    for capability in CAPABILITIES:
        assert counts["recall", capability.name] == 8
    assert {group for group, _ in counts} == {group for group in GROUPS if not is_with_book(group)}
    assert max(counts.values()) == 8


def test_ids_and_questions_are_unique_within_a_group() -> None:
    assert len({one.id for one in QUESTIONS}) == len(QUESTIONS)
    for group in GROUPS:
        texts = [one.question.lower() for one in of(group)]
        assert len(set(texts)) == len(texts)


@pytest.mark.slow
def test_the_same_run_is_asked_the_same_questions() -> None:
    assert examiner().draw(8) == QUESTIONS


def test_recall_asks_what_was_trained_on_word_for_word() -> None:
    trained = {one.question for one in (*trained_on(), *read_for())}
    assert {one.question for one in of("recall") if one.capability != "absent"} <= trained


def test_typing_asks_what_was_trained_on_typed_as_on_a_phone() -> None:
    trained = {one.question for one in trained_on()}
    typed = of("typing")
    assert {one.capability for one in typed} == {capability.name for capability in CAPABILITIES}
    assert sum(one.question in trained for one in typed) < len(typed) / 4
    answers = {" ".join(one.reference.split()) for one in of("typing", "full recipe")}
    assert len(answers) > 4


@pytest.mark.slow
def test_another_seed_asks_other_questions() -> None:
    others = {one.question for one in examiner(seed=1).draw(8)}
    assert len(others & {one.question for one in QUESTIONS}) < len(others) / 4


def test_what_is_to_be_declined_is_asked_as_trained_on_and_in_other_words() -> None:
    assert len(of("recall", "refusal")) == len(of("understanding", "refusal")) == 8
    assert not of("generalisation", "refusal")


@pytest.mark.slow
def test_nothing_is_to_be_declined_where_it_was_not_trained_on() -> None:
    whole = examiner()
    settings = load_config(settings={**flatten(config()), "data.refusals": False})
    without = Examiner(*samples(), settings, whole._template, whole._vocabulary_size, 42, added()).draw(2)
    assert without == [one for one in whole.draw(2) if one.capability != "refusal"]


@pytest.mark.parametrize("group", ["understanding", "generalisation"])
def test_nothing_else_was_trained_on(group: str) -> None:
    trained = {one.question.lower() for one in trained_on()}
    assert of(group)
    assert trained.isdisjoint(one.question.lower() for one in of(group))


def test_understanding_asks_about_recipes_that_were_trained_on() -> None:
    trained = {recipe.id for recipe in samples()[0]}
    assert {one.recipe.id for one in of("understanding") if one.recipe} <= trained


def test_generalisation_asks_about_recipes_that_were_held_out() -> None:
    held_out = {recipe.id for recipe in samples()[1]}
    assert {one.recipe.id for one in of("generalisation") if one.recipe} <= held_out


def test_an_inquiry_of_generalisation_is_about_an_ingredient_that_nobody_asked_about() -> None:
    asked = {name.lower() for recipe in samples()[0] for name in inquiry_subjects(recipe)}
    assert asked.isdisjoint(one.names[0].lower() for one in of("generalisation", "inquiry"))


def test_questions_spread_over_recipes() -> None:
    about = [one.recipe.id for one in of("recall", "full recipe") if one.recipe]
    assert len(set(about)) == len(about)


def test_names_are_the_ingredients_that_the_question_names() -> None:
    for one in QUESTIONS:
        if one.capability in ("recommendation", "inquiry"):
            assert one.names
            assert one.group == "typing" or all(name in one.question for name in one.names)
    assert all(3 <= len(one.names) <= 5 for one in QUESTIONS if one.capability == "recommendation")


def test_without_held_out_recipes_there_is_no_generalisation() -> None:
    whole = examiner()
    alone = Examiner(samples()[0], [], config(), whole._template, whole._vocabulary_size, seed=42)
    assert {one.group for one in alone.draw(2)} == {"recall", "typing", "understanding"}


def test_without_a_book_nothing_is_asked_that_only_a_book_has() -> None:
    whole = examiner()
    alone = Examiner(samples()[0], [], config(), whole._template, whole._vocabulary_size, seed=42).draw(2)
    assert {"detail", "absent"}.isdisjoint(one.capability for one in alone)


def test_recipes_that_a_book_got_after_training_are_asked_about() -> None:
    ids = {recipe.id for recipe in added()}
    about = [one for one in of("added") if one.recipe]
    assert {one.capability for one in about} >= {"full recipe", "simple question", "detail", "recommendation"}
    assert {one.recipe.id for one in about if one.recipe} <= ids


def test_details_are_asked_for_in_trained_forms_and_for_understanding_in_the_others() -> None:
    trained = {one.question for one in read_for()}
    assert {one.question for one in of("recall", "detail")} <= trained
    assert trained.isdisjoint(one.question for one in of("understanding", "detail"))


def test_dishes_that_are_not_there_are_asked_for_by_name() -> None:
    for one in of("recall", "absent") + of("understanding", "absent"):
        (dish,) = one.names
        assert dish.lower() in one.question.lower()
        assert dish.lower() not in {recipe.title.lower() for side in samples() for recipe in side}


def test_the_same_question_with_the_book_open_has_an_id_and_a_group_of_its_own() -> None:
    one = of("recall", "detail")[0]
    assert (one.with_book().id, one.with_book().group) == ("recall-book/detail/1", "recall-book")
    assert one.with_book().question == one.question


def test_the_other_forms_are_those_that_were_held_out() -> None:
    other = with_other_forms(load_phrasebook())
    trained = {form.question for form in load_phrasebook().simple if not form.held_out}
    assert trained.isdisjoint(form.question for form in other.simple if not form.held_out)


def test_a_reason_is_asked_for_in_another_form() -> None:
    book, other = load_phrasebook().reasons.questions, with_other_forms(load_phrasebook()).reasons.questions
    assert sorted(book) == sorted(other)
    assert not any(one == another for one, another in zip(book, other, strict=True))
