"""/api: what the page asks for."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response

import koki
from koki.book.question import PORTIONS
from koki.book.store import Book
from koki.dialogue.phrasebook import load_phrasebook, load_tips
from koki.inference.chat import what_to_cook_with
from koki.ingredients.lexicon import fold, is_staple
from koki.serving.errors import ApiError
from koki.serving.feedback import Feedback, keep
from koki.serving.koki_facts import recipe_as_dict
from koki.serving.service import Service

_MOST_PORTIONS: Final = 1000
_NUMBER: Final = r"^[0-9]{1,4}(/[1-9][0-9]{0,3}|\.[0-9]{1,3})?$"
_AT_HAND: Final = 3  # ingredients of an example

_Name = Annotated[str | None, Query(max_length=256)]


def page_api(service: Service) -> APIRouter:
    """The routes; what looks in a book does so in a thread of its own."""
    api = APIRouter(prefix="/api")
    pantries: dict[str, _Pantry] = {}

    @api.get("/settings")
    def settings() -> dict[str, Any]:
        """What the page needs to know of the server."""
        return {
            "feedback": service.takes_feedback,
            "version": koki.__version__,
            "models": list(service.runs),
            "examples": _examples(service.run().chef.book),
        }

    @api.get("/ingredients")
    def ingredients(
        model: _Name = None,
        q: Annotated[str, Query(max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=50)] = 8,
    ) -> dict[str, Any]:
        """Ingredients of the book that begin with a text, or have it in them; the commonest first."""
        run = service.run(model)
        pantry = pantries.setdefault(run.name, _Pantry(run.chef.book))
        return {"ingredients": pantry.names_like(q, limit)}

    @api.get("/recipes/{recipe_id}")
    def recipe(
        recipe_id: Annotated[str, Path(max_length=100)],
        model: _Name = None,
        times: Annotated[str, Query(pattern=_NUMBER)] = "1",
        portions: Annotated[int | None, Query(ge=1, le=_MOST_PORTIONS)] = None,
    ) -> dict[str, Any]:
        """A recipe of the book, its amounts multiplied."""
        book = service.run(model).chef.book
        page = book.find(recipe_id) if book else None
        if page is None:
            raise ApiError(404, "The book has no such recipe.", param="recipe_id", code="not_found")
        multiplied = Fraction(portions, PORTIONS) if portions else Fraction(times)
        if not multiplied:
            raise ApiError(400, "Nothing is left of a recipe times 0.", param="times", code="invalid_value")
        return recipe_as_dict(replace(page, times=multiplied))

    @api.post("/feedback", status_code=204)
    def feedback(said: Feedback) -> Response:
        """What somebody says of an answer."""
        if not service.takes_feedback:
            raise ApiError(404, "Nothing is kept here; see koki serve --feedback.", code="not_found")
        keep(said, service.run(said.model).folder)
        return Response(status_code=204)

    return api


class _Pantry:
    """The ingredients of a book, counted when they are first asked for and when it has changed."""

    def __init__(self, book: Book | None) -> None:
        self._book = book
        self._changes = -1
        self._names: dict[str, str] = {}  # in the spelling in which they are compared -> as they are mostly written

    def names_like(self, text: str, limit: int) -> list[str]:
        """Those that begin with the text, then those that have it in them; the commonest first."""
        self._look()
        wanted = fold(text)
        begin = [name for folded, name in self._names.items() if folded.startswith(wanted)]
        have = [name for folded, name in self._names.items() if not folded.startswith(wanted) and wanted in folded]
        return [*begin, *have][:limit]

    def _look(self) -> None:
        if self._book is None or (changes := self._book.changes) == self._changes:
            return
        counts = self._book.ingredient_counts()
        together = Counter[str]()
        names: dict[str, str] = {}
        for name, count in counts.most_common():
            if (folded := fold(name)) and not is_staple(name):
                together[folded] += count
                names.setdefault(folded, name)
        self._names = {folded: names[folded] for folded, _ in together.most_common()}
        self._changes = changes


def _examples(book: Book | None) -> dict[str, str]:
    """A question for each capability, of dishes that the book has; of none, the tip alone."""
    words = load_phrasebook()
    questions = {"tip": load_tips()[0].questions[0]}
    pages = (page for page in book.pages() if page.recipe.main_ingredients) if book is not None else ()
    if two := list(islice(pages, 2)):
        standard, simple = two[0], two[-1]
        of_ingredients = next(form for form in words.simple if form.answers == "ingredients")
        at_hand = list(standard.recipe.main_ingredients[:_AT_HAND])
        questions |= {
            "recipe": words.standard[1].question.format(dish=standard.name),
            "simple": of_ingredients.question.format(dish=simple.name),
            "recommendation": what_to_cook_with(at_hand),
            "inquiry": words.inquiry[0].question.format(ingredient=at_hand[0]),
        }
    return questions
