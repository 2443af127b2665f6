"""What a chef is asked: of each capability, questions of three groups (`GROUPS`)."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from typing import Final

from koki.book.pantry import Pantry
from koki.config import RunConfig
from koki.dialogue.compose import Composer, Conversation, Kind
from koki.dialogue.kitchen import inquiry_subjects
from koki.dialogue.phrasebook import Joining, Phrasebook, Question, load_phrasebook, load_refusals, load_tips
from koki.errors import DataError
from koki.recipes.recipe import Recipe
from koki.tokens.dataset import ConversationDataset
from koki.tokens.template import ChatTemplate

GROUPS: Final = {
    "recall": "trained on, word for word",
    "understanding": "about recipes that it was trained on, in forms of question that it was not",
    "generalisation": "about recipes that were held out of its training",
}
"""What each group of questions is."""

CAPABILITIES: Final[dict[Kind, str]] = {
    "standard": "full recipe",
    "simple": "simple question",
    "recommendation": "recommendation",
    "inquiry": "inquiry",
    "tip": "tip",
    "refusal": "refusal",
}
# Asked about recipes, in all groups.
_OF_RECIPES: Final = tuple(capability for capability in CAPABILITIES.values() if capability != "refusal")
# Not every recipe has questions of every kind: so many times the questions wanted are looked through, in so many rounds
# at most.
_UNITS_PER_QUESTION: Final = 3
_MOST_ROUNDS: Final = 10

_Unit = tuple[Recipe | None, Sequence[Conversation]]
"""A recipe, or None for a tip or a refusal, and its conversations."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what its answer is judged by.

    Attributes:
        reference: the answer that was, or would have been, trained on.
        recipe: the recipe that it was made from; None for a refusal, and a tip that belongs to none.
        names: the ingredients at hand, or the one asked about.
    """

    id: str
    group: str
    capability: str
    question: str
    reference: str
    recipe: Recipe | None
    names: tuple[str, ...]


class Examiner:
    """Draws questions; the same run gives the same ones.

    Args:
        train, held_out: the recipes of the run, as it split them.
        template: of the run's tokenizer: a conversation that did not fit was not trained on, and is not asked.
        vocabulary_size: of the tokenizer.
    """

    def __init__(
        self,
        train: Sequence[Recipe],
        held_out: Sequence[Recipe],
        config: RunConfig,
        template: ChatTemplate,
        vocabulary_size: int,
    ) -> None:
        self._train, self._held_out = train, held_out
        self._config = config
        self._template, self._vocabulary_size = template, vocabulary_size
        self._book = load_phrasebook()

    def draw(self, count: int) -> list[Asked]:
        """Up to ``count`` questions of each capability in each group."""
        return [
            *self._drawn("recall", self._train, self._book, count),
            *self._refusals("recall", count),
            *self._drawn("understanding", self._train, with_other_forms(self._book), count),
            *self._refusals("understanding", count),
            *self._drawn("generalisation", self._held_out, self._book, count, self._is_new()),
        ]

    def _refusals(self, group: str, count: int) -> Iterator[Asked]:
        """What is to be declined, as it was trained on or, for understanding, in the form that was held out."""
        refusals = [refusal for refusal in load_refusals() if refusal.declines] if self._config.data.refusals else []
        if group == "understanding":
            refusals = [refusal.model_copy(update={"questions": (refusal.held_out,)}) for refusal in refusals]
        draw = random.Random(f"{self._config.seed}:evaluation:{group}:refusals")
        composer = Composer(self._book, (), (), self._config.seed)
        drawn = draw.sample(refusals, min(count, len(refusals)))
        units = self._fitting(group, [(None, composer.compose_refusal(refusal)) for refusal in drawn])
        for number, asked in zip(range(count), _dealt(list(units), draw), strict=False):
            yield _numbered(asked, number + 1)

    def _drawn(
        self,
        group: str,
        recipes: Sequence[Recipe],
        book: Phrasebook,
        count: int,
        is_wanted: Callable[[Asked], bool] = lambda _: True,
    ) -> Iterator[Asked]:
        draw = random.Random(f"{self._config.seed}:evaluation:{group}")
        units: list[list[Asked]] = []
        composed = self._composed(group, recipes, book, count, draw)
        for _ in range(_MOST_ROUNDS):
            more = list(islice(composed, count * _UNITS_PER_QUESTION))
            units += ([asked for asked in unit if is_wanted(asked)] for unit in self._fitting(group, more))
            if not more or _are_enough(units, count):
                break
        draw.shuffle(units)
        for capability in _OF_RECIPES:
            dealt = _dealt([[asked for asked in unit if asked.capability == capability] for unit in units], draw)
            for number, asked in zip(range(count), dealt, strict=False):
                yield _numbered(asked, number + 1)

    def _composed(
        self, group: str, recipes: Sequence[Recipe], book: Phrasebook, count: int, draw: random.Random
    ) -> Iterator[_Unit]:
        """Some tips, in the group of recall, then the recipes, as far as they are asked for; in an order of its own."""
        if not recipes:
            return
        tips = load_tips() if self._config.data.tips else ()
        composer = Composer(book, tips, recipes, self._config.seed)
        if group == "recall":
            yield from ((None, composer.compose_tip(tip)) for tip in draw.sample(tips, min(count, len(tips))))
        yield from ((recipe, composer.compose(recipe)) for recipe in draw.sample(recipes, len(recipes)))

    def _fitting(self, group: str, units: Sequence[_Unit]) -> Iterator[list[Asked]]:
        """Of each unit the questions whose conversations fit, with their answers as they are trained on."""
        with suppress(DataError):  # not one fits
            conversations = [unit for _, unit in units]
            dataset = ConversationDataset(conversations, self._template, self._vocabulary_size, self._config.tokens)
            bounds = pairwise(dataset.group_starts.tolist())
            for (recipe, _), (start, end) in zip(units, bounds, strict=True):
                numbers = range(start, end)
                yield [self._asked(group, recipe, dataset.kind(number), *dataset.texts(number)) for number in numbers]

    def _asked(self, group: str, recipe: Recipe | None, kind: Kind, question: str, reference: str) -> Asked:
        names: Sequence[str] = ()
        if kind == "recommendation":
            names = split_names(filling(question, self._book.recommendation), self._book.joining)
        elif kind == "inquiry":
            names = [filling(question, self._book.inquiry)]
        return Asked("", group, CAPABILITIES[kind], question, reference, recipe, tuple(names))

    def _is_new(self) -> Callable[[Asked], bool]:
        """Whether no recipe that was trained on asks the same, yet one could answer it."""
        asked_about = {name.lower() for recipe in self._train for name in inquiry_subjects(recipe)}
        pantry = Pantry(self._train)

        def is_new(asked: Asked) -> bool:
            if asked.capability != CAPABILITIES["inquiry"]:
                return True
            return asked.names[0].lower() not in asked_about and bool(pantry.with_ingredient(asked.names[0]))

        return is_new


def with_other_forms(book: Phrasebook) -> Phrasebook:
    """The same phrasebook, with the forms of question that were held out from training instead of those trained on."""
    changes = {
        kind: tuple(form.model_copy(update={"held_out": not form.held_out}) for form in getattr(book, kind))
        for kind in ("standard", "simple", "recommendation", "inquiry")
    }
    # each reason is asked for in one of these forms, in turn; moved on by one, each is asked for in another
    first, *others = book.reasons.questions
    reasons = book.reasons.model_copy(update={"questions": (*others, first)})
    return book.model_copy(update={**changes, "reasons": reasons})


def filling(question: str, forms: Iterable[Question]) -> str:
    """What stands in a question where its form leaves room for it: "tempe" in "Punya tempe, bisa dibikin apa ya?"."""
    for form in sorted(forms, key=lambda form: -len(form.question)):
        before, _, rest = form.question.partition("{")
        after = rest.partition("}")[2]
        if question.startswith(before) and question.endswith(after):
            return question[len(before) : len(question) - len(after)]
    raise ValueError(f"{question!r} has none of the forms")


def split_names(text: str, joining: Joining) -> list[str]:
    """Names that were joined in running text."""
    between = sorted((joining.comma, joining.last, joining.last_of_many), key=len, reverse=True)
    return re.split("|".join(map(re.escape, between)), text)


def _are_enough(units: Iterable[Sequence[Asked]], count: int) -> bool:
    """Whether there are as many units with questions of each capability as questions are wanted."""
    found = Counter(capability for unit in units for capability in {asked.capability for asked in unit})
    return all(found[capability] >= count for capability in _OF_RECIPES)


def _dealt(units: Sequence[Sequence[Asked]], draw: random.Random) -> Iterator[Asked]:
    """One question of each unit, then a second one of each, and so on; each question once."""
    hands = [draw.sample(unit, len(unit)) for unit in units]
    seen: set[str] = set()
    rounds = range(max(map(len, hands), default=0))
    for asked in chain.from_iterable((hand[number] for hand in hands if number < len(hand)) for number in rounds):
        if asked.question.lower() not in seen:
            seen.add(asked.question.lower())
            yield asked


def _numbered(asked: Asked, number: int) -> Asked:
    return replace(asked, id=f"{asked.group}/{asked.capability}/{number}")
