"""What a chef reads for a question: the pages, what is at hand and missing, other dishes, tips."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import pytest

from koki.book.lookup import look_up
from koki.book.reading import Page, Reading
from koki.book.store import Book, StoredTip
from koki.book.understand import understand
from koki.ingredients.parse import parse_ingredients
from koki.recipes.recipe import Recipe

TIPS = [
    StoredTip("santan", "Aduk santan dengan api kecil supaya tidak pecah.", ("Kenapa santan pecah?",)),
    StoredTip("santan", "Santan sisa disimpan di kulkas.", ("Berapa lama santan bisa disimpan?",)),
    StoredTip("santan", "Peras kelapa dengan air hangat untuk santan.", ("Bagaimana memeras santan?",)),
    StoredTip("gadung", "Jangan mengolah gadung sendiri, karena beracun.", ("Bagaimana mengolah gadung?",)),
]


def recipe(title: str, *lines: str, loves: int) -> Recipe:
    """A recipe with these ingredient lines; its title is its id."""
    return Recipe(title, title, parse_ingredients(list(lines)), ("Masak.",), loves, None, None, "resep.csv", 2)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    recipes = [
        recipe("Soto Ayam Lamongan", "1 ekor ayam", "2 batang serai", "2 ruas kunyit", "garam", loves=5),
        recipe("Soto Betawi", "500 gram daging sapi", "400 ml santan", "2 buah tomat", loves=4),
        recipe("Opor Ayam", "1 ekor ayam", "700 ml santan", "2 batang serai", "5 butir kemiri", loves=3),
        recipe("Tahu Telur", "300 gram tahu", "4 butir telur", "100 gram tauge", loves=2),
        recipe("Tahu Bacem", "10 buah tahu", "600 ml air kelapa", "gula merah", loves=9),
        recipe("Perkedel Tahu", "400 gram tahu", "2 butir telur", "1 buah wortel", loves=1),
    ]
    with Book.create(tmp_path_factory.mktemp("book") / "book.sqlite") as book:
        book.add(recipes, TIPS)
        yield book


def read(book: Book, question: str, *history: tuple[str, str]) -> Reading:
    return look_up(understand(question, book, history), book)


def names(pages: Sequence[Page]) -> list[str]:
    return [page.name for page in pages]


# ------------------------------------------------------------------------------------------------------ a dish is named


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("resep opor ayam", "recipe"),
        ("bahan opor ayam apa aja", "ingredients"),
        ("langkah-langkah opor ayam", "steps"),
        ("opor ayam pake kemiri ga", "detail"),
    ],
)
def test_a_dish_that_is_named_has_its_page(book: Book, question: str, wanted: str) -> None:
    reading = read(book, question)
    assert (reading.wanted, names(reading.pages)) == (wanted, ["Opor Ayam"])


def test_where_it_is_unsure_which_dish_is_meant_there_are_several_pages(book: Book) -> None:
    assert set(names(read(book, "resep soto").pages)) == {"Soto Ayam Lamongan", "Soto Betawi"}


def test_amounts_are_multiplied_for_more_portions(book: Book) -> None:
    assert read(book, "opor ayam buat 10 porsi").pages[0].times == Fraction(5, 2)


def test_amounts_stay_where_no_portions_are_said(book: Book) -> None:
    assert read(book, "resep opor ayam").pages[0].times == 1


def test_a_question_that_goes_on_has_the_page_of_the_dish_before(book: Book) -> None:
    assert names(read(book, "bumbunya apa aja?", ("resep opor ayam", "")).pages) == ["Opor Ayam"]


def test_a_dish_that_the_book_lacks_has_no_page_but_the_names_nearest(book: Book) -> None:
    reading = read(book, "resep soto kudus")
    assert (reading.pages, reading.absent) == ((), "soto kudus")
    assert set(reading.nearest) == {"Soto Ayam Lamongan", "Soto Betawi"}


# ------------------------------------------------------------------------------------------------ something is at hand


def test_the_dish_that_suits_best_says_what_is_at_hand_and_missing(book: Book) -> None:
    reading = read(book, "ada pitik, santan, sama serai. masak apa ya")
    (page,) = reading.pages
    assert (page.name, page.at_hand, page.missing) == ("Opor Ayam", ("ayam", "santan", "serai"), ("kemiri",))
    assert reading.ingredients == ("ayam", "santan", "serai")


def test_other_dishes_use_more_than_one_thing_that_is_at_hand(book: Book) -> None:
    reading = read(book, "punya tahu, telur, tauge, enaknya dimasak apa")
    assert names(reading.pages) == ["Tahu Telur"]
    assert names(reading.others) == ["Perkedel Tahu"]


def test_what_shall_not_be_in_it_is_not(book: Book) -> None:
    reading = read(book, "punya ayam sama serai tapi ga ada kemiri, masak apa?")
    assert names([*reading.pages, *reading.others]) == ["Soto Ayam Lamongan"]


def test_a_seasoning_that_shall_not_be_in_it_is_not(book: Book) -> None:
    reading = read(book, "punya ayam sama serai, masak apa yang tanpa garam?")
    assert names([*reading.pages, *reading.others]) == ["Opor Ayam"]


def test_dishes_with_one_ingredient_are_a_page_and_two_names(book: Book) -> None:
    reading = read(book, "tahu enaknya dimasak apa")
    assert reading.ingredients == ("tahu",)
    assert names(reading.pages) == ["Tahu Bacem"]
    assert names(reading.others) == ["Tahu Telur", "Perkedel Tahu"]


def test_dishes_with_one_ingredient_and_without_another(book: Book) -> None:
    reading = read(book, "olahan tahu yang ga pake telur")
    assert (names(reading.pages), reading.others) == (["Tahu Bacem"], ())


def test_an_ingredient_that_no_dish_has_has_no_page(book: Book) -> None:
    reading = read(book, "punya kepiting, dimasak apa ya")
    assert (reading.wanted, reading.ingredients, reading.pages) == ("inquiry", ("kepiting",), ())


# ----------------------------------------------------------------------------------------------------- tips, and others


def test_a_question_why_has_two_tips_at_most(book: Book) -> None:
    reading = read(book, "kenapa santan saya pecah ya")
    assert (reading.wanted, reading.pages, len(reading.tips)) == ("tip", (), 2)
    assert reading.tips[0].text == TIPS[0].text


def test_what_harms_has_the_safe_tip(book: Book) -> None:
    reading = read(book, "cara mengolah gadung")
    assert (reading.wanted, reading.tips[0].text) == ("harm", TIPS[3].text)


@pytest.mark.parametrize("question", ["apa kabar", "siapa presiden indonesia", "", "😀", "???"])
def test_what_is_not_about_cooking_has_nothing_to_read(book: Book, question: str) -> None:
    assert read(book, question) == Reading("other")
