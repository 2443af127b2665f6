"""A question and its answer -> the scores of its capability and of any answer, and its ingredients marked."""

from koki.answers.comparison import IngredientMarks, mark_ingredients
from koki.answers.said import read_answer
from koki.evaluation.asked import Asked
from koki.evaluation.capabilities import registry
from koki.evaluation.capabilities.any_answer import judge_any
from koki.evaluation.capabilities.capability import Case, Scores
from koki.evaluation.cookbook import Cookbook
from koki.inference.answer import Answer


def judge(asked: Asked, answer: Answer, cookbook: Cookbook) -> Scores:
    """The scores of an answer."""
    return {**registry.named(asked.capability).judge(_case(asked, answer, cookbook)), **judge_any(answer, cookbook)}


def marks(asked: Asked, answer: Answer, cookbook: Cookbook) -> IngredientMarks | None:
    """The ingredients of an answer against those of the recipe asked for, or of the dish that it names.

    None where no ingredients are asked for, or no dish is named.
    """
    recipe_of = registry.named(asked.capability).recipe_of
    if recipe_of is None or not read_answer(asked.reference).ingredients:
        return None
    case = _case(asked, answer, cookbook)
    recipe = recipe_of(case)
    return mark_ingredients(case.said.ingredients, recipe.ingredients) if recipe else None


def _case(asked: Asked, answer: Answer, cookbook: Cookbook) -> Case:
    nearest = answer.reading.nearest if answer.reading else ()
    return Case(asked, answer.answer, read_answer(answer.answer), cookbook, nearest)
