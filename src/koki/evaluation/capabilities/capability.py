"""What a capability is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from koki.answers.said import Said
from koki.config import DataConfig
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation, Kind
from koki.dialogue.phrasebook import Phrasebook
from koki.evaluation.asked import Asked
from koki.evaluation.cookbook import Cookbook
from koki.recipes.recipe import Recipe

Scores = dict[str, float | None]
"""Name of a measure -> score, from 0 to 1, that of an order from -1; None where the measure does not apply."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How a score is called in a table, what it means, and which way is good."""

    label: str
    meaning: str
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """An answer to be judged.

    Attributes:
        text: the answer.
        said: the answer as `koki.answers.said.read_answer` reads it.
        cookbook: what is true.
        nearest: of a dish that is not in the book, the dishes near to it that were read.
    """

    asked: Asked
    text: str
    said: Said
    cookbook: Cookbook
    nearest: tuple[str, ...] = ()


def _no_names(_question: str, _book: Phrasebook) -> Sequence[str]:
    return ()


def _no_subjects(_group: str, _composer: Composer, _data: DataConfig) -> Sequence[Sequence[Conversation]]:
    return ()


def _always_new(_trained_on: Sequence[Recipe]) -> Callable[[Asked], bool]:
    return lambda _: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Something that a chef is taught: how it is asked for, and how the answers are judged.

    Attributes:
        name: of the capability in scorecards and cards.
        kind: of the conversations that teach it.
        measures: by name, the most telling first.
        judge: gives an answer a score by each measure that applies to its question.
        bars: by name of the measure, what an answer reaches that is right as a whole.
        recipe_of: the recipe whose ingredients an answer should give, None where it names no dish; where there is no
            such function, no answer needs to give ingredients.
        names_in: the ingredients that a question names, which the judge finds in `Asked.names`.
        about_recipes: whether its questions are drawn from the recipes of each group, among those of the others.
            Otherwise they are drawn by themselves, from ``subjects`` alone.
        subjects: the conversations of each subject besides the recipes, such as a tip, that a group of questions is
            drawn from.
        new_to: from the recipes that were trained on, what decides whether a question belongs under generalisation.
        needs_book: whether its questions make sense to a chef only who has a book.
        is_promised: whether the run card and the model card list it.
    """

    name: str
    kind: Kind
    measures: dict[str, Measure]
    judge: Callable[[Case], Scores]
    bars: dict[str, float]
    recipe_of: Callable[[Case], Recipe | None] | None = None
    names_in: Callable[[str, Phrasebook], Sequence[str]] = _no_names
    about_recipes: bool = True
    subjects: Callable[[str, Composer, DataConfig], Sequence[Sequence[Conversation]]] = _no_subjects
    new_to: Callable[[Sequence[Recipe]], Callable[[Asked], bool]] = _always_new
    needs_book: bool = False
    is_promised: bool = True
