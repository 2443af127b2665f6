"""Which dish an answer names, and whether the recipe in it is that dish's."""

from koki.answers.comparison import compare_ingredients
from koki.answers.opening import dish_in
from koki.answers.said import read_answer
from koki.evaluation.capabilities.capability import Case
from koki.recipes.recipe import Recipe


def first_dish(case: Case) -> Recipe | None:
    """The dish that an opening in Koki's own words names, or else the first one that it or a list names."""
    opening, cookbook = case.said.opening, case.cookbook
    if found := dish_in(opening):
        return cookbook.dish_at_start(opening[found.start("dish") :]) or next(
            iter(cookbook.dishes_in(found["dish"])), None
        )
    named = (dish for text in (opening, *case.said.others) for dish in cookbook.dishes_in(text, case.asked.names))
    return next(named, None)


def recipe_f1(case: Case, dish: Recipe | None) -> float | None:
    """F1 of the ingredients given, against those of the dish named; None where the answer need not give a recipe."""
    if not read_answer(case.asked.reference).ingredients:
        return None
    return compare_ingredients(case.said.ingredients, dish.ingredients).f1 if dish else 0.0
