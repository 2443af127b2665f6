"""An inquiry: dishes that have an ingredient, and the recipe of the first of them."""

from collections.abc import Callable, Sequence
from typing import Final

from koki.answers.filled import filling
from koki.book.kitchen import inquiry_subjects
from koki.book.pantry import Pantry
from koki.dialogue.phrasebook import Phrasebook
from koki.evaluation.asked import Asked
from koki.evaluation.capabilities.capability import Capability, Case, Measure, Scores
from koki.evaluation.capabilities.dishes import first_dish, recipe_f1
from koki.language import N_
from koki.recipes.recipe import Recipe


def _judge(case: Case) -> Scores:
    """Each dish that the opening or a list names should have the ingredient; a list's item that names none is wrong."""
    names, cookbook = case.asked.names, case.cookbook
    first = first_dish(case)
    listed = [next(iter(cookbook.dishes_in(item, names)), None) for item in case.said.others]
    named = [first, *(dish for dish in listed if dish is None or dish != first)]
    right = [dish is not None and cookbook.has(dish, names[0]) for dish in named]
    return {"dishes_right": sum(right) / len(right), "recipe_f1": recipe_f1(case, first)}


def _names_in(question: str, book: Phrasebook) -> Sequence[str]:
    return [filling(question, book.inquiry)]


def _new_to(trained_on: Sequence[Recipe]) -> Callable[[Asked], bool]:
    """Whether no recipe that was trained on asks about the same ingredient, yet one could answer."""
    asked_about = {name.lower() for recipe in trained_on for name in inquiry_subjects(recipe)}
    pantry = Pantry(trained_on)

    def is_new(asked: Asked) -> bool:
        (ingredient,) = asked.names
        return ingredient.lower() not in asked_about and bool(pantry.with_ingredient(ingredient))

    return is_new


INQUIRY: Final = Capability(
    name="inquiry",
    kind="inquiry",
    measures={
        "dishes_right": Measure(N_("dishes have it"), "of the dishes named, the share that has the ingredient"),
        "recipe_f1": Measure(N_("its recipe, F1"), "ingredients given, against those of the dish named"),
    },
    judge=_judge,
    bars={"dishes_right": 1.0, "recipe_f1": 1.0},
    recipe_of=first_dish,
    names_in=_names_in,
    new_to=_new_to,
)
