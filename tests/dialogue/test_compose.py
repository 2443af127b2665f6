"""Conversations: the reference numbers, and answers that are true of the recipe."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers import ORAK, SOTO, Composing, composer_of, composing, write_csv

import koki.recipes
from koki.book.kitchen import inquiry_subjects
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import load_phrasebook, load_tips
from koki.ingredients.lexicon import is_staple
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes

SAMPLES = Path(koki.recipes.__file__).parent / "samples.csv"


def whole(conversation: Conversation) -> str:
    return "\n\n".join(segment.text for segment in conversation.answer)


@pytest.fixture
def recipes(recipe_csv: Path) -> Sequence[Recipe]:
    return read_recipes(recipe_csv)


@pytest.fixture
def compose(recipes: Sequence[Recipe]) -> Composing:
    return composing(recipes)


def read_one(folder: Path, **changes: str) -> tuple[Recipe, Composing]:
    """Soto with some fields changed, alone in its file."""
    recipes = read_recipes(write_csv(folder / "r.csv", [SOTO | changes]))
    return recipes[0], composing(recipes)


def of_kind(conversations: list[Conversation], kind: str) -> list[Conversation]:
    return [conversation for conversation in conversations if conversation.kind == kind]


@pytest.mark.parametrize(("kind", "count"), [("standard", 5), ("simple", 15), ("recommendation", 10), ("inquiry", 10)])
def test_a_recipe_gets_as_many_conversations_of_each_kind_as_the_reference_says(
    recipes: Sequence[Recipe], compose: Composing, kind: str, count: int
) -> None:
    assert len(of_kind(compose(recipes[0]), kind)) == count


def test_no_question_is_asked_twice(recipes: Sequence[Recipe], compose: Composing) -> None:
    questions = [conversation.question for conversation in compose(recipes[0]) if conversation.kind != "tip"]
    assert len(set(questions)) == len(questions) == 40


def test_requests_for_a_recipe_are_answered_with_every_ingredient_and_every_step_in_order(
    recipes: Sequence[Recipe], compose: Composing
) -> None:
    for recipe in recipes:
        for conversation in of_kind(compose(recipe), "standard"):
            answer = whole(conversation)
            places = [answer.index(text) for text in (*(i.raw for i in recipe.ingredients), *recipe.steps)]
            assert places == sorted(places)


def test_a_heading_among_the_ingredients_heads_a_block_of_its_own(
    recipes: Sequence[Recipe], compose: Composing
) -> None:
    answer = whole(compose(recipes[0])[0])
    assert "- 1 liter air\n\nBumbu halus:\n- 6 siung bawang merah\n- 2 ruas kunyit\n\n" in answer


def test_a_question_for_ingredients_is_not_answered_with_steps(recipes: Sequence[Recipe], compose: Composing) -> None:
    recipe = recipes[0]
    forms = {q.question.format(dish=recipe.title) for q in load_phrasebook().simple if q.answers == "ingredients"}
    answers = [whole(c) for c in compose(recipe) if c.question in forms]
    assert answers
    assert all(recipe.ingredients[0].raw in answer and recipe.steps[0] not in answer for answer in answers)


def test_a_recommendation_names_what_is_at_hand_and_exactly_what_is_missing(
    recipes: Sequence[Recipe], compose: Composing
) -> None:
    for recipe in recipes:
        for conversation in of_kind(compose(recipe), "recommendation"):
            first, _, body = whole(conversation).partition("\n\n")
            at_hand = [name for name in recipe.main_ingredients if name in conversation.question.lower()]
            assert 3 <= len(at_hand) <= 5
            assert recipe.title in first  # three dishes so unlike each other that none suits better
            for name in recipe.main_ingredients:
                assert name in first.lower()
            assert recipe.steps[-1] in body


@pytest.fixture
def kampung(tmp_path: Path) -> tuple[Recipe, Composing]:
    """A soto that asks for particular kinds, and an easier dish of the same chicken."""
    opor = SOTO | {"Title": "Opor Ayam", "Ingredients": "1 ekor ayam--2 batang serai--3 ruas kunyit--200 ml santan"}
    soto = SOTO | {"Ingredients": "1 ekor ayam kampung--2 batang serai--kunyit bubuk--5 cabai rawit merah"}
    recipes = read_recipes(write_csv(tmp_path / "r.csv", [soto, opor]))
    return recipes[1], composing(recipes)


def test_what_is_at_hand_is_said_in_the_words_of_who_has_it(kampung: tuple[Recipe, Composing]) -> None:
    opor, compose = kampung
    conversations = of_kind(compose(opor), "recommendation")
    for conversation in conversations:
        text = whole(conversation)
        openings = [text.partition("\n\n")[0], *re.findall(r"sudah ada .+", text)]
        for opening in openings:
            assert "ayam kampung" not in opening
            assert "kunyit bubuk" not in opening.partition("perlu")[0]
    assert any("sudah ada" in whole(conversation) for conversation in conversations)


def test_what_is_missing_is_said_in_the_words_of_the_recipe(kampung: tuple[Recipe, Composing]) -> None:
    opor, compose = kampung
    for conversation in of_kind(compose(opor), "recommendation"):
        for line in re.findall(r"- Soto Ayam: .+", whole(conversation)):
            assert line.endswith("masih perlu cabai rawit merah.")


def test_an_ingredient_that_is_two_lines_of_a_recipe_is_at_hand_once(tmp_path: Path) -> None:
    recipe, compose = read_one(tmp_path, Ingredients="1 ekor ayam--2 paha ayam--serai--kunyit--3 butir telur")
    for conversation in of_kind(compose(recipe), "recommendation"):
        assert conversation.question.lower().count("ayam") <= 1


def test_what_makes_the_dish_is_at_hand_even_if_no_kitchen_knows_it(tmp_path: Path) -> None:
    recipe, compose = read_one(tmp_path, Ingredients="1 buah kranjangan--3 siung bawang putih--serai--kunyit")
    for conversation in of_kind(compose(recipe), "recommendation"):
        assert "kranjangan" in conversation.question.lower()


def test_suggestions_have_an_answer_without_the_recipe_that_offers_it(
    recipes: Sequence[Recipe], compose: Composing
) -> None:
    for conversation in compose(recipes[0]):
        assert bool(conversation.brief) == (conversation.kind in ("recommendation", "inquiry"))
        if conversation.brief:
            first = conversation.brief[0].text
            assert first.count("Soto Ayam") == 2  # suggested, and named in the offer
            assert "Bahan:" not in first


def test_a_recommendation_in_few_words_says_what_is_missing_and_gives_the_same_recipe(
    recipes: Sequence[Recipe], compose: Composing
) -> None:
    for conversation in of_kind(compose(recipes[0]), "recommendation"):
        opening, *recipe = conversation.terse
        assert tuple(recipe) == conversation.answer[1:3]
        assert len(opening.text) < len(conversation.answer[0].text)
        missing = [n for n in recipes[0].main_ingredients if n not in conversation.question.lower()]
        assert all(name in opening.text for name in missing)


def test_a_recommendation_for_a_dish_of_three_ingredients_says_that_nothing_is_missing(tmp_path: Path) -> None:
    recipe, compose = read_one(tmp_path, Ingredients="1 ekor ayam--2 batang serai--2 ruas kunyit--garam")
    complete = load_phrasebook().frames.recommendation.complete
    for conversation in of_kind(compose(recipe), "recommendation"):
        assert any(sentence in whole(conversation) for sentence in complete)


def test_some_recommendations_go_on_with_further_dishes_that_use_what_is_at_hand(tmp_path: Path) -> None:
    rows = [SOTO, SOTO | {"Title": "Opor Ayam", "Ingredients": SOTO["Ingredients"] + "--santan--2 butir kemiri"}]
    recipes = read_recipes(write_csv(tmp_path / "r.csv", rows))
    extras = [s.text for c in of_kind(composing(recipes)(recipes[0]), "recommendation") for s in c.answer[3:4]]
    several = [text for text in extras if "Opor Ayam: sudah ada" in text]
    assert len(several) == sum(form.several for form in load_phrasebook().recommendation) > 0
    assert all("masih perlu" in text and "santan" in text.partition("masih perlu")[2] for text in several)


def test_an_inquiry_names_a_dish_with_the_ingredient_its_recipe_and_further_dishes(tmp_path: Path) -> None:
    rows = [SOTO, SOTO | {"Title": "Opor Ayam", "Ingredients": SOTO["Ingredients"] + "--santan"}, ORAK]
    recipes = read_recipes(write_csv(tmp_path / "r.csv", rows))
    for conversation in of_kind(composing(recipes)(recipes[0]), "inquiry"):
        answer = whole(conversation)
        assert "ayam" in conversation.question
        assert "Soto Ayam" in answer
        assert "Opor Ayam" in answer
        assert "Tempe Orek" not in answer
        assert "Cara membuat:" in answer


def test_an_inquiry_is_never_about_salt_oil_or_water(recipes: Sequence[Recipe], compose: Composing) -> None:
    for recipe in recipes:
        assert not any(is_staple(name) for name in inquiry_subjects(recipe))
        for conversation in of_kind(compose(recipe), "inquiry"):
            assert any(name in conversation.question for name in inquiry_subjects(recipe))


def test_inquiries_ask_for_what_makes_the_dish_not_for_its_seasoning(recipes: Sequence[Recipe]) -> None:
    assert inquiry_subjects(recipes[0]) == ("ayam",)
    assert "bawang merah" not in inquiry_subjects(recipes[1])


def test_a_recipe_with_two_main_ingredients_gets_the_kinds_it_can_support(tmp_path: Path) -> None:
    recipe, compose = read_one(tmp_path, Ingredients="1 ekor ayam--2 batang serai--garam--air")
    kinds = {conversation.kind for conversation in compose(recipe)}
    assert kinds - {"tip"} == {"standard", "simple", "inquiry"}


def test_conversations_depend_on_the_seed_and_the_recipes_alone(recipes: Sequence[Recipe], compose: Composing) -> None:
    backwards = composing(recipes[::-1])
    for recipe in recipes:
        assert backwards(recipe) == compose(recipe)
    assert composing(recipes, seed=2)(recipes[0]) != compose(recipes[0])


def answers_to_each_question(recipes: Sequence[Recipe]) -> dict[str, set[str]]:
    compose = composing(recipes)
    answers: dict[str, set[str]] = {}
    for recipe in recipes:
        for conversation in compose(recipe):
            answers.setdefault(conversation.question, set()).add(whole(conversation))
    return answers


def test_no_question_has_two_answers_among_the_recipes_that_ship() -> None:
    assert all(len(answers) == 1 for answers in answers_to_each_question(read_recipes(SAMPLES)).values())


@pytest.mark.slow
def test_no_question_has_two_answers_among_real_recipes_of_which_many_share_a_title(shared_data: Path) -> None:
    recipes = read_recipes(shared_data / "recipes" / "dataset-sapi.csv")[:400]
    assert all(len(answers) == 1 for answers in answers_to_each_question(recipes).values())


def test_held_out_forms_are_a_fifth_and_never_asked(recipes: Sequence[Recipe], compose: Composing) -> None:
    book = load_phrasebook()
    forms = [*book.standard, *book.simple, *book.recommendation, *book.inquiry]
    held_out = [form for form in forms if form.held_out]
    assert len(held_out) / len(forms) == pytest.approx(0.2, abs=0.03)
    asked = {conversation.question for conversation in compose(recipes[0])}
    for form in held_out:
        assert form.question.format(dish="Soto Ayam", ingredient="ayam", ingredients="ayam") not in asked


def test_a_question_typed_in_lower_case_has_its_dish_in_lower_case(
    recipes: Sequence[Recipe], compose: Composing
) -> None:
    questions = [conversation.question for conversation in compose(recipes[0])]
    assert "cara bikin soto ayam gimana?" in questions
    assert "Resep Soto Ayam dong!" in questions


def test_every_answer_starts_with_a_capital_and_has_no_open_placeholder(
    recipes: Sequence[Recipe], compose: Composing
) -> None:
    conversations = [c for recipe in recipes for c in compose(recipe)]
    conversations += [c for tip in load_tips() for c in composer_of(recipes).compose_tip(tip)]
    for conversation in conversations:
        answer = whole(conversation)
        assert answer[0].isupper() or answer[0].isdigit()
        assert not set("{}") & set(conversation.question + answer)


def test_braces_in_a_recipe_are_text(tmp_path: Path) -> None:
    recipe, compose = read_one(tmp_path, Title="Soto {dish} {0}")
    assert "Resep Soto {dish} {0} dong!" in [c.question for c in compose(recipe)]


def test_a_tip_at_the_end_of_a_recipe_is_about_one_of_its_ingredients(tmp_path: Path) -> None:
    recipe, compose = read_one(tmp_path, Ingredients=SOTO["Ingredients"] + "--200 ml santan")
    shorts = {tip.short for tip in load_tips() if set(tip.ingredients) & set(recipe.main_ingredients)}
    requests = of_kind(compose(recipe), "standard")
    tips = [segment.text for conversation in requests for segment in conversation.answer if segment.role == "extra"]
    assert tips
    assert all(any(short in tip for short in shorts) for tip in tips)


def test_a_tip_may_be_about_what_every_kitchen_has(tmp_path: Path) -> None:
    recipe, compose = read_one(tmp_path, Ingredients="1 buah kranjangan--50 gram gula merah--serai xyz")
    (short,) = (tip.short for tip in load_tips() if "gula merah" in tip.ingredients)
    assert any(short in whole(conversation) for conversation in compose(recipe))


def test_a_step_that_gives_a_reason_becomes_a_tip(recipes: Sequence[Recipe], compose: Composing) -> None:
    (tip,) = of_kind(compose(recipes[0]), "tip")
    assert "Soto Ayam" in tip.question
    assert "kuahnya harum" in tip.question
    assert whole(tip) == "Tumis bumbu halus sampai matang agar kuahnya harum, lalu masukkan ke rebusan."


def test_there_are_at_least_eighty_tips_each_with_its_questions() -> None:
    tips = load_tips()
    assert len(tips) >= 80
    questions = [question for tip in tips for question in tip.questions]
    assert len(set(questions)) == len(questions)
