"""What the tests of answers share: pages of a book, and answers about them as a chef is trained to give them."""

from dataclasses import replace
from functools import cache

from koki.book.reading import Page, Reading
from koki.dialogue.book_answers import Answer, BookAnswers
from koki.dialogue.phrasebook import load_phrasebook
from koki.ingredients.parse import parse_ingredients
from koki.recipes.recipe import Recipe

SOTO = (
    ("1 ekor ayam", "1 sdt garam", "2 batang serai", "Bumbu halus:", "4 siung bawang putih", "½ sdt garam"),
    ("Rebus ayam 45 menit.", "Tumis bumbu halus.", "Sajikan selagi hangat."),
)
RAWON = (("500 gram daging sapi", "5 buah kluwek", "2 sdt garam"), ("Rebus daging.", "Tumis bumbu."))


def page(name: str, lines: tuple[str, ...], steps: tuple[str, ...], line: int = 3) -> Page:
    """A page of a book that was made of the file resep.csv."""
    recipe = Recipe(name, name, parse_ingredients(lines), steps, None, None, None, "data/resep.csv", line)
    return Page(name, recipe)


@cache
def soto() -> Page:
    """A page."""
    return page("Soto Ayam", *SOTO)


@cache
def rawon() -> Page:
    """Another one."""
    return page("Rawon", *RAWON, line=9)


def sure(wanted: str = "recipe") -> Reading:
    """What is read where it is sure that soto is meant."""
    return Reading(wanted, (soto(),))  # type: ignore[arg-type]


def for_ayam() -> Reading:
    """What is read for somebody who has ayam and serai."""
    best = replace(soto(), at_hand=("ayam", "serai"), missing=("bawang putih",))
    other = replace(rawon(), at_hand=("serai",), missing=("daging sapi", "kluwek"))
    return Reading("recommendation", (best,), others=(other,), ingredients=("ayam", "serai"))


def with_serai() -> Reading:
    """What is read where a dish with serai is wanted."""
    return Reading("inquiry", (soto(),), others=(rawon(),), ingredients=("serai",))


def book_answers() -> BookAnswers:
    """What a chef is trained to say of what it read."""
    return BookAnswers(load_phrasebook())


def text(answer: Answer) -> str:
    """An answer as it is said."""
    return "\n\n".join(segment.text for segment in answer)


def recipe_of_soto() -> str:
    """The whole recipe, as it should be said."""
    return text(book_answers().requested(soto(), "recipe"))
