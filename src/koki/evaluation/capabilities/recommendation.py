"""A recommendation: the best dish of the ingredients at hand, and what is missing for it."""

from collections.abc import Sequence
from typing import Final

from koki.answers.filled import filling, split_names
from koki.answers.opening import says_missing
from koki.book.pantry import Thing, thing
from koki.dialogue.phrasebook import Phrasebook
from koki.evaluation.capabilities.capability import Capability, Case, Measure, Scores
from koki.evaluation.capabilities.dishes import first_dish, recipe_f1
from koki.evaluation.cookbook import missing_for
from koki.language import N_


def _judge(case: Case) -> Scores:
    at_hand, dish = case.asked.names, first_dish(case)
    suggestion = missing_for(dish, at_hand) if dish else None
    met = [thing(name) for name in suggestion.at_hand] if suggestion else []
    used = [name for name in at_hand if _is_one_of(thing(name), met)]
    exact = suggestion is not None and says_missing(case.said.opening, suggestion.missing)
    return {
        "dish_exists": float(dish is not None),
        "uses_offered": len(used) / len(at_hand),
        "missing_exact": float(exact),
        "recipe_f1": recipe_f1(case, dish),
    }


def _is_one_of(it: Thing | None, things: list[Thing | None]) -> bool:
    return any(it and other and it.is_related_to(other) for other in things)


def _names_in(question: str, book: Phrasebook) -> Sequence[str]:
    return split_names(filling(question, book.recommendation), book.joining)


RECOMMENDATION: Final = Capability(
    name="recommendation",
    kind="recommendation",
    measures={
        "dish_exists": Measure(N_("dish exists"), "the dish is one of the recipes"),
        "uses_offered": Measure(
            N_("uses what is offered"),
            "of the ingredients at hand, the share that the dish uses; the best dish need not use all",
        ),
        "missing_exact": Measure(
            N_("missing is exact"), "the list of what is missing is just what the recipe needs besides"
        ),
        "recipe_f1": Measure(N_("its recipe, F1"), "ingredients given, against those of the dish named"),
    },
    judge=_judge,
    bars={"dish_exists": 1.0, "missing_exact": 1.0, "recipe_f1": 1.0},
    recipe_of=first_dish,
    names_in=_names_in,
)
