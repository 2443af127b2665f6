"""Fills the phrasebook for a recipe: 5 standard requests, 15 simple questions, 10 recommendations, 10 inquiries.

Every draw comes from a generator seeded by (seed, recipe id, purpose), never from global state: a recipe's
conversations do not depend on which other recipes there are.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from koki.dialogue.phrasebook import Phrasebook, Question, Tip
from koki.recipes.ingredients import Ingredient, fold, is_seasoning
from koki.recipes.table import Recipe

Kind = Literal["standard", "simple", "recommendation", "inquiry", "tip"]
KINDS: tuple[Kind, ...] = ("standard", "simple", "recommendation", "inquiry", "tip")
RECIPE_KINDS: frozenset[Kind] = frozenset(KINDS) - {"tip"}

# The simple and standard questions of a recipe share this many differently worded answers.
ANSWER_WORDINGS = 3
# A recommendation names this many ingredients at hand (the mission: 3 to 5).
FEWEST_AT_HAND, MOST_AT_HAND = 3, 5


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an answer; ``role`` says what may be left out when the answer is too long."""

    text: str
    role: Literal["body", "tip", "courtesy"] = "body"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One question and its answer; the segments are joined by blank lines."""

    kind: Kind
    system: str
    question: str
    answer: tuple[Segment, ...]


class Composer:
    """Writes conversations with one phrasebook, one set of tips and one seed."""

    def __init__(self, phrasebook: Phrasebook, tips: Sequence[Tip], seed: int) -> None:
        self._book = phrasebook
        self._tips = tips
        self._seed = seed

    def compose(self, recipe: Recipe) -> list[Conversation]:
        """All conversations of one recipe, in the order of the phrasebook.

        A recipe with fewer than three main ingredients has no recommendations; one without any main ingredient
        has no inquiries either.
        """
        return [
            *self._requests(recipe, "standard", self._book.standard),
            *self._requests(recipe, "simple", self._book.simple),
            *self._recommendations(recipe),
            *self._inquiries(recipe),
        ]

    def compose_tip(self, tip: Tip) -> list[Conversation]:
        """One conversation for each way of asking for the tip."""
        return [self._conversation("tip", question, (Segment(tip.answer),)) for question in tip.questions]

    def _conversation(self, kind: Kind, question: str, answer: tuple[Segment, ...]) -> Conversation:
        return Conversation(kind, self._book.system.prompt, question, answer)

    def _requests(self, recipe: Recipe, kind: Kind, questions: Sequence[Question]) -> list[Conversation]:
        return [
            self._conversation(kind, _ask(q.question, dish=recipe.title), self._requested(recipe, q, number))
            for number, q in enumerate(questions)
        ]

    def _requested(self, recipe: Recipe, question: Question, number: int) -> tuple[Segment, ...]:
        draw = self._generator(recipe, question.answers, number % ANSWER_WORDINGS)
        frame = self._book.frames.requested(question.answers)
        opening = Segment(_say(draw.choice(frame.opening), dish=recipe.title))
        tip = self._fitting_tip(recipe, draw) if question.tip else ()
        return (opening, *self._body(recipe, question.answers), *tip, self._courtesy(draw))

    def _recommendations(self, recipe: Recipe) -> list[Conversation]:
        main = recipe.main_ingredients
        if len(main) < FEWEST_AT_HAND:
            return []
        return [
            self._recommendation(recipe, main, question, self._generator(recipe, "recommendation", number))
            for number, question in enumerate(self._book.recommendation)
        ]

    def _recommendation(
        self, recipe: Recipe, main: tuple[str, ...], question: Question, draw: random.Random
    ) -> Conversation:
        frame = self._book.frames.recommendation
        at_hand = _draw_at_hand(main, draw)
        missing = [name for name in main if name not in at_hand]
        named = self._join(at_hand)
        opening = _say(draw.choice(frame.opening), dish=recipe.title, ingredients=named)
        if missing:
            rest = _say(draw.choice(frame.missing), missing=self._join(missing))
        else:
            rest = _say(draw.choice(frame.complete))
        lead = _say(draw.choice(frame.recipe), dish=recipe.title)
        answer = (Segment(f"{opening} {rest} {lead}"), *self._body(recipe, "recipe"), self._courtesy(draw))
        return self._conversation("recommendation", _ask(question.question, ingredients=named), answer)

    def _inquiries(self, recipe: Recipe) -> list[Conversation]:
        subjects = inquiry_subjects(recipe)
        if not subjects:
            return []
        return [
            self._inquiry(recipe, subjects[number % len(subjects)], question)
            for number, question in enumerate(self._book.inquiry)
        ]

    def _inquiry(self, recipe: Recipe, ingredient: str, question: Question) -> Conversation:
        # seeded by the ingredient, so that all questions about it share one wording
        draw = self._generator(recipe, "inquiry", ingredient)
        frame = self._book.frames.inquiry
        opening = _say(draw.choice(frame.opening), dish=recipe.title, ingredient=ingredient)
        lead = _say(draw.choice(frame.recipe), dish=recipe.title)
        answer = (Segment(f"{opening} {lead}"), *self._body(recipe, "recipe"), self._courtesy(draw))
        return self._conversation("inquiry", _ask(question.question, ingredient=ingredient), answer)

    def _body(self, recipe: Recipe, part: Literal["recipe", "ingredients", "steps"]) -> tuple[Segment, ...]:
        """Ingredients and steps under their headings; one of them alone has its heading in the opening."""
        ingredients, steps = list_ingredients(recipe.ingredients), list_steps(recipe.steps)
        if part == "ingredients":
            return (Segment(ingredients),)
        if part == "steps":
            return (Segment(steps),)
        headings = self._book.headings
        return Segment(f"{headings.ingredients}\n{ingredients}"), Segment(f"{headings.steps}\n{steps}")

    def _fitting_tip(self, recipe: Recipe, draw: random.Random) -> tuple[Segment, ...]:
        names = {fold(name) for name in recipe.main_ingredients}
        fitting = [tip for tip in self._tips if names & {fold(name) for name in tip.ingredients}]
        if not fitting:
            return ()
        return (Segment(self._book.headings.tip.format(tip=draw.choice(fitting).short), "tip"),)

    def _courtesy(self, draw: random.Random) -> Segment:
        return Segment(draw.choice(self._book.frames.closing.courtesy), "courtesy")

    def _join(self, names: Sequence[str]) -> str:
        joining = self._book.joining
        return joining.last.join(part for part in (joining.comma.join(names[:-1]), names[-1]) if part)

    def _generator(self, recipe: Recipe, *purpose: object) -> random.Random:
        return random.Random(":".join(map(str, (self._seed, recipe.id, *purpose))))


def inquiry_subjects(recipe: Recipe) -> tuple[str, ...]:
    """The ingredients that make the dish: seasonings only where there is nothing else."""
    main = recipe.main_ingredients
    return tuple(name for name in main if not is_seasoning(name)) or main


def list_ingredients(ingredients: Sequence[Ingredient]) -> str:
    """The user's ingredient lines as a list; a heading among them starts a block of its own."""
    blocks: list[list[str]] = [[]]
    for ingredient in ingredients:
        if ingredient.heading:
            blocks.append([f"{ingredient.raw.strip().rstrip(':').rstrip()}:"])
        else:
            blocks[-1].append(f"- {ingredient.raw.strip()}")
    return "\n\n".join("\n".join(block) for block in blocks if block)


def list_steps(steps: Sequence[str]) -> str:
    """The steps, numbered from 1."""
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))


def _draw_at_hand(main: tuple[str, ...], draw: random.Random) -> list[str]:
    """3 to 5 of the main ingredients, at least one of them more than a seasoning where the dish has one."""
    count = draw.randint(FEWEST_AT_HAND, min(MOST_AT_HAND, len(main)))
    first = draw.choice([name for name in main if not is_seasoning(name)] or main)
    rest = draw.sample([name for name in main if name != first], count - 1)
    return [first, *rest]


def _ask(form: str, **words: str) -> str:
    """Fill a question; one typed in lower case has its dish in lower case too, as on a phone."""
    if form == form.lower():
        words = {name: word.lower() for name, word in words.items()}
    return form.format(**words)


def _say(form: str, **words: str) -> str:
    """Fill a sentence of an answer; it starts with a capital whatever stands first."""
    sentence = form.format(**words)
    return sentence[:1].upper() + sentence[1:]
