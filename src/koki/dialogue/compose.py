"""Fills the phrasebook for a recipe: 5 standard requests, 15 simple questions, 10 recommendations, 10 inquiries.

Every draw comes from a generator seeded by its purpose, never from global state.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache, partial
from typing import Final, Literal, NamedTuple

from koki.book.kitchen import inquiry_subjects, kitchen_names, unrelated_names
from koki.book.naming import names_of
from koki.book.pantry import Pantry, Suggestion, thing, used_of
from koki.dialogue.layout import list_ingredients, list_steps
from koki.dialogue.phrasebook import Answers, Phrasebook, Question, Refusal, Tip
from koki.dialogue.reasons import reasons_in
from koki.dialogue.vocabulary import Vocabulary
from koki.ingredients.lexicon import fold, is_seasoning
from koki.recipes.recipe import Recipe

Kind = Literal["standard", "simple", "recommendation", "inquiry", "tip", "refusal"]
KINDS: Final[tuple[Kind, ...]] = ("standard", "simple", "recommendation", "inquiry", "tip", "refusal")
RECIPE_KINDS: Final[frozenset[Kind]] = frozenset(KINDS) - {"tip", "refusal"}

ANSWER_WORDINGS: Final = 2
"""Differently worded answers that the simple and standard questions of a recipe share, in turn."""

# Ingredients at hand that a recommendation names: 3 to 5, as the mission says.
_FEWEST_AT_HAND: Final = 3
_MOST_AT_HAND: Final = 5
# Dishes in one answer.
_MOST_DISHES: Final = 3


class Segment(NamedTuple):
    """A part of an answer; ``role`` says what may be left out when the answer is too long.

    An ``extra`` is a tip at the end of a recipe, or further dishes.
    """

    text: str
    role: Literal["body", "extra", "courtesy"] = "body"


class Conversation(NamedTuple):
    """One question and its answer; the segments are joined by blank lines.

    Attributes:
        terse: the answer in fewer words around the same recipe, should the recipe be long.
        brief: the answer without the recipe, should that be too long for any answer to hold it.
    """

    kind: Kind
    system: str
    question: str
    answer: tuple[Segment, ...]
    terse: tuple[Segment, ...] = ()
    brief: tuple[Segment, ...] = ()


class Composer:
    """Writes conversations about recipes that belong together, with one phrasebook and one set of tips.

    A question has one answer, whichever recipe it was written for: recipes have names of their own, and what is
    drawn for a recommendation or an inquiry follows from the question alone.
    """

    def __init__(self, phrasebook: Phrasebook, tips: Sequence[Tip], recipes: Sequence[Recipe], seed: int) -> None:
        self._book = phrasebook
        self._tips = [(tip, frozenset(map(fold, tip.ingredients))) for tip in tips]
        self._pantry = Pantry(recipes)
        self._names = names_of(recipes)
        self._seed = seed
        self._recipes = {recipe.id: recipe for recipe in recipes}
        # A recipe stands in many answers, and an answer under several questions: each is written once.
        self._bodies = lru_cache(maxsize=1024)(self._write_bodies)
        self._inquired = cache(self._write_inquired)

    def compose(self, recipe: Recipe) -> list[Conversation]:
        """All conversations of one of the recipes, in the order of the phrasebook, then tips from its own steps.

        A recipe with fewer than three main ingredients has no recommendations; one without any main ingredient
        has no inquiries either.
        """
        return [
            *self._requests(recipe),
            *self._recommendations(recipe),
            *self._inquiries(recipe),
            *self._reasons(recipe),
        ]

    @property
    def vocabulary(self) -> Vocabulary:
        """What the questions about the recipes are made of."""
        return Vocabulary.of(tuple(self._recipes.values()), self._names, self._book)

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

    def _requests(self, recipe: Recipe) -> Iterator[Conversation]:
        forms: tuple[tuple[Kind, Sequence[Question]], ...] = (
            ("standard", self._book.standard),
            ("simple", self._book.simple),
        )
        dish = self._names[recipe.id]
        requested = cache(partial(self._requested, recipe, self._fitting_tips(recipe)))
        for kind, questions in forms:
            for number, q in enumerate(trained(questions)):
                answer = requested(q.answers, q.tip, number % ANSWER_WORDINGS)
                yield self._conversation(kind, _ask(q.question, dish=dish), answer)

    def _requested(
        self, recipe: Recipe, tips: Sequence[Tip], answers: Answers, has_tip: bool, wording: int
    ) -> tuple[Segment, ...]:
        draw = self._generator(recipe.id, answers, wording)
        frame = self._book.frames.requested(answers)
        opening = Segment(_say(draw.choice(frame.opening), dish=self._names[recipe.id]))
        tip = (self._tip(draw.choice(tips)),) if has_tip and tips else ()
        return (opening, *self._bodies(recipe.id)[answers], *tip, self._courtesy(draw))

    def _recommendations(self, recipe: Recipe) -> list[Conversation]:
        if len(recipe.main_ingredients) < _FEWEST_AT_HAND:
            return []
        names = unrelated_names(recipe)
        if len(names) < _FEWEST_AT_HAND or all(map(is_seasoning, names)):
            names = recipe.main_ingredients
        return [
            self._recommendation(_draw_at_hand(names, self._generator(recipe.id, "recommendation", number)), question)
            for number, question in enumerate(trained(self._book.recommendation))
        ]

    def _recommendation(self, at_hand: Sequence[str], form: Question) -> Conversation:
        """A question with what is at hand; the answer names the best dish, what is missing, and its recipe."""
        question = _ask(form.question, ingredients=self._join(at_hand))
        draw = self._generator(question.lower())
        frame = self._book.frames.recommendation
        best, *others = self._pantry.what_can_i_cook(at_hand, _MOST_DISHES if form.several else 1)
        dish = self._names[best.recipe.id]
        opening = _say(draw.choice(frame.opening), dish=dish, ingredients=self._join(used_of(at_hand, best)))
        if best.missing:
            rest = _say(draw.choice(frame.missing), missing=self._join(best.missing))
        else:
            rest = draw.choice(frame.complete)
        recipe = self._bodies(best.recipe.id)["recipe"]
        end = (
            *self._others(
                draw.choice(self._book.frames.others.recommendation),
                # a dish that uses a single thing at hand is not worth suggesting
                (self._suggestion(used, other) for other in others if len(used := used_of(at_hand, other)) > 1),
            ),
            self._courtesy(draw),
        )
        return self._conversation(
            "recommendation",
            question,
            (Segment(f"{opening} {rest} {draw.choice(frame.recipe)}"), *recipe, *end),
            terse=(Segment(f"{_say(draw.choice(frame.terse), dish=dish)} {rest}"), *recipe),
            brief=(Segment(f"{opening} {rest} {_say(draw.choice(frame.offer), dish=dish)}"), *end),
        )

    def _suggestion(self, used: Sequence[str], suggestion: Suggestion) -> str:
        frame = self._book.frames.others
        form = frame.with_missing if suggestion.missing else frame.with_all
        return form.format(
            dish=self._names[suggestion.recipe.id],
            at_hand=self._join(used),
            missing=self._join(suggestion.missing) if suggestion.missing else "",
        )

    def _inquiries(self, recipe: Recipe) -> list[Conversation]:
        subjects = inquiry_subjects(recipe)
        if not subjects:
            return []
        return [
            self._inquiry(subjects[number % len(subjects)], question)
            for number, question in enumerate(trained(self._book.inquiry))
        ]

    def _inquiry(self, ingredient: str, form: Question) -> Conversation:
        answer, brief = self._inquired(ingredient)
        return self._conversation("inquiry", _ask(form.question, ingredient=ingredient), answer, brief=brief)

    def _write_inquired(self, ingredient: str) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
        """The best-loved dish with the ingredient, its recipe, and further dishes; and the same without the recipe."""
        # seeded by the ingredient, so that all questions about it share one answer
        draw = self._generator("inquiry", ingredient.lower())
        frame = self._book.frames.inquiry
        best, *others = self._dishes_with(ingredient)
        dish = self._names[best.id]
        opening = _say(draw.choice(frame.opening), dish=dish, ingredient=ingredient)
        heading = _say(draw.choice(self._book.frames.others.inquiry), ingredient=ingredient)
        end = (
            *self._others(heading, (self._with_ingredients(other, ingredient) for other in others)),
            self._courtesy(draw),
        )
        return (
            (Segment(f"{opening} {draw.choice(frame.recipe)}"), *self._bodies(best.id)["recipe"], *end),
            (Segment(f"{opening} {_say(draw.choice(frame.offer), dish=dish)}"), *end),
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

    def _with_ingredients(self, recipe: Recipe, ingredient: str) -> str:
        """A line that names the dish and what else makes it."""
        subject = thing(ingredient)
        kinds = [(name, thing(name)) for name in kitchen_names(recipe)]
        rest = [name for name, kind in kinds if subject and kind and not kind.is_related_to(subject)]
        rest.sort(key=is_seasoning)
        form = self._book.frames.others.with_ingredients
        return form.format(dish=self._names[recipe.id], ingredients=self._join(rest[:2] or [ingredient]))

    def _others(self, heading: str, lines: Iterable[str]) -> tuple[Segment, ...]:
        dishes = list(lines)
        return (Segment("\n".join([heading, *dishes]), "extra"),) if dishes else ()

    def _reasons(self, recipe: Recipe) -> list[Conversation]:
        forms = self._book.reasons.questions
        return [
            self._conversation(
                "tip",
                _ask(forms[number % len(forms)], dish=self._names[recipe.id], purpose=purpose),
                (Segment(sentence),),
            )
            for number, (purpose, sentence) in enumerate(reasons_in(recipe, self._book.reasons))
        ]

    def _write_bodies(self, recipe_id: str) -> dict[Answers, tuple[Segment, ...]]:
        """Ingredients and steps under their headings; one of them alone has its heading in the opening."""
        recipe, headings = self._recipes[recipe_id], self._book.headings
        ingredients, steps = list_ingredients(recipe.ingredients), list_steps(recipe.steps)
        return {
            "recipe": (Segment(f"{headings.ingredients}\n{ingredients}"), Segment(f"{headings.steps}\n{steps}")),
            "ingredients": (Segment(ingredients),),
            "steps": (Segment(steps),),
        }

    def _fitting_tips(self, recipe: Recipe) -> list[Tip]:
        """The tips about one of the recipe's ingredients."""
        items = [item for item in recipe.ingredients if not item.heading]
        names = {fold(name) for item in items for name in (item.name, *item.others) if name}
        return [tip for tip, about in self._tips if not names.isdisjoint(about)]

    def _tip(self, tip: Tip) -> Segment:
        return Segment(self._book.headings.tip.format(tip=tip.short), "extra")

    def _courtesy(self, draw: random.Random) -> Segment:
        return Segment(draw.choice(self._book.frames.closing.courtesy), "courtesy")

    def _join(self, names: Sequence[str]) -> str:
        return self._book.joining.join(names)

    def _generator(self, *purpose: object) -> random.Random:
        return random.Random(":".join(map(str, (self._seed, *purpose))))


def _draw_at_hand(names: Sequence[str], draw: random.Random) -> list[str]:
    """3 to 5 of the names, at least one of them more than a seasoning where there is one."""
    count = draw.randint(_FEWEST_AT_HAND, min(_MOST_AT_HAND, len(names)))
    first = draw.choice([name for name in names if not is_seasoning(name)] or names)
    rest = draw.sample([name for name in names if name != first], count - 1)
    return [first, *rest]


def trained(questions: Iterable[Question]) -> list[Question]:
    """The forms that are trained on, in order."""
    return [question for question in questions if not question.held_out]


def _ask(form: str, **words: str) -> str:
    """Fill a question; one typed in lower case has its dish in lower case too, as on a phone."""
    if _is_low(form):
        words = {name: word.lower() for name, word in words.items()}
    return form.format(**words)


@cache
def _is_low(form: str) -> bool:
    return form == form.lower()


def _say(form: str, **words: str) -> str:
    """Fill a sentence of an answer; it starts with a capital whatever stands first."""
    sentence = form.format(**words)
    return sentence[:1].upper() + sentence[1:]
