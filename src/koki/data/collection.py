"""The recipes that a data set is about: under which names, and which of them stand on the shelf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import Final, Self

from koki.book.naming import names_by_number
from koki.config import RunConfig
from koki.data.conversations import tips_of
from koki.data.recipes import RecipesOfRun
from koki.dialogue.compose import Composer
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.shelf import MOST_ON_SHELF, Shelf, rank
from koki.dialogue.vocabulary import Vocabulary
from koki.recipes.recipe import Recipe
from koki.recipes.stored import some_of

# Recipes whose words are gathered together.
_AT_ONCE: Final = 4_096


@dataclass(frozen=True)
class Collection:
    """The recipes that a data set is about.

    Attributes:
        recipes: of which a worker process gets a copy, unless they are on disk.
        names: place of a recipe -> name of its dish.
        shelf: the places of those on the shelf.
        roots: of the main ingredients of all recipes, those that are held out too.
    """

    recipes: Sequence[Recipe]
    names: Sequence[str] | Mapping[int, str]
    shelf: Sequence[int]
    roots: frozenset[str]

    @classmethod
    def of(cls, recipes: RecipesOfRun, places: Sequence[int]) -> Self:
        """Those at some places, in the order of these."""
        some, survey = some_of(recipes.read.kept, places), recipes.survey
        titled = [survey.lines[place].titled for place in places]
        best = nsmallest(MOST_ON_SHELF, range(len(titled)), key=lambda at: rank(titled[at].loves, titled[at].id))
        return cls(some, names_by_number(titled, some), sorted(best), survey.roots)

    def without_other_names(self) -> Self:
        """The same with the names of those on the shelf alone: what every worker process needs."""
        return replace(self, names={place: self.names[place] for place in self.shelf})

    def composer(self, config: RunConfig) -> Composer:
        """What writes the conversations of these recipes that a run with this configuration trains on."""
        recipes = [self.recipes[place] for place in self.shelf]
        names = {recipe.id: self.names[place] for place, recipe in zip(self.shelf, recipes, strict=True)}
        return Composer(load_phrasebook(), tips_of(config), Shelf(recipes, names, self.roots), config.seed)

    def vocabulary(self) -> Vocabulary:
        """What the questions about all of them are made of."""
        starts = range(0, len(self.recipes), _AT_ONCE)
        blocks = (range(start, min(start + _AT_ONCE, len(self.recipes))) for start in starts)
        return Vocabulary.joined(
            vocabulary_of(list(self.recipes[block.start : block.stop]), [self.names[place] for place in block])
            for block in blocks
        )


def vocabulary_of(recipes: Sequence[Recipe], names: Sequence[str]) -> Vocabulary:
    """What the questions about some recipes of these names are made of."""
    by_id = {recipe.id: name for recipe, name in zip(recipes, names, strict=True)}
    return Vocabulary.of(recipes, by_id, load_phrasebook())
