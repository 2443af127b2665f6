"""What a chef is asked: of each capability, questions of each group (`koki.evaluation.asked.GROUPS`)."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from typing import Final

from koki.book.naming import names_of
from koki.config import RunConfig
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation, Kind, Segment
from koki.dialogue.details import common_ingredients, details_of
from koki.dialogue.phrasebook import Phrasebook, load_phrasebook, load_tips
from koki.dialogue.shelf import shelf_of
from koki.dialogue.typist import Typist
from koki.dialogue.vocabulary import Vocabulary
from koki.errors import DataError
from koki.evaluation.asked import Asked
from koki.evaluation.capabilities import registry
from koki.evaluation.capabilities.capability import Capability
from koki.evaluation.capabilities.detail import DETAIL
from koki.recipes.recipe import Recipe
from koki.tokens.dataset import ConversationDataset
from koki.tokens.template import ChatTemplate

# Not every recipe has questions of every kind, so this many subjects are looked through for each question wanted, in
# this many rounds at most.
_SUBJECTS_PER_QUESTION: Final = 3
_MOST_ROUNDS: Final = 10

_Subject = tuple[Recipe | None, Sequence[Conversation]]
"""What questions are made from: a recipe, or None for a tip or a refusal, and its conversations."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A group of questions.

    Attributes:
        recipes: those asked about.
        book: has the forms of question.
        is_wanted: whether a question belongs in the group.
        typed: the question as it is asked.
    """

    name: str
    recipes: Sequence[Recipe]
    book: Phrasebook
    is_wanted: Callable[[Asked], bool] = lambda _: True
    typed: Callable[[str], str] = lambda question: question


class Examiner:
    """Draws questions; the same run gives the same ones.

    Args:
        train, held_out: the recipes of the run, as it split them.
        template: that of the run's tokenizer. A conversation that does not fit was not trained on, and is not asked.
        vocabulary_size: that of the tokenizer.
        seed: of what is drawn here; another one asks other questions.
        added: recipes that its book got after training; None where it has no book.
    """

    def __init__(
        self,
        train: Sequence[Recipe],
        held_out: Sequence[Recipe],
        config: RunConfig,
        template: ChatTemplate,
        vocabulary_size: int,
        seed: int,
        added: Sequence[Recipe] | None = None,
    ) -> None:
        self._train, self._held_out, self._added = train, held_out, added or ()
        self._capabilities = [one for one in registry.CAPABILITIES if added is not None or not one.needs_book]
        self._config = config
        self._template, self._vocabulary_size = template, vocabulary_size
        self._seed = seed
        self._book = load_phrasebook()

    def draw(self, count: int) -> list[Asked]:
        """Up to ``count`` questions of each capability in each group."""
        groups = (
            _Group("recall", self._train, self._book),
            _Group("typing", self._train, self._book, typed=self._typed()),
            _Group("understanding", self._train, with_other_forms(self._book)),
            _Group("generalisation", self._held_out, self._book, self._is_new()),
            _Group("added", self._added, self._book, self._is_new()),
        )
        return [asked for group in groups for asked in self._drawn(group, count)]

    def _drawn(self, group: _Group, count: int) -> Iterator[Asked]:
        yield from self._drawn_about_recipes(group, count)
        for capability in self._capabilities:
            if not capability.about_recipes:
                yield from self._drawn_apart(group, capability, count)

    def _drawn_about_recipes(self, group: _Group, count: int) -> Iterator[Asked]:
        draw = random.Random(f"{self._seed}:evaluation:{group.name}")
        subjects: list[list[Asked]] = []
        composed = self._composed(group, count, draw)
        for _ in range(_MOST_ROUNDS):
            more = list(islice(composed, count * _SUBJECTS_PER_QUESTION))
            subjects += self._fitting(group, more)
            if not more or self._are_enough(subjects, count):
                break
        draw.shuffle(subjects)
        for capability in self._about_recipes():
            of_it = [[asked for asked in subject if asked.capability == capability.name] for subject in subjects]
            yield from _numbered(_dealt(of_it, draw), count)

    def _drawn_apart(self, group: _Group, capability: Capability, count: int) -> Iterator[Asked]:
        # another seed would be other questions than earlier scorecards have, hence the s of "refusals"
        draw = random.Random(f"{self._seed}:evaluation:{group.name}:{capability.name}s")
        composer = Composer(group.book, (), shelf_of((), {}), self._config.seed)
        subjects = list(self._fitting(group, self._besides_recipes(group, capability, composer, count, draw)))
        yield from _numbered(_dealt(subjects, draw), count)

    def _composed(self, group: _Group, count: int, draw: random.Random) -> Iterator[_Subject]:
        """Some of the subjects besides the recipes, then the recipes one by one, each of them in a random order."""
        if not group.recipes:
            return
        tips = load_tips() if self._config.data.tips else ()
        names = names_of(group.recipes)
        shelf = shelf_of(group.recipes, names)
        composer = Composer(group.book, tips, shelf, self._config.seed)
        for capability in self._about_recipes():
            yield from self._besides_recipes(group, capability, composer, count, draw)
        in_vain = common_ingredients(shelf.recipes)
        for recipe in draw.sample(group.recipes, len(group.recipes)):
            dish = names[recipe.id]
            yield recipe, [*composer.compose(recipe, dish), *self._details(group, recipe, dish, in_vain)]

    def _details(self, group: _Group, recipe: Recipe, dish: str, in_vain: Sequence[str]) -> Iterator[Conversation]:
        """Questions about one thing in a recipe, in forms that are trained on, or for understanding in the others."""
        if DETAIL not in self._capabilities:
            return
        for detail in details_of(recipe, dish, in_vain, self._config.seed):
            if detail.held_out is (group.name == "understanding"):
                answer = (Segment(detail.answer),)
                yield Conversation("detail", group.book.system.prompt, detail.question, answer)

    def _besides_recipes(
        self, group: _Group, capability: Capability, composer: Composer, count: int, draw: random.Random
    ) -> list[_Subject]:
        subjects = capability.subjects(group.name, composer, self._config.data)
        return [(None, conversations) for conversations in draw.sample(subjects, min(count, len(subjects)))]

    def _fitting(self, group: _Group, subjects: Sequence[_Subject]) -> Iterator[list[Asked]]:
        """The questions of each subject whose conversations fit, with their answers as they are trained on."""
        with suppress(DataError):  # raised where not one fits
            conversations = [conversations for _, conversations in subjects]
            dataset = ConversationDataset.of(conversations, self._template, self._vocabulary_size, self._config.tokens)
            bounds = pairwise(dataset.group_starts.tolist())
            for (recipe, _), (start, end) in zip(subjects, bounds, strict=True):
                numbers = range(start, end)
                asked = (self._asked(group, recipe, dataset.kind(number), *dataset.texts(number)) for number in numbers)
                yield list(filter(group.is_wanted, asked))

    def _asked(self, group: _Group, recipe: Recipe | None, kind: Kind, question: str, reference: str) -> Asked:
        capability = registry.taught_by(kind)
        names = tuple(capability.names_in(question, group.book))
        return Asked("", group.name, capability.name, group.typed(question), reference, recipe, names)

    def _about_recipes(self) -> list[Capability]:
        return [capability for capability in self._capabilities if capability.about_recipes]

    def _are_enough(self, subjects: Iterable[Sequence[Asked]], count: int) -> bool:
        """Whether there are as many subjects with questions of each capability as questions are wanted."""
        found = Counter(capability for subject in subjects for capability in {asked.capability for asked in subject})
        return all(found[capability.name] >= count for capability in self._about_recipes())

    def _typed(self) -> Callable[[str], str]:
        """Types a question as a run does in training, from another seed: in a way that it hardly met."""
        names = names_of(self._train)
        typist = Typist(self._book, Vocabulary.of(self._train, names, self._book))
        return lambda question: typist.type(question, random.Random(f"{self._seed}:evaluation:typing:{question}"))

    def _is_new(self) -> Callable[[Asked], bool]:
        """A function that tells whether a question is new to the chef, each capability's in its own way."""
        by_capability = {capability.name: capability.new_to(self._train) for capability in registry.CAPABILITIES}
        return lambda asked: by_capability[asked.capability](asked)


def with_other_forms(book: Phrasebook) -> Phrasebook:
    """The same phrasebook, with the forms of question that were held out from training instead of those trained on."""
    changes = {
        name: tuple(form.model_copy(update={"held_out": not form.held_out}) for form in forms)
        for name, forms in book
        if isinstance(forms, tuple)
    }
    # reasons are asked for in these forms in turn; with the forms moved on by one, each is asked for in another
    first, *others = book.reasons.questions
    reasons = book.reasons.model_copy(update={"questions": (*others, first)})
    return book.model_copy(update={**changes, "reasons": reasons})


def _dealt(subjects: Sequence[Sequence[Asked]], draw: random.Random) -> Iterator[Asked]:
    """One question of each subject, then a second one of each, and so on; each question once."""
    hands = [draw.sample(subject, len(subject)) for subject in subjects]
    seen: set[str] = set()
    rounds = range(max(map(len, hands), default=0))
    for asked in chain.from_iterable((hand[number] for hand in hands if number < len(hand)) for number in rounds):
        if asked.question.lower() not in seen:
            seen.add(asked.question.lower())
            yield asked


def _numbered(asked: Iterator[Asked], count: int) -> Iterator[Asked]:
    """Up to ``count`` questions, with ids that count from 1."""
    for number, one in zip(range(1, count + 1), asked, strict=False):
        yield replace(one, id=f"{one.group}/{one.capability}/{number}")
