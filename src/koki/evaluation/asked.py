"""A question that a chef is asked, and the groups that questions come in."""

from dataclasses import dataclass
from typing import Final

from koki.recipes.recipe import Recipe

GROUPS: Final = {
    "recall": "trained on, word for word",
    "typing": "the same kinds of question, typed as on a phone, in other ways than it was trained on",
    "understanding": "about recipes that it was trained on, in forms of question that it was not",
    "generalisation": "about recipes that were held out of its training",
}
"""What each group of questions is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what its answer is judged by.

    Attributes:
        group: one of `GROUPS`.
        capability: its name.
        reference: the answer that was, or would have been, trained on.
        recipe: the recipe that the question was made from; None for a refusal, and for a tip that belongs to no recipe.
        names: the ingredients at hand, or the one asked about.
    """

    id: str
    group: str
    capability: str
    question: str
    reference: str
    recipe: Recipe | None
    names: tuple[str, ...]
