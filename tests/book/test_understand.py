"""What people ask, in their own words, and what is understood of it; ``questions.tsv`` has the questions.

Rules were chosen on the questions marked *chosen*; the figures are those of the ones marked *reported*.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koki.book.naming import names_of
from koki.book.question import read
from koki.book.store import Book
from koki.book.understand import Understood, understand
from koki.config import load_config
from koki.data.recipes import recipe_files
from koki.dialogue.details import common_ingredients, details_of
from koki.ingredients.lexicon import fold
from koki.recipes.table import read_recipes


class Question(NamedTuple):
    """A labelled question: of several right answers, separated by semicolons, any is right.

    Attributes:
        part: chosen or reported.
        dish: its title; "-" where the book lacks it, empty where none is named.
        have: ingredients, separated by commas.
        before: earlier questions, separated by two semicolons; ``answer`` is that to the last one.
    """

    part: str
    wanted: str
    dish: str
    times: str
    have: str
    without: str
    question: str
    before: str
    answer: str

    @property
    def history(self) -> list[tuple[str, str]]:
        asked = [question for question in self.before.split(";;") if question]
        return [(question, self.answer if question == asked[-1] else "") for question in asked]


def questions() -> list[Question]:
    path = Path(__file__).with_name("questions.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        assert next(rows) == list(Question._fields)
        return [Question(*row) for row in rows]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """The book of the recipes that ship."""
    recipes = read_recipes(*recipe_files(load_config()))
    with Book.create(tmp_path_factory.mktemp("book") / "book.sqlite") as book:
        book.add(recipes)
        yield book


@pytest.fixture(scope="module")
def reported(book: Book) -> list[tuple[Question, Understood]]:
    """The questions that no rule was chosen on, understood."""
    return [(it, understand(it.question, book, it.history)) for it in questions() if it.part == "reported"]


def names(understood: Understood) -> list[str]:
    return [dish.name for dish in understood.dishes]


def share(cases: Sequence[tuple[Question, Understood]], is_right: Callable[[Question, Understood], object]) -> float:
    assert len(cases) > 20
    return sum(bool(is_right(*case)) for case in cases) / len(cases)


# ------------------------------------------------------------------------------------------------------ many questions


def test_there_are_many_questions_of_each_kind() -> None:
    asked = questions()
    assert len(asked) >= 300
    assert sum(it.dish == "-" for it in asked) >= 40
    assert sum(bool(it.before) for it in asked) >= 25
    fewest = {"recommendation": 40, "inquiry": 40, "detail": 40, "tip": 20, "harm": 15, "other": 20}
    assert all(sum(it.wanted == wanted for it in asked) >= least for wanted, least in fewest.items())


def test_every_dish_that_ships_is_asked_for() -> None:
    recipes = read_recipes(*recipe_files(load_config()))
    assert {recipe.title for recipe in recipes} <= {dish for it in questions() for dish in it.dish.split(";")}


def test_the_right_page_is_among_those_given(reported: list[tuple[Question, Understood]]) -> None:
    named = [(it, found) for it, found in reported if it.dish not in ("", "-")]
    assert share(named, lambda it, found: set(it.dish.split(";")) & set(names(found))) >= 0.98


def test_the_right_page_is_first(reported: list[tuple[Question, Understood]]) -> None:
    named = [(it, found) for it, found in reported if it.dish not in ("", "-")]
    assert share(named, lambda it, found: names(found)[:1] and names(found)[0] in it.dish.split(";")) >= 0.93


def test_nearly_every_form_of_question_about_one_thing_in_a_recipe_is_understood_as_such(book: Book) -> None:
    recipes = read_recipes(*recipe_files(load_config()))
    titles, others = names_of(recipes), common_ingredients(recipes)
    asked = [
        (detail.question, recipe.id)
        for recipe in recipes[::4]
        for detail in details_of(recipe, titles[recipe.id], others, seed=7)
    ]
    found = [(understand(question, book), dish) for question, dish in asked]
    right = [it.wanted == "detail" and [named.id for named in it.dishes] == [dish] for it, dish in found]
    assert sum(right) / len(right) >= 0.98


def test_what_is_wanted_is_understood(reported: list[tuple[Question, Understood]]) -> None:
    assert share(reported, lambda it, found: found.wanted in it.wanted.split(";")) >= 0.95


def test_a_dish_that_the_book_lacks_is_said_to_be_absent(reported: list[tuple[Question, Understood]]) -> None:
    lacking = [(it, found) for it, found in reported if it.dish == "-"]
    assert share(lacking, lambda _, found: found.absent and not found.dishes) >= 0.9


def test_ingredients_at_hand_are_found(reported: list[tuple[Question, Understood]]) -> None:
    at_hand = [(it, found) for it, found in reported if it.have]
    assert share(at_hand, lambda it, found: same_foods(it.have, found.have)) >= 0.95


def test_what_shall_not_be_in_it_is_found(reported: list[tuple[Question, Understood]]) -> None:
    assert share(reported, lambda it, found: same_foods(it.without, found.without)) >= 0.98


def test_portions_are_found(reported: list[tuple[Question, Understood]]) -> None:
    assert share(reported, lambda it, found: (found.times or 1) == Fraction(it.times or 1)) >= 0.99


def same_foods(labels: str, found: Sequence[str]) -> bool:
    wanted = [{food(name) for name in label.split(";")} for label in labels.split(",") if label]
    got = {food(name) for name in found}
    return len(wanted) == len(found) and all(any_of & got for any_of in wanted)


def food(name: str) -> str:
    return fold(" ".join(word.text for word in read(name) if word.names) or name)


# -------------------------------------------------------------------------------------------------------- single rules


@pytest.mark.parametrize(
    "question",
    [
        "resep soto ayam lamongan",
        "resep sotoayam lamongan",
        "ayam soto lamongan",
        "rsp sotto ayam lamogan",
        "soto lamongan",
    ],
)
def test_a_dish_is_known_by_slips_glued_words_another_order_and_a_part_of_its_name(book: Book, question: str) -> None:
    assert names(understand(question, book)) == ["Soto Ayam Lamongan"]


@pytest.mark.parametrize("question", ["resep gulai kambing", "gule kambing", "gulei kambing dong"])
def test_a_dish_is_known_by_other_spellings(book: Book, question: str) -> None:
    assert names(understand(question, book)) == ["Gulai Kambing"]


def test_where_several_dishes_have_the_name_they_are_all_given(book: Book) -> None:
    assert set(names(understand("resep soto", book))) == {"Soto Ayam Lamongan", "Soto Betawi", "Soto Banjar"}


def test_a_dish_in_full_hides_those_that_share_a_word(book: Book) -> None:
    assert names(understand("resep nasi goreng kambing", book)) == ["Nasi Goreng Kambing"]


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("resep rendang jengkol", "rendang jengkol"),  # another ingredient
        ("resep soto kudus dong", "soto kudus"),  # another place
        ("mie rebus jawa", "mie rebus jawa"),  # cooked in another way
        ("cara bikin cromboloni", "cromboloni"),  # nothing alike
    ],
)
def test_a_dish_that_differs_is_absent(book: Book, question: str, absent: str) -> None:
    understood = understand(question, book)
    assert (understood.dishes, understood.absent) == ((), absent)


def test_an_ingredient_of_the_dish_beside_its_name_is_no_other_dish(book: Book) -> None:
    assert names(understand("sambal goreng udang pete", book)) == ["Sambal Goreng Udang"]


def test_an_ingredient_is_no_dish_that_is_called_like_it(book: Book) -> None:
    understood = understand("tempe enaknya dimasak apa", book)
    assert (understood.dishes, understood.wanted, understood.ingredient) == ((), "inquiry", "tempe")


def test_ingredients_are_named_as_they_were_typed_or_put_right(book: Book) -> None:
    understood = understand("ada toge, cabe, pitik, sama kentagn, masak apa", book)
    assert understood.have == ("toge", "cabe", "ayam", "kentang")


@pytest.mark.parametrize(
    "without", ["tanpa santan", "ga pake santan", "ga ada santan", "nggak pakai santan", "teu make santan"]
)
def test_what_is_denied_shall_not_be_in_it(book: Book, without: str) -> None:
    understood = understand(f"punya ayam sama serai, {without}, masak apa?", book)
    assert (understood.have, understood.without) == (("ayam", "serai"), ("santan",))


@pytest.mark.parametrize(
    ("portions", "times"),
    [
        ("buat 10 porsi", Fraction(5, 2)),
        ("utk 2 org", Fraction(1, 2)),
        ("dua kali lipat", Fraction(2)),
        ("3x", Fraction(3)),
        ("setengah resep", Fraction(1, 2)),
        ("", None),
    ],
)
def test_portions_multiply_the_recipe(book: Book, portions: str, times: Fraction | None) -> None:
    assert understand(f"resep opor ayam {portions}", book).times == times


def test_a_question_goes_on_about_the_last_dish_that_was_named(book: Book) -> None:
    history = [("resep rawon", ""), ("resep opor ayam", ""), ("makasih ya", "Sama-sama!")]
    assert names(understand("santannya berapa?", book, history)) == ["Opor Ayam"]


def test_a_question_goes_on_about_the_dish_that_the_answer_named(book: Book) -> None:
    history = [
        ("ada kangkung, enaknya dimasak apa", "Dengan kangkung, kamu bisa membuat Plecing Kangkung. Ini resepnya:")
    ]
    assert names(understand("terasinya berapa?", book, history)) == ["Plecing Kangkung"]


def test_another_ingredient_in_place_of_that_before_is_another_dish(book: Book) -> None:
    assert names(understand("kalau yang tempe?", book, [("resep tahu bacem", "")])) == ["Tempe Bacem"]


def test_nothing_before_is_nothing_to_go_on_about(book: Book) -> None:
    assert understand("terus direbus berapa lama?", book).dishes == ()


@given(question=st.text(max_size=200), before=st.text(max_size=50))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_understood_in_one_way(book: Book, question: str, before: str) -> None:
    history = [(before, before)]
    assert understand(question, book, history) == understand(question, book, history)


WORDS = ["resep", "cara", "bikin", "soto", "ayam", "tahu", "telur", "ga", "pakai", "santan", "berapa", "apa", "kalau"]
MORE_WORDS = ["yang", "buat", "10", "1/0", "porsi", "masak", "tanpa", ",", "?"]


@given(words=st.lists(st.sampled_from(WORDS + MORE_WORDS), max_size=12))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_words_is_an_error(book: Book, words: list[str]) -> None:
    understood = understand(" ".join(words), book, [("resep opor ayam", "")])
    assert len(understood.dishes) <= 3
    assert not (understood.absent and understood.dishes)
    assert not set(understood.have) & set(understood.without)
