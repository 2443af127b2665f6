"""Which dish an answer names, and whether the recipe in it is that dish's."""

import re
from functools import cache

from koki.answers.comparison import compare_ingredients
from koki.answers.filled import pattern
from koki.answers.said import read_answer
from koki.dialogue.phrasebook import SuggestionFrame, load_phrasebook
from koki.evaluation.capabilities.capability import Case
from koki.recipes.recipe import Recipe


def first_dish(case: Case) -> Recipe | None:
    """The dish that an opening in Koki's own words names, or else the first one that it or a list names."""
    opening, cookbook = case.said.opening, case.cookbook
    for form in _openings():
        if found := form.match(opening):
            # a name may go on after what looks like its end
            whole = cookbook.dish_at_start(opening[found.start("dish") :])
            return whole or next(iter(cookbook.dishes_in(found["dish"])), None)
    named = (dish for text in (opening, *case.said.others) for dish in cookbook.dishes_in(text, case.asked.names))
    return next(named, None)


@cache
def _openings() -> tuple[re.Pattern[str], ...]:
    frames = (frame for _, frame in load_phrasebook().frames if isinstance(frame, SuggestionFrame))
    return tuple(pattern(form) for frame in frames for form in frame.opening)


def recipe_f1(case: Case, dish: Recipe | None) -> float | None:
    """F1 of the ingredients given, against those of the dish named; None where the answer need not give a recipe."""
    if not read_answer(case.asked.reference).ingredients:
        return None
    return compare_ingredients(case.said.ingredients, dish.ingredients).f1 if dish else 0.0
