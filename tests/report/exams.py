"""What the tests of the report share: a scorecard whose figures are known."""

from dataclasses import replace
from typing import Any

from koki.answers.comparison import mark_ingredients
from koki.dialogue.layout import list_ingredients, list_steps
from koki.evaluation.asked import Asked
from koki.evaluation.capabilities.capability import Scores
from koki.evaluation.scorecard import Scorecard, Scored
from koki.inference.answer import Answer
from koki.ingredients.parse import parse_ingredients
from koki.recipes.recipe import Recipe

SAID = ("1 ekor ayam", "3 buah cabai", "100 gram udang", "garam secukupnya")
TRUE = ("1 ekor ayam", "5 buah cabai rawit merah", "2 batang serai", "garam secukupnya")


def soto(title: str = "Soto Ayam") -> Recipe:
    """A recipe."""
    return Recipe("1", title, parse_ingredients(TRUE), ("Rebus ayam.", "Sajikan."), None, None, None, "r.csv", 2)


def asked(number: int, group: str, capability: str, question: str = "") -> Asked:
    """A question about it."""
    recipe = replace(soto(), id=f"{group}-{number}")
    reference = f"Bahan:\n{list_ingredients(recipe.ingredients)}\n\nCara membuat:\n{list_steps(recipe.steps)}"
    name = question or f"Resep soto nomor {number}, {group}?"
    return Asked(f"{group}/{capability}/{number}", group, capability, name, reference, recipe, ())


def about_soto(number: int, group: str, right_dish: float, question: str = "", answer: str = "") -> Scored:
    """An answer with one ingredient of each mark."""
    lines = "\n".join(f"- {line}" for line in SAID)
    text = answer or f"Ini resepnya, tanpa garam secukupnya\n\nBahan:\n{lines}\n\nSelamat mencoba!"
    scores: Scores = {"right_dish": right_dish, "invented": 0.25, "order": -0.5, "ended": 1.0}
    marks = mark_ingredients(parse_ingredients(SAID), parse_ingredients(TRUE))
    return Scored(
        asked(number, group, "full recipe", question), Answer(question, text, "stop_token", 90, 1.0), scores, marks
    )


def tip(number: int, answer: str = "Karena panas.") -> Scored:
    """An answer to a question for a tip."""
    return Scored(
        asked(number, "recall", "tip", f"Kenapa {number}?"), Answer("", answer, "max_new_tokens", 9, 1.0), {"reason": 1}
    )


def scorecard(*more: Scored, compared: bool = False) -> dict[str, Any]:
    """Right dish: 3 of 4 in recall, 1 of 2 in understanding; the other chef is always wrong."""
    scored = [
        *(about_soto(number, "recall", float(number > 0)) for number in range(4)),
        *(about_soto(number, "understanding", float(number > 0)) for number in range(2)),
        tip(0),
        *more,
    ]
    other = [Scored(one.asked, one.answer, dict.fromkeys(one.scores, 0.0)) for one in scored]
    return Scorecard(
        "warung", {"recipes": 128}, 42, scored, Scorecard("base", {}, 42, other) if compared else None
    ).as_dict()
