"""A question that a chef is asked, and the groups that questions come in."""

from dataclasses import dataclass, replace
from typing import Final, Self

from koki.language import N_
from koki.recipes.recipe import Recipe

_FROM_MEMORY: Final = {
    "recall": N_("trained on, word for word"),
    "typing": N_("the same kinds of question, typed as on a phone, in other ways than it was trained on"),
    "understanding": N_("about recipes that it was trained on, in forms of question that it was not"),
    "generalisation": N_("about recipes that were held out of its training"),
    "added": N_("about recipes that its book got after its training"),
}
_WITH_BOOK: Final = "-book"

GROUPS: Final = {
    name: said
    for group, meaning in _FROM_MEMORY.items()
    for name, said in ((group, meaning), (f"{group}{_WITH_BOOK}", N_("the same, asked with its book open")))
}
"""What each group of questions is; those that are asked from memory, each before the same with the book open."""


def is_with_book(group: str) -> bool:
    """Whether the questions of a group are asked with the book open."""
    return group.endswith(_WITH_BOOK)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what its answer is judged by.

    Attributes:
        group: one of `GROUPS`.
        capability: its name.
        reference: the answer that was, or would have been, trained on.
        recipe: the recipe that the question was made from; None for a refusal, for a dish that is not there, and for a
            tip that belongs to no recipe.
        names: the ingredients at hand, or the one asked about; the dish that is not there.
    """

    id: str
    group: str
    capability: str
    question: str
    reference: str
    recipe: Recipe | None
    names: tuple[str, ...]

    def with_book(self) -> Self:
        """The same question, asked with the book open."""
        group = f"{self.group}{_WITH_BOOK}"
        return replace(self, id=f"{group}{self.id.removeprefix(self.group)}", group=group)
