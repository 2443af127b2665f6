"""Questions about one thing in a recipe, and their answers by rule from the recipe's own text.

An answer copies words and amounts of the recipe. Where a question could have two answers, it is not asked.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from koki.book.kitchen import general_names, kitchen_name, kitchen_names
from koki.book.pantry import Thing, thing
from koki.dialogue.detail_words import DetailForm, Topic, load_details
from koki.dialogue.forms import ask, say
from koki.dialogue.layout import list_ingredients
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.step_facts import Doing, doings, uses
from koki.ingredients.lexicon import fold
from koki.ingredients.parse import Ingredient, parse_ingredient
from koki.ingredients.scaling import amount_said, scaled
from koki.recipes.recipe import Recipe

_T = TypeVar("_T")

# How many things are asked about in a recipe, of each topic; of what is in there, as many again that is not.
_SUBJECTS: Final[dict[Topic, int]] = {
    "amount": 3, "contains": 2, "which": 2, "time": 2, "heat": 1, "order": 2, "portions": 1,
}  # fmt: skip
# A sentence of more words is no short answer.
_MOST_WORDS: Final = 30
_MOST_STEPS: Final = 2
# An ingredient that is asked about in vain is one that so many recipes have at least, where there are enough of them.
_COMMON: Final = 2
# What is left by rounding to two decimals.
_ROUNDING: Final = 0.006


class Detail(NamedTuple):
    """A question about one thing in a recipe, and its answer.

    Attributes:
        held_out: its form is never trained on.
        times: the answer is about the recipe's amounts times this.
    """

    question: str
    answer: str
    topic: Topic
    held_out: bool
    times: Fraction = Fraction(1)


class _Line(NamedTuple):
    """A name in the list of ingredients.

    Attributes:
        is_measured: the amount of its line is its own.
        is_one_of: something else may be taken instead.
    """

    name: str
    kind: Thing
    item: Ingredient
    is_measured: bool
    is_one_of: bool


class _Subject(NamedTuple):
    """Something to ask about: what the forms are filled with, those slots that a form must have, and the answer."""

    slots: dict[str, str]
    required: frozenset[str]
    answer: str
    times: Fraction = Fraction(1)


def common_ingredients(recipes: Iterable[Recipe]) -> tuple[str, ...]:
    """The names of ingredients of several recipes, the commonest first: what one asks about in vain."""
    counts = Counter(name.lower() for recipe in recipes for name in kitchen_names(recipe))
    ordered = [name for name, count in counts.most_common() if count >= _COMMON] or list(counts)
    return tuple({fold(name): name for name in reversed(ordered)}.values())[::-1]


def details_of(recipe: Recipe, dish: str, others: Sequence[str], seed: int) -> list[Detail]:
    """Questions about a recipe and their answers, each thing asked for in a form that is trained on and in another.

    Args:
        dish: the name of the recipe.
        others: names of ingredients, of which some that the recipe lacks are asked about.
    """
    return list(_Recipe(recipe, dish, others, random.Random(f"{seed}:detail:{recipe.id}")).details())


class _Recipe:
    """A recipe that is asked about."""

    def __init__(self, recipe: Recipe, dish: str, others: Sequence[str], draw: random.Random) -> None:
        self.recipe, self.dish, self.others, self.draw = recipe, dish, others, draw
        self.book = load_details()
        self.join = load_phrasebook().joining.join

    def details(self) -> Iterator[Detail]:
        """All questions, topic by topic."""
        seen: set[str] = set()
        for topic, subjects in self._subjects():
            forms = self.book.forms[topic]
            for held_out in (False, True):
                turn = [form for form in forms if form.held_out is held_out]
                at = self.draw.randrange(len(turn))
                for subject in subjects:
                    turn = turn[at:] + turn[:at]
                    fitting = [form for form in turn if _fits(form, subject)]
                    question = ask(fitting[0].question, dish=self.dish, **subject.slots) if fitting else ""
                    if question and question.lower() not in seen:
                        seen.add(question.lower())
                        yield Detail(question, subject.answer, topic, held_out, subject.times)
                    at = 1 + turn.index(fitting[0]) if fitting else 0

    def _subjects(self) -> Iterator[tuple[Topic, list[_Subject]]]:
        yield "amount", self._drawn("amount", self._amounts())
        yield "contains", [*self._drawn("contains", self._contained()), *self._drawn("contains", self._lacking())]
        yield "which", self._drawn("which", self._kinds())
        yield "time", self._drawn("time", self._doings("time"))
        yield "heat", self._drawn("heat", self._doings("heat"))
        yield "order", self._drawn("order", self._order())
        yield "portions", [*self._drawn("portions", self._portions()), *self._drawn("portions", self._portion())]

    def _drawn(self, topic: Topic, subjects: Iterable[_Subject]) -> list[_Subject]:
        return list(islice(subjects, _SUBJECTS[topic]))

    def _any_order(self, things: Sequence[_T]) -> list[_T]:
        return self.draw.sample(things, len(things))

    # ---- ingredients

    @cached_property
    def _lines(self) -> list[_Line]:
        """All names in the list of ingredients, those that stand for each other or side by side too."""
        return [
            _Line(name, kind, item, not (item.others and item.quantity is not None), bool(item.alternatives))
            for item in self.recipe.ingredients
            if item.name and not item.heading
            for name in (*item.names, *item.alternatives)
            if (kind := thing(name))
        ]

    @cached_property
    def _named(self) -> list[tuple[str, list[_Line]]]:
        """Each name that can be asked about, and the lines that have such a thing: all that might be meant."""
        found: dict[Thing, tuple[str, list[_Line]]] = {}
        for line in self._lines:
            name = kitchen_name(line.name)
            kind = thing(name) if name else None
            if name and kind and kind not in found:
                related = [it for it in self._lines if it.kind.is_related_to(kind)]
                if all(it.kind.is_kind_of(kind) and not it.is_one_of for it in related):
                    found[kind] = name.lower(), related
        return list(found.values())

    def _amounts(self) -> Iterator[_Subject]:
        for name, lines in self._any_order(self._named):
            said = self._said(lines)
            if said:
                units = {line.item.unit for line in lines if line.item.quantity is not None}
                slots = {"ingredient": name}
                if len(units) == 1 and (unit := units.pop()):
                    slots["unit"] = unit
                yield _about(slots, say(self.book.answers.amount, ingredient=name, amounts=said))

    def _said(self, lines: Sequence[_Line]) -> str | None:
        """The amounts of some lines, as they are written there; None where a line says none of its own."""
        amounts = [amount_said(line.item) if line.is_measured else None for line in lines]
        words = self.book.answers
        if not all(amounts):
            return None
        if len(lines) == 1:
            return amounts[0]
        if len({line.name for line in lines}) > 1:
            return self._measured(lines)
        tells_apart = len({line.item.group for line in lines}) == len(lines)
        said = (
            words.for_group.format(amount=amount, group=group)
            if tells_apart and (group := line.item.group)
            else str(amount)
            for line, amount in zip(lines, amounts, strict=True)
        )
        return self.join(list(said))

    def _measured(self, lines: Sequence[_Line]) -> str:
        said = []
        for line in lines:
            amount = amount_said(line.item) if line.is_measured else None
            form = self.book.answers.measured
            said.append(form.format(amount=amount, ingredient=line.name) if amount else line.name)
        return self.join(list(dict.fromkeys(said)))

    def _contained(self) -> Iterator[_Subject]:
        for name, lines in self._any_order(self._named):
            answer = say(self.book.answers.has, dish=self.dish, ingredients=self._measured(lines))
            yield _about({"ingredient": name}, answer)

    def _lacking(self) -> Iterator[_Subject]:
        """Ingredients of other recipes of which this one has not even a kind, nor speaks of them."""
        roots = {line.kind.root for line in self._lines}
        texts = (self.recipe.title, *(item.raw for item in self.recipe.ingredients), *self.recipe.steps)
        told = f" {fold(' '.join(texts))} "
        for name in self._any_order(self.others):
            kind = thing(name)
            spoken_of = f" {fold(name)} " in told or f" {fold(name)}nya " in told
            if kind and kind.root not in roots and not spoken_of:
                yield _about({"ingredient": name}, say(self.book.answers.lacks, dish=self.dish, ingredient=name))

    def _kinds(self) -> Iterator[_Subject]:
        """Words of which the recipe has kinds only: "tepung" where it has tepung terigu and tepung beras."""
        for general in self._any_order(self.book.words.general):
            of_it = [it for it in self._lines if general in general_names(it.name)]
            names = list(dict.fromkeys(line.name.lower() for line in of_it))
            if names and all(len(it.kind.words) > 1 and fold(it.name) != general for it in of_it):
                yield _about(
                    {"general": general}, say(self.book.answers.which, general=general, kinds=self.join(names))
                )

    # ---- steps

    def _doings(self, topic: Topic) -> Iterator[_Subject]:
        """What is done once, or once with an ingredient, for so long or on such a fire."""
        done = doings(self.recipe.steps, [line.kind for line in self._lines], self.book.words)
        for doing in self._any_order(done):
            same = [other for other in done if other.done == doing.done and other is not doing]
            said = doing.time if topic == "time" else doing.heat
            if not said or (same and not all(_is_apart(doing, other) for other in same)):
                continue
            slots = {"done": doing.done} | ({"ingredient": doing.to} if self._is_named(doing.to) else {})
            sentence = doing.text[:1].lower() + doing.text[1:]
            form = self.book.answers.time if topic == "time" else self.book.answers.heat
            answer = say(form, time=said, heat=said, sentence=sentence)
            if len(sentence.split()) <= _MOST_WORDS:
                yield _Subject(slots, frozenset(("done", "ingredient") if same else ("done",)), answer)

    def _is_named(self, name: str) -> bool:
        """Whether a name in the steps is made of words of the ingredients' names, or of which there are kinds."""
        words = {word for line in self._lines for word in line.name.lower().split()}
        return bool(name) and words.union(self.book.words.general).issuperset(name.split())

    def _order(self) -> Iterator[_Subject]:
        """Ingredients that one or two steps name, and that share no word with another ingredient."""
        words = self.book.answers
        for name, lines in self._any_order(self._named):
            own = set(fold(name).split())
            if name in self.book.words.boils or any(
                own & set(fold(line.name).split()) for line in self._lines if line not in lines
            ):
                continue
            used = uses(self.recipe.steps, name, self.book.words)
            if 0 < len(used) <= _MOST_STEPS and all(len(sentence.split()) <= _MOST_WORDS for _, sentence in used):
                steps = [words.step.format(number=number, sentence=sentence) for number, sentence in used]
                answer = say(words.order, ingredient=name, steps=words.between_steps.join(steps))
                yield _about({"ingredient": name}, f"{answer}.")

    # ---- portions

    def _portions(self) -> Iterator[_Subject]:
        """All ingredients for more or fewer."""
        times, name = self._times()
        lines = scaled(self.recipe.ingredients, times)
        pairs = list(zip(self.recipe.ingredients, lines, strict=True))
        if all(_is_right(item, line, times) for item, line in pairs) and any(item.raw != line for item, line in pairs):
            opening = say(self.book.answers.all_scaled, times=name, dish=self.dish)
            listed = list_ingredients([item._replace(raw=line) for item, line in pairs])
            yield _Subject({"times": name}, frozenset({"times"}), f"{opening}\n\n{listed}", times)

    def _portion(self) -> Iterator[_Subject]:
        """One ingredient for more or fewer."""
        times, name = self._times()
        for ingredient, lines in self._any_order(self._named):
            item = lines[0].item
            if len(lines) == 1 and lines[0].is_measured and item.quantity is not None:
                (line,) = scaled([item], times)
                amount = amount_said(parse_ingredient(line))
                if amount and _is_right(item, line, times):
                    slots = {"times": name, "ingredient": ingredient}
                    answer = say(self.book.answers.scaled, ingredient=ingredient, amounts=amount)
                    yield _Subject(slots, frozenset(slots), answer, times)

    def _times(self) -> tuple[Fraction, str]:
        times, names = self.draw.choice(list(self.book.times.items()))
        return times, self.draw.choice(names)


def _about(slots: dict[str, str], answer: str) -> _Subject:
    """A subject of which one slot says what is asked about; a unit is said or not."""
    return _Subject(slots, frozenset(slots) - {"unit"}, answer)


def _fits(form: DetailForm, subject: _Subject) -> bool:
    return subject.required <= form.slots <= subject.slots.keys() | {"dish"}


def _is_apart(doing: Doing, other: Doing) -> bool:
    """Whether the same is done to quite another ingredient."""
    it, of = thing(doing.to), thing(other.to)
    return it is not None and of is not None and it.root != of.root


def _is_right(item: Ingredient, line: str, times: Fraction) -> bool:
    """Whether the parser reads what it should from a line with its amounts multiplied."""
    again = parse_ingredient(line).quantity
    before, after = (q if isinstance(q, tuple) else (q,) for q in (item.quantity, again))
    return len(before) == len(after) and all(
        old is new or (old is not None and new is not None and abs(old * float(times) - new) <= _ROUNDING * max(1, new))
        for old, new in zip(before, after, strict=True)
    )
