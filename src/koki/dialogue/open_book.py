"""Conversations in which the chef has read pages of its book: what it says stands there, or follows from it.

An answer follows from what was read and from what was asked alone, without a draw: what a model learns from them is to
read, not to know. Which other pages lie beside the right one is drawn, seeded by the question.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import cycle
from typing import Final

from koki.book.kitchen import inquiry_subjects
from koki.book.pantry import Pantry, Suggestion, thing, used_of
from koki.book.reading import Page, Reading, TipPage
from koki.dialogue.altered import altered
from koki.dialogue.at_hand import draw_at_hand
from koki.dialogue.book_answers import BookAnswers
from koki.dialogue.conversation import Conversation, Kind, Segment
from koki.dialogue.details import common_ingredients, details_of
from koki.dialogue.forms import ask, trained
from koki.dialogue.pages import reading_texts
from koki.dialogue.phrasebook import Phrasebook, Question, Tip
from koki.dialogue.shelf import Shelf
from koki.ingredients.lexicon import LEXICON, fold, is_seasoning
from koki.recipes.recipe import Recipe

_MOST_PAGES: Final = 3  # that are read at once, where it is not sure which one is meant
_MOST_OTHERS: Final = 2  # further dishes, which are named beside the one whose page is read

# Pages beside the right one, as often as they are listed: mostly none, as where it is sure which one is meant.
_BESIDE: Final = (0, 0, 0, 1, 2)
# Of recipes that share a word of their names so many are looked at, those that share a rarer word first.
_MOST_LOOKED_AT: Final = 60
# Questions for the dish of each recipe while the book lacks it.
_ABSENT: Final = 6
# Ingredients of which is kept what has them.
_KEPT: Final = 1024
# Of the versions of what is read, those that name each page.
_WITH_ALL_NAMES: Final = 2


class OpenBook:
    """Writes conversations about recipes that stand in one book.

    Args:
        shelf: of the book; other dishes than the one that is asked for are those of the shelf.
        pantry: of the recipes on the shelf.
    """

    def __init__(self, phrasebook: Phrasebook, shelf: Shelf, pantry: Pantry, tips: Sequence[Tip], seed: int) -> None:
        self._words = phrasebook
        self._shelf, self._pantry, self._tips = shelf, pantry, tips
        self._answers = BookAnswers(phrasebook)
        self._seed = seed
        # Recipes have the same few hundred ingredients, and what has one of them takes the whole shelf to find.
        self._dishes_with = lru_cache(_KEPT)(self._find_dishes_with)
        self._places_with = lru_cache(_KEPT)(lambda ingredient: pantry.places_with_any((ingredient,)))

    def compose(self, recipe: Recipe, name: str) -> list[Conversation]:
        """All conversations of one of the recipes, without questions that no dish on the shelf is an answer to.

        Args:
            recipe: on the shelf or not.
            name: of the dish; no other recipe has it.
        """
        page = Page(name, recipe)
        return [
            *self._requests(page),
            *self._recommendations(recipe),
            *self._inquiries(recipe),
            *self._details(page),
            *self._absences(page),
        ]

    def compose_tip(self, tip: Tip) -> list[Conversation]:
        """One conversation for each way of asking for the tip, at times with the page of another one beside it."""
        return [self._tip(tip, question) for question in tip.questions]

    def _tip(self, tip: Tip, question: str) -> Conversation:
        draw = self._draw("tip", question)
        beside = draw.sample(self._tips, min(draw.choice((0, 1)), len(self._tips)))
        tips = [tip, *(it for it in beside if it is not tip)]
        pages = tuple(TipPage(it.topic, it.answer) for it in draw.sample(tips, len(tips)))
        return self._conversation("tip", question, Reading("tip", tips=pages), (Segment(tip.answer),))

    def _requests(self, own: Page) -> Iterator[Conversation]:
        forms: tuple[tuple[Kind, Sequence[Question]], ...] = (
            ("standard", self._words.standard),
            ("simple", self._words.simple),
        )
        pages = cycle((own, self._altered(own, self._shelf.recipes)))
        for kind, questions in forms:
            for form in trained(questions):
                page = next(pages)
                question = ask(form.question, dish=page.name)
                reading = Reading(form.answers, self._among_others(page, self._draw(kind, question)))
                answer = self._answers.requested(page, form.answers)
                yield self._conversation(kind, question, reading, answer, versions=_versions(reading, page))

    def _recommendations(self, recipe: Recipe) -> Iterator[Conversation]:
        for number, form in enumerate(trained(self._words.recommendation)):
            at_hand = draw_at_hand(recipe, self._draw(recipe.id, "recommendation", number))
            suggestions = self._pantry.what_can_i_cook(at_hand, 1 + _MOST_OTHERS)
            if suggestions:
                best, *others = (self._suggested(at_hand, suggestion) for suggestion in suggestions)
                if number % 2:
                    best = self._altered(best)
                # a dish that uses a single thing at hand is not worth suggesting
                others = [page for page in others if len(page.at_hand) > 1]
                reading = Reading("recommendation", (best,), others=tuple(others), ingredients=tuple(at_hand))
                question = ask(form.question, ingredients=self._words.joining.join(at_hand))
                answer, brief = self._answers.recommended(reading)
                yield self._conversation("recommendation", question, reading, answer, brief=brief)

    def _suggested(self, at_hand: Sequence[str], suggestion: Suggestion) -> Page:
        used = used_of(at_hand, suggestion)
        return replace(self._page(suggestion.recipe), at_hand=used, missing=suggestion.missing)

    def _inquiries(self, recipe: Recipe) -> Iterator[Conversation]:
        subjects = [name for name in inquiry_subjects(recipe) if self._dishes_with(name)]
        for number, form in enumerate(trained(self._words.inquiry) if subjects else ()):
            ingredient = subjects[number % len(subjects)]
            best, *others = map(self._page, self._dishes_with(ingredient))
            if number % 2:
                best = self._altered(best)
            reading = Reading("inquiry", (best,), others=tuple(others), ingredients=(ingredient,))
            answer, brief = self._answers.inquired(reading)
            yield self._conversation("inquiry", ask(form.question, ingredient=ingredient), reading, answer, brief=brief)

    def _details(self, own: Page) -> Iterator[Conversation]:
        # all of them of the recipe's own page, every other one of the page that says otherwise
        for number, page in enumerate((own, self._altered(own, self._shelf.recipes))):
            details = details_of(page.recipe, page.name, self._asked_in_vain, self._seed)
            for detail in [it for it in details if not it.held_out][number :: 1 + number]:
                asked_of = replace(page, times=detail.times)
                read = self._among_others(asked_of, self._draw("detail", detail.question))
                answer, reading = (Segment(detail.answer),), Reading("detail", read)
                yield self._conversation(
                    "detail", detail.question, reading, answer, versions=_versions(reading, asked_of)
                )

    @cached_property
    def _asked_in_vain(self) -> tuple[str, ...]:
        """Ingredients that are asked about where a recipe lacks them."""
        return common_ingredients(self._shelf.recipes)

    def _find_dishes_with(self, ingredient: str) -> list[Recipe]:
        """A few dishes with the ingredient: those named for it first, then the best-loved."""
        called = f" {fold(ingredient)} "
        dishes = self._pantry.with_ingredient(ingredient)
        return sorted(dishes, key=lambda it: called not in f" {fold(it.title)} ")[: 1 + _MOST_OTHERS]

    def _absences(self, own: Page) -> Iterator[Conversation]:
        """Questions for a dish that the book lacks, or that stands on none of the pages that may have been meant."""
        draw = self._draw(own.recipe.id, "absent")
        forms = [*trained(self._words.standard), *trained(self._words.simple)]
        for number, form in enumerate(draw.sample(forms, min(_ABSENT, len(forms)))):
            near = tuple(map(self._page, self._near(own, draw)[:_MOST_PAGES]))
            question = ask(form.question, dish=own.name)
            if number % 2 and len(near) > 1:  # a page that lies there alone is surely meant
                reading = Reading(form.answers, near[: draw.randint(2, len(near))])
                answer = self._answers.absent(own.name, [page.name for page in reading.pages])
            else:
                names = tuple(page.name for page in near)
                reading = Reading(form.answers, absent=own.name, nearest=names)
                answer = self._answers.absent(own.name, names)
            yield self._conversation("absent", question, reading, answer, versions=_WITH_ALL_NAMES)
        if self._lacking:
            form, lacking = draw.choice(trained(self._words.inquiry)), draw.choice(self._lacking)
            question, reading = ask(form.question, ingredient=lacking), Reading("inquiry", absent=lacking)
            yield self._conversation("absent", question, reading, self._answers.absent(lacking, ()))

    @cached_property
    def _lacking(self) -> tuple[str, ...]:
        """Names of ingredients that no recipe has, nor a kind of them."""
        kinds = ((name, thing(name)) for name in LEXICON.known.phrases() if not is_seasoning(name))
        return tuple(sorted(name for name, it in kinds if it and it.root not in self._shelf.roots))

    def _conversation(
        self,
        kind: Kind,
        question: str,
        reading: Reading,
        answer: tuple[Segment, ...],
        brief: tuple[Segment, ...] = (),
        versions: int | None = None,
    ) -> Conversation:
        """A conversation; of the versions of what is read only so many leave it what the answer needs."""
        read = tuple(reading_texts(reading, question, self._words))[:versions]
        return Conversation(kind, self._words.system.prompt, question, answer, brief=brief, read=read)

    def _page(self, recipe: Recipe) -> Page:
        """That of a recipe on the shelf."""
        return Page(self._shelf.names[recipe.id], recipe)

    def _altered(self, page: Page, others: Sequence[Recipe] = ()) -> Page:
        """A page that says otherwise than the recipe, which a model may know by heart: what it says must be read."""
        draw = self._draw("altered", page.recipe.id, bool(others))
        return replace(page, recipe=altered(page.recipe, others, draw))

    def _among_others(self, page: Page, draw: random.Random) -> tuple[Page, ...]:
        """The page, mostly alone, at times before, between or behind some that are easily taken for it."""
        count = draw.choice(_BESIDE)
        near = self._near(page, draw)[:count] if count else []
        pages = [page, *map(self._page, near)]
        return tuple(draw.sample(pages, len(pages)))

    def _near(self, page: Page, draw: random.Random) -> list[Recipe]:
        """Recipes whose names share words with that of this one, the nearest first, then some with its ingredients."""
        shared: Counter[int] = Counter()
        own = {word for word in fold(page.name).split() if word in self._places}
        for word in sorted(own, key=lambda word: (len(self._places[word]), word)):
            places = self._places[word]
            for place in draw.sample(places, min(_MOST_LOOKED_AT, len(places))):
                shared[place] += 1
        near = [self._shelf.recipes[place] for place, _ in shared.most_common(_MOST_PAGES + 1)]
        for name in inquiry_subjects(page.recipe)[:1]:
            same = self._places_with(name)
            some = draw.sample(range(len(same)), min(_MOST_PAGES, len(same)))
            near += [self._pantry.recipe_at(int(same[place])) for place in some]
        return [it for it in dict.fromkeys(near) if self._shelf.names[it.id] != page.name]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Word of a name -> the places of the recipes that have it."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, recipe in enumerate(self._shelf.recipes):
            for word in set(fold(self._shelf.names[recipe.id]).split()):
                places[word].append(place)
        return dict(places)

    def _draw(self, *purpose: object) -> random.Random:
        return random.Random(":".join(map(str, (self._seed, "book", *purpose))))


def _versions(reading: Reading, page: Page) -> int | None:
    """Only the whole version is sure to have a page that is not the first one; of the first one all are good."""
    return None if reading.pages[0] is page else 1
