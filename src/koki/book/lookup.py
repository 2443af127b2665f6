"""What a chef reads before it answers a question: the pages of the book, and what is worked out of them."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Final

from koki.book.pantry import thing
from koki.book.reading import Page, Reading, TipPage
from koki.book.store import Book
from koki.book.understand import Understood

_MOST_DISHES: Final = 3
_MOST_TIPS: Final = 2
# Dishes that are looked at for some that lack an ingredient.
_LOOKED_AT: Final = 200


def look_up(understood: Understood, book: Book) -> Reading:
    """The pages for what was understood of a question.

    Raises:
        BookError: the book's file was damaged, or is locked for long.
    """
    wanted = understood.wanted
    if understood.absent:
        return Reading(wanted, absent=understood.absent, nearest=understood.nearest)
    if wanted == "recommendation":
        return _recommendation(understood, book)
    if wanted == "inquiry":
        return _inquiry(understood, book)
    pages = _pages(understood, book)
    if wanted in ("tip", "harm"):
        tips = tuple(TipPage(tip.topic, tip.text) for tip in book.tips_like(understood.tip, _MOST_TIPS))
        return Reading(wanted, pages=() if tips else pages, tips=tips)
    return Reading(wanted, pages=pages)


def _pages(understood: Understood, book: Book) -> tuple[Page, ...]:
    times = understood.times or Fraction(1)
    return tuple(replace(book.page(dish.id), times=times) for dish in understood.dishes)


def _recommendation(understood: Understood, book: Book) -> Reading:
    """The dish that suits best what is at hand; others only where they use more than one thing of it."""
    have, without = understood.have, understood.without
    found = _few(lambda most: book.what_can_i_cook(have, most, without), without)
    if not found:
        return Reading("recommendation", ingredients=understood.have, absent=", ".join(understood.have))
    return Reading(
        "recommendation",
        pages=tuple(found[:1]),
        others=tuple(page for page in found[1:] if len(page.at_hand) > 1),
        ingredients=understood.have,
    )


def _inquiry(understood: Understood, book: Book) -> Reading:
    """The first dish with the ingredient, and others that are named."""
    subject = understood.ingredient or ""
    found = _few(lambda most: book.with_ingredient(subject, most), understood.without)
    if not found:
        return Reading("inquiry", ingredients=(subject,) if subject else (), absent=subject)
    return Reading(
        "inquiry",
        pages=tuple(found[:1]),
        others=tuple(found[1:]),
        ingredients=(subject,) if subject else (),
    )


def _few(find: Callable[[int], list[Page]], without: tuple[str, ...]) -> list[Page]:
    """The first few dishes that lack what shall not be in them, be it a seasoning, of which a book has no list."""
    found = find(_LOOKED_AT if without else _MOST_DISHES)
    return [page for page in found if not _has_any(page, without)][:_MOST_DISHES]


def _has_any(page: Page, names: tuple[str, ...]) -> bool:
    """Whether the dish has one of the ingredients, or a kind of it."""
    unwanted = [it for it in map(thing, names) if it]
    has = (thing(name) for item in page.recipe.ingredients for name in item.names)
    return any(it and it.is_kind_of(other) for it in has for other in unwanted)
