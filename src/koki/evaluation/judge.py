"""A question and its answer -> the scores of its capability, each from 0 (wrong) to 1 (right)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from koki.book.pantry import Thing, thing
from koki.dialogue.phrasebook import load_phrasebook
from koki.evaluation.cookbook import Cookbook, body_of, missing_for
from koki.evaluation.metrics import (
    IngredientMarks,
    compare_ingredients,
    declines,
    gives_reason,
    has_control_token,
    has_loop,
    indonesian_share,
    key_words,
    mark_ingredients,
    rouge_l,
    said_of,
    steps_order,
)
from koki.evaluation.questions import Asked, split_names
from koki.evaluation.reading import Said, read_answer
from koki.inference.chef import Answer
from koki.ingredients.lexicon import fold
from koki.recipes.recipe import Recipe

Scores = dict[str, float | None]
"""Name of a measure -> score; None where it does not apply."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How a score is called in a table, what it is, and which way is good."""

    label: str
    meaning: str
    lower_is_better: bool = False


_OF_A_RECIPE: Final = {
    "right_dish": Measure("right dish", "the opening names the dish asked for, and no other recipe is nearer"),
    "ingredients_f1": Measure(
        "ingredients F1", "of precision and recall, the next two: their harmonic mean, high only where both are"
    ),
    "ingredients_precision": Measure(
        "  precision", "precision: of the ingredients said, the share that is in the recipe"
    ),
    "ingredients_recall": Measure("  recall", "recall: of the recipe's ingredients, the share that is said"),
    "quantities": Measure("quantities right", "of the recipe's amounts, the share that is said with number and unit"),
    "invented": Measure(
        "invented", "of the ingredients said, the share of which the recipe has not even a kind", lower_is_better=True
    ),
    "steps": Measure("steps ROUGE-L", "ROUGE-L: words in common with the true steps, in the same order"),
    "order": Measure("order of steps", "Kendall's tau over the steps found again: 1 in order, -1 the wrong way round"),
}
ANY: Final = "any answer"
"""Stands for all capabilities together."""

MEASURES: Final[dict[str, dict[str, Measure]]] = {
    "full recipe": _OF_A_RECIPE,
    "simple question": _OF_A_RECIPE,
    "recommendation": {
        "dish_exists": Measure("dish exists", "the dish is one of the recipes"),
        "uses_offered": Measure(
            "uses what is offered",
            "of the ingredients at hand, the share that the dish uses; the best dish need not use all",
        ),
        "missing_exact": Measure(
            "missing is exact", "the list of what is missing is just what the recipe needs besides"
        ),
        "recipe_f1": Measure("its recipe, F1", "ingredients given, against those of the dish named"),
    },
    "inquiry": {
        "dishes_right": Measure("dishes have it", "of the dishes named, the share that has the ingredient"),
        "recipe_f1": Measure("its recipe, F1", "ingredients given, against those of the dish named"),
    },
    "tip": {
        "on_topic": Measure(
            "on the topic", "says a third of the key words of the question or of the true tip, and is no recipe"
        ),
        "reason": Measure(
            "gives a reason", "has a word that reasons are given with, such as karena, or key words of the true reason"
        ),
        "key_words": Measure("key words", "of the true tip's key words, the share that is said"),
    },
    "refusal": {
        "declined": Measure("declines", "has words that one declines with, no recipe and no loop"),
    },
    ANY: {
        "ended": Measure("ends by itself", "with the stop token, before the limit"),
        "no_loop": Measure("no loops", "no run of words three times on end, no line four times, no 30 words twice"),
        "indonesian": Measure(
            "words known", "of its words, the share in the lexicon, the recipes or the conversations"
        ),
        "no_control_token": Measure("no control tokens", "none in the text, and none that broke the answer off"),
    },
}
"""The measures of each capability, the most telling first, and of any answer."""

# An answer is on the topic when it says so much of the question's key words, or of the true answer's.
_ON_TOPIC: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class _Case:
    asked: Asked
    text: str
    said: Said
    cookbook: Cookbook


def judge(asked: Asked, answer: Answer, cookbook: Cookbook) -> Scores:
    """The scores of an answer."""
    text = answer.answer
    return {
        **_JUDGES[asked.capability](_Case(asked, text, read_answer(text), cookbook)),
        "ended": float(answer.stopped),
        "no_loop": float(not has_loop(text)),
        "indonesian": indonesian_share(text, cookbook.vocabulary) or 0.0,
        "no_control_token": float(answer.ended_by != "control_token" and not has_control_token(text)),
    }


def marks(asked: Asked, answer: Answer, cookbook: Cookbook) -> IngredientMarks | None:
    """The ingredients of an answer against those of the recipe asked for, or of the dish that it names.

    None where no ingredients are asked for, or no dish is named.
    """
    if not read_answer(asked.reference).ingredients:
        return None
    said = read_answer(answer.answer)
    is_of_a_recipe = MEASURES[asked.capability] is _OF_A_RECIPE
    recipe = asked.recipe if is_of_a_recipe else _first_dish(_Case(asked, answer.answer, said, cookbook))
    return mark_ingredients(said.ingredients, recipe.ingredients) if recipe else None


def _judge_recipe(case: _Case) -> Scores:
    """What was asked for is what the reference holds: the recipe, its ingredients or its steps."""
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


def _judge_recommendation(case: _Case) -> Scores:
    at_hand, dish = case.asked.names, _first_dish(case)
    suggestion = missing_for(dish, at_hand) if dish else None
    met = [thing(name) for name in suggestion.at_hand] if suggestion else []
    used = [name for name in at_hand if _is_one_of(thing(name), met)]
    exact = suggestion and sorted(map(fold, missing_in(case.said.opening))) == sorted(map(fold, suggestion.missing))
    return {
        "dish_exists": float(dish is not None),
        "uses_offered": len(used) / len(at_hand),
        "missing_exact": float(bool(exact)),
        "recipe_f1": _recipe_f1(case, dish),
    }


def _is_one_of(it: Thing | None, things: list[Thing | None]) -> bool:
    return any(it and other and it.is_related_to(other) for other in things)


def _judge_inquiry(case: _Case) -> Scores:
    """Each dish that the opening or a list names has the ingredient; a list's item that names none is wrong."""
    names, cookbook = case.asked.names, case.cookbook
    first = _first_dish(case)
    listed = [next(iter(cookbook.dishes_in(item, names)), None) for item in case.said.others]
    named = [first, *(dish for dish in listed if dish is None or dish != first)]
    right = [dish is not None and cookbook.has(dish, names[0]) for dish in named]
    return {"dishes_right": sum(right) / len(right), "recipe_f1": _recipe_f1(case, first)}


def _first_dish(case: _Case) -> Recipe | None:
    """The dish that an opening in Koki's own words names, or else the first one that it or a list names."""
    opening, cookbook = case.said.opening, case.cookbook
    for form in _OPENINGS:
        if found := form.match(opening):
            whole = cookbook.dish_at_start(opening[found.start("dish") :])  # a name may go on after what looks its end
            return whole or next(iter(cookbook.dishes_in(found["dish"])), None)
    named = (dish for text in (opening, *case.said.others) for dish in cookbook.dishes_in(text, case.asked.names))
    return next(named, None)


def _pattern(form: str) -> re.Pattern[str]:
    """What a sentence of the phrasebook looks like when it is filled; each slot is a group."""
    pieces = re.split(r"\{(\w+)\}", form)
    slots = [f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)]
    return re.compile("".join(slots), re.IGNORECASE)


_FRAMES: Final = load_phrasebook().frames
_OPENINGS: Final = [_pattern(form) for form in (*_FRAMES.recommendation.opening, *_FRAMES.inquiry.opening)]
_MISSING: Final = [_pattern(form + " ") for form in _FRAMES.recommendation.missing]


def _recipe_f1(case: _Case, dish: Recipe | None) -> float | None:
    """Whether the recipe that is given is that of the dish named; None where none needs to be given."""
    if not read_answer(case.asked.reference).ingredients:
        return None
    return compare_ingredients(case.said.ingredients, dish.ingredients).f1 if dish else 0.0


def _judge_tip(case: _Case) -> Scores:
    """By key words: a rubric, which a wrong tip in the right words passes. A recipe is no tip."""
    asked, text = case.asked, case.text
    if case.said.ingredients:
        return {"on_topic": 0.0, "reason": 0.0, "key_words": 0.0}
    of_question = said_of(key_words(asked.question), text) or 0.0
    of_reference = said_of(key_words(asked.reference), text) or 0.0
    return {
        "on_topic": float(max(of_question, of_reference) >= _ON_TOPIC),
        "reason": float(gives_reason(text, asked.reference)),
        "key_words": of_reference,
    }


def _judge_refusal(case: _Case) -> Scores:
    """By the words that one declines with: a rubric, which a refusal of what was not asked passes."""
    has_recipe = case.said.ingredients or case.said.steps
    return {"declined": float(declines(case.text) and not has_recipe and not has_loop(case.text))}


_JUDGES: Final[dict[str, Callable[[_Case], Scores]]] = {
    "full recipe": _judge_recipe,
    "simple question": _judge_recipe,
    "recommendation": _judge_recommendation,
    "inquiry": _judge_inquiry,
    "tip": _judge_tip,
    "refusal": _judge_refusal,
}


def missing_in(opening: str) -> list[str]:
    """The ingredients that an answer says are missing, in the words that Koki says it with; none where it does not."""
    found = next(filter(None, (form.search(opening + " ") for form in _MISSING)), None)
    return split_names(found["missing"], load_phrasebook().joining) if found else []
