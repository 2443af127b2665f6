"""The recipe of a dish: the whole of it, or what a simple question asks for, its ingredients or its steps."""

from typing import Final

from koki.answers.comparison import compare_ingredients, rouge_l, steps_order
from koki.answers.said import read_answer
from koki.evaluation.capabilities.capability import Capability, Case, Measure, Scores
from koki.evaluation.cookbook import body_of
from koki.language import N_
from koki.recipes.recipe import Recipe

_MEASURES: Final = {
    "right_dish": Measure(N_("right dish"), "the opening names the dish asked for, and no other recipe is nearer"),
    "ingredients_f1": Measure(
        N_("ingredients F1"), "of precision and recall, the next two: their harmonic mean, high only where both are"
    ),
    "ingredients_precision": Measure(
        N_("  precision"), "precision: of the ingredients said, the share that is in the recipe"
    ),
    "ingredients_recall": Measure(N_("  recall"), "recall: of the recipe's ingredients, the share that is said"),
    "quantities": Measure(
        N_("quantities right"), "of the recipe's amounts, the share that is said with number and unit"
    ),
    "invented": Measure(
        N_("invented"),
        "of the ingredients said, the share of which the recipe has not even a kind",
        lower_is_better=True,
    ),
    "steps": Measure(N_("steps ROUGE-L"), "ROUGE-L: words in common with the true steps, in the same order"),
    "order": Measure(
        N_("order of steps"), "Kendall's tau over the steps found again: 1 in order, -1 the wrong way round"
    ),
}

# As the recipe has it, every ingredient and amount; steps may miss a word here and there.
_BARS: Final = {"right_dish": 1.0, "ingredients_f1": 1.0, "quantities": 1.0, "steps": 0.9}


def _judge(case: Case) -> Scores:
    """Judge an answer by what its reference holds: the whole recipe, its ingredients or its steps."""
    said, recipe = case.said, case.asked.recipe
    assert recipe is not None
    wanted = read_answer(case.asked.reference)
    part = "recipe" if wanted.ingredients and wanted.steps else "ingredients" if wanted.ingredients else "steps"
    named = recipe in case.cookbook.dishes_in(said.opening)
    is_nearest = case.cookbook.is_nearest(recipe, body_of(said.ingredients, said.steps, part), part)
    scores: Scores = {"right_dish": float(named and is_nearest)}
    if part != "steps":
        found = compare_ingredients(said.ingredients, recipe.ingredients)
        scores["ingredients_f1"] = found.f1
        scores["ingredients_precision"] = found.precision
        scores["ingredients_recall"] = found.recall
        scores["quantities"] = found.quantities
        scores["invented"] = found.invented
    if part != "ingredients":
        scores["steps"] = rouge_l("\n".join(said.steps), "\n".join(recipe.steps))
        scores["order"] = steps_order(said.steps, recipe.steps)
    return scores


def _recipe_asked_for(case: Case) -> Recipe | None:
    return case.asked.recipe


FULL_RECIPE: Final = Capability(
    name="full recipe", kind="standard", measures=_MEASURES, judge=_judge, bars=_BARS, recipe_of=_recipe_asked_for
)
SIMPLE_QUESTION: Final = Capability(
    name="simple question", kind="simple", measures=_MEASURES, judge=_judge, bars=_BARS, recipe_of=_recipe_asked_for
)
