"""Fills the phrasebook for a recipe: 5 standard requests, 15 simple questions, 10 recommendations, 10 inquiries.

The answers are the chef's who has them by heart; `koki.dialogue.open_book` writes those of one who reads.

Every draw comes from a generator seeded by its purpose, never from global state.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache, partial
from typing import Final

from koki.book.kitchen import inquiry_subjects
from koki.book.pantry import Pantry, Suggestion, used_of
from koki.book.reading import Page
from koki.dialogue.at_hand import draw_at_hand
from koki.dialogue.book_answers import body, further
from koki.dialogue.conversation import Conversation, Kind, Segment
from koki.dialogue.forms import ask, say, trained
from koki.dialogue.open_book import OpenBook
from koki.dialogue.pages import companion_line, suggestion_line
from koki.dialogue.phrasebook import Answers, Phrasebook, Question, Refusal, Tip
from koki.dialogue.reasons import reasons_in
from koki.dialogue.shelf import Shelf
from koki.ingredients.lexicon import fold
from koki.recipes.recipe import Recipe

ANSWER_WORDINGS: Final = 2
"""Differently worded answers that the simple and standard questions of a recipe share, in turn."""

# Dishes in one answer.
_MOST_DISHES: Final = 3
# Ingredients of which is kept what is said of them.
_KEPT: Final = 4096


class Composer:
    """Writes conversations about the recipes of a collection, with one phrasebook and one set of tips.

    A question has one answer, whichever recipe it was written for: recipes have names of their own, and what is
    drawn for a recommendation or an inquiry follows from the question alone.

    Args:
        shelf: of the collection; dishes for what is at hand or with an ingredient are looked for there alone.
    """

    def __init__(self, phrasebook: Phrasebook, tips: Sequence[Tip], shelf: Shelf, seed: int) -> None:
        self._book = phrasebook
        self._tips = [(tip, frozenset(map(fold, tip.ingredients))) for tip in tips]
        self._shelf = shelf
        self._pantry = Pantry(shelf.recipes)
        self._seed = seed
        # A recipe stands in many answers, and an answer under several questions: each is written once.
        self._bodies = lru_cache(maxsize=1024)(self._write_bodies)
        self._inquired = lru_cache(_KEPT)(self._write_inquired)

    def compose(self, recipe: Recipe, name: str) -> list[Conversation]:
        """All conversations of one of the recipes, in the order of the phrasebook, then tips from its own steps.

        A recipe with fewer than three main ingredients has no recommendations; one without any main ingredient
        has no inquiries either. Nor is anything asked that no dish on the shelf is an answer to: two recipes that are
        not there would answer the same question, each with itself.

        Args:
            recipe: on the shelf or not.
            name: of the dish; no other recipe has it.
        """
        return [
            *self._requests(recipe, name),
            *self._recommendations(recipe),
            *self._inquiries(recipe),
            *self._reasons(recipe, name),
        ]

    @cached_property
    def open_book(self) -> OpenBook:
        """What writes conversations about the same recipes that are answered from pages of the book."""
        return OpenBook(self._book, self._shelf, self._pantry, [tip for tip, _ in self._tips], self._seed)

    def compose_tip(self, tip: Tip) -> list[Conversation]:
        """One conversation for each way of asking for the tip."""
        return [self._conversation("tip", question, (Segment(tip.answer),)) for question in tip.questions]

    def compose_refusal(self, refusal: Refusal) -> list[Conversation]:
        """One conversation for each form of the question that is trained on."""
        return [self._conversation("refusal", question, (Segment(refusal.answer),)) for question in refusal.questions]

    def _conversation(
        self,
        kind: Kind,
        question: str,
        answer: tuple[Segment, ...],
        terse: tuple[Segment, ...] = (),
        brief: tuple[Segment, ...] = (),
    ) -> Conversation:
        return Conversation(kind, self._book.system.prompt, question, answer, terse, brief)

    def _requests(self, recipe: Recipe, dish: str) -> Iterator[Conversation]:
        forms: tuple[tuple[Kind, Sequence[Question]], ...] = (
            ("standard", self._book.standard),
            ("simple", self._book.simple),
        )
        requested = cache(partial(self._requested, recipe, dish, self._fitting_tips(recipe)))
        for kind, questions in forms:
            for number, q in enumerate(trained(questions)):
                answer = requested(q.answers, q.tip, number % ANSWER_WORDINGS)
                yield self._conversation(kind, ask(q.question, dish=dish), answer)

    def _requested(
        self, recipe: Recipe, dish: str, tips: Sequence[Tip], answers: Answers, has_tip: bool, wording: int
    ) -> tuple[Segment, ...]:
        draw = self._generator(recipe.id, answers, wording)
        frame = self._book.frames.requested(answers)
        opening = Segment(say(draw.choice(frame.opening), dish=dish))
        tip = (self._tip(draw.choice(tips)),) if has_tip and tips else ()
        return (opening, *self._bodies(recipe, dish)[answers], *tip, self._courtesy(draw))

    def _recommendations(self, recipe: Recipe) -> Iterator[Conversation]:
        for number, form in enumerate(trained(self._book.recommendation)):
            at_hand = draw_at_hand(recipe, self._generator(recipe.id, "recommendation", number))
            suggestions = self._pantry.what_can_i_cook(at_hand, _MOST_DISHES if form.several else 1)
            if suggestions:
                yield self._recommendation(at_hand, form, suggestions)

    def _recommendation(
        self, at_hand: Sequence[str], form: Question, suggestions: Sequence[Suggestion]
    ) -> Conversation:
        """A question with what is at hand; the answer names the best dish, what is missing, and its recipe."""
        question = ask(form.question, ingredients=self._join(at_hand))
        draw = self._generator(question.lower())
        frame = self._book.frames.recommendation
        best, *others = suggestions
        dish = self._name_of(best.recipe)
        opening = say(draw.choice(frame.opening), dish=dish, ingredients=self._join(used_of(at_hand, best)))
        if best.missing:
            rest = say(draw.choice(frame.missing), missing=self._join(best.missing))
        else:
            rest = draw.choice(frame.complete)
        recipe = self._bodies(best.recipe, dish)["recipe"]
        end = (
            *further(
                draw.choice(self._book.frames.others.recommendation),
                # a dish that uses a single thing at hand is not worth suggesting
                (
                    suggestion_line(Page(self._name_of(other.recipe), other.recipe, used, other.missing), self._book)
                    for other in others
                    if len(used := used_of(at_hand, other)) > 1
                ),
            ),
            self._courtesy(draw),
        )
        return self._conversation(
            "recommendation",
            question,
            (Segment(f"{opening} {rest} {draw.choice(frame.recipe)}"), *recipe, *end),
            terse=(Segment(f"{say(draw.choice(frame.terse), dish=dish)} {rest}"), *recipe),
            brief=(Segment(f"{opening} {rest} {say(draw.choice(frame.offer), dish=dish)}"), *end),
        )

    def _inquiries(self, recipe: Recipe) -> Iterator[Conversation]:
        told = [(name, both) for name in inquiry_subjects(recipe) if (both := self._inquired(name))]
        for number, form in enumerate(trained(self._book.inquiry) if told else ()):
            ingredient, (answer, brief) = told[number % len(told)]
            yield self._conversation("inquiry", ask(form.question, ingredient=ingredient), answer, brief=brief)

    def _write_inquired(self, ingredient: str) -> tuple[tuple[Segment, ...], tuple[Segment, ...]] | None:
        """The best-loved dish with the ingredient, its recipe, and further dishes; and the same without the recipe.

        None where no dish has the ingredient.
        """
        dishes = self._dishes_with(ingredient)
        if not dishes:
            return None
        # seeded by the ingredient, so that all questions about it share one answer
        draw = self._generator("inquiry", ingredient.lower())
        frame = self._book.frames.inquiry
        best, *others = dishes
        dish = self._name_of(best)
        opening = say(draw.choice(frame.opening), dish=dish, ingredient=ingredient)
        heading = say(draw.choice(self._book.frames.others.inquiry), ingredient=ingredient)
        end = (
            *further(heading, (companion_line(Page(self._name_of(it), it), ingredient, self._book) for it in others)),
            self._courtesy(draw),
        )
        return (
            (Segment(f"{opening} {draw.choice(frame.recipe)}"), *self._bodies(best, dish)["recipe"], *end),
            (Segment(f"{opening} {say(draw.choice(frame.offer), dish=dish)}"), *end),
        )

    def _dishes_with(self, ingredient: str) -> list[Recipe]:
        """A few dishes with the ingredient: those named for it first, then the best-loved.

        Equally loved ones come in an order that differs from ingredient to ingredient.
        """
        called = f" {fold(ingredient)} "
        groups: defaultdict[tuple[bool, int], list[Recipe]] = defaultdict(list)
        for recipe in self._pantry.with_ingredient(ingredient):
            groups[called not in f" {fold(recipe.title)} ", -(recipe.loves or 0)].append(recipe)
        dishes: list[Recipe] = []
        for _, equal in sorted(groups.items()):
            if len(dishes) < _MOST_DISHES:
                dishes += sorted(equal, key=lambda it: self._generator(ingredient.lower(), it.id).random())
        return dishes[:_MOST_DISHES]

    def _reasons(self, recipe: Recipe, dish: str) -> list[Conversation]:
        forms = self._book.reasons.questions
        return [
            self._conversation(
                "tip",
                ask(forms[number % len(forms)], dish=dish, purpose=purpose),
                (Segment(sentence),),
            )
            for number, (purpose, sentence) in enumerate(reasons_in(recipe, self._book.reasons))
        ]

    def _write_bodies(self, recipe: Recipe, dish: str) -> dict[Answers, tuple[Segment, ...]]:
        """The whole recipe, and each of its parts alone."""
        page = Page(dish, recipe)
        return {
            "recipe": body(page, "recipe", self._book),
            "ingredients": body(page, "ingredients", self._book),
            "steps": body(page, "steps", self._book),
        }

    def _name_of(self, recipe: Recipe) -> str:
        """The name of a dish on the shelf."""
        return self._shelf.names[recipe.id]

    def _fitting_tips(self, recipe: Recipe) -> list[Tip]:
        """The tips about one of the recipe's ingredients."""
        names = {fold(name) for item in recipe.ingredients for name in item.names}
        return [tip for tip, about in self._tips if not names.isdisjoint(about)]

    def _tip(self, tip: Tip) -> Segment:
        return Segment(self._book.headings.tip.format(tip=tip.short), "extra")

    def _courtesy(self, draw: random.Random) -> Segment:
        return Segment(draw.choice(self._book.frames.closing.courtesy), "courtesy")

    def _join(self, names: Sequence[str]) -> str:
        return self._book.joining.join(names)

    def _generator(self, *purpose: object) -> random.Random:
        return random.Random(":".join(map(str, (self._seed, *purpose))))
