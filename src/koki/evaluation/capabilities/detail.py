"""A detail: one thing in a recipe, how much, whether, which kind, how long, how hot, when, or for more or fewer.

An answer may say it in its own words, but what it says has to be what the recipe says: the same numbers with their
units, the same ingredients, yes or no; and nothing else of the same thing.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from koki.answers.comparison import compare_ingredients
from koki.answers.filled import pattern, split_names
from koki.answers.said import read_answer
from koki.answers.stated import Stated, foods_in, stated_in
from koki.book.pantry import Thing, thing
from koki.dialogue.detail_words import Topic, load_details
from koki.dialogue.phrasebook import Phrasebook, load_phrasebook
from koki.evaluation.capabilities.capability import Capability, Case, Measure, Scores
from koki.evaluation.mentions import mentions, speaks_for
from koki.evaluation.metrics import key_words, said_of
from koki.evaluation.words import WORDS
from koki.ingredients.lexicon import fold
from koki.ingredients.parse import parse_ingredient
from koki.language import N_

_WORDS: Final[dict[str, Any]] = WORDS["details"]
# Of the key words of the step that is meant, where the answer gives it without its number.
_ENOUGH_OF_A_STEP: Final = 0.7
# What two numbers may differ by that were rounded to two decimals, as a share.
_ROUNDING: Final = 0.01
# Words after that of the fire among which its heat is looked for.
_HEAT_REACHES: Final = 6
# Words after one that denies.
_DENIAL_REACHES: Final = 2
_WORDS_OF_NO: Final = frozenset(_WORDS["no"])
_SLOT: Final = re.compile(r"\{\w+\}")
_WORD: Final = re.compile(r"\w+")
_ORDINALS: Final = {word: str(number) for number, word in enumerate(_WORDS["ordinals"], start=1)}
_NUMBER_OF_A_STEP: Final = rf"(?:ke-?\s?)?(?:\d+|{'|'.join(_ORDINALS)})\b"
_STEPS: Final = re.compile(
    rf"\b{_WORDS['step']}(?:nya)?\s{_NUMBER_OF_A_STEP}(?:\s?(?:,|&|dan)\s?(?:di\s)?(?:{_WORDS['step']}\s)?{_NUMBER_OF_A_STEP})*"
)


class _Verdict(NamedTuple):
    """Whether an answer says what it should, and whether it says something else of the same thing."""

    says: bool
    contradicts: bool


class _Answer(NamedTuple):
    """An answer to be judged.

    Attributes:
        text: without the name of the dish, whose words stand for no ingredients.
        true: the reference, in the same way.
        slots: what the sentence of the reference was filled with.
    """

    case: Case
    text: str
    true: str
    slots: dict[str, str]


def _judge(case: Case) -> Scores:
    (topic,) = case.asked.names
    text, true = (_without_dish(case, it) for it in (case.text, case.asked.reference))
    verdict = _JUDGES[topic](_Answer(case, text, true, _slots(topic, case.asked.reference)))
    return {"right": float(verdict.says and not verdict.contradicts), "contradicts": float(verdict.contradicts)}


def _without_dish(case: Case, text: str) -> str:
    assert case.asked.recipe is not None
    name = case.cookbook.name_of(case.asked.recipe)
    return re.sub(re.escape(name), " ", text, flags=re.IGNORECASE).strip()


# ------------------------------------------------------------------------------------------------- what is asked


def _names_in(question: str, _book: Phrasebook) -> Sequence[str]:
    """The topic: that of the form with the most words of its own that the question has.

    Raises:
        ValueError: it has none of the forms.
    """
    fitting = [(size, topic) for form, size, topic in _forms() if form.fullmatch(question)]
    if not fitting:
        raise ValueError(f"{question!r} has none of the forms")
    return [max(fitting)[1]]


@cache
def _forms() -> tuple[tuple[re.Pattern[str], int, Topic], ...]:
    return tuple(
        (re.compile(".+".join(map(re.escape, own)), re.IGNORECASE), sum(map(len, own)), topic)
        for topic, forms in load_details().forms.items()
        for form in forms
        if (own := _SLOT.split(form.question))
    )


_SENTENCES: Final[dict[str, tuple[str, ...]]] = {
    "contains": ("has", "lacks"),
    "portions": ("all_scaled", "scaled"),
}
"""The sentences of the answers of a topic, where they are not called as the topic is."""


def _slots(topic: str, reference: str) -> dict[str, str]:
    sentences = load_details().answers.model_dump()
    for name in _SENTENCES.get(topic, (topic,)):
        if found := pattern(sentences[name]).fullmatch(reference.partition("\n")[0]):
            return found.groupdict()
    raise ValueError(f"{reference!r} is no answer about {topic}")


# ------------------------------------------------------------------------------------------------- ingredients


def _amount(answer: _Answer) -> _Verdict:
    wanted = _things([answer.slots["ingredient"]])
    true = stated_in(answer.slots["amounts"])
    said = [it for it in stated_in(answer.text) if not it.is_time and it.speaks_of(wanted)]
    return _agree(answer, true, said)


def _agree(answer: _Answer, true: Sequence[Stated], said: Sequence[Stated]) -> _Verdict:
    """All that is true should be said, and nothing else."""
    question = answer.case.asked.question
    return _Verdict(
        says=all(any(_is_same(it, one, question) for it in said) for one in true),
        contradicts=not all(any(_is_same(it, one, question) for one in true) for it in said),
    )


def _is_same(said: Stated, true: Stated, question: str) -> bool:
    """Whether two amounts are the same; a unit that the question names need not be said again."""
    same_unit = said.unit == true.unit or not true.unit or (not said.unit and mentions(question, true.unit))
    pairs = list(zip(_ends(said), _ends(true), strict=False))
    is_near = all(abs(one - other) <= _ROUNDING * max(one, other) for one, other in pairs)
    return same_unit and len(_ends(said)) == len(_ends(true)) and is_near


def _ends(stated: Stated) -> tuple[float, ...]:
    if isinstance(stated.quantity, tuple):
        return stated.quantity
    return () if stated.quantity is None else (stated.quantity,)


def _things(names: Iterable[str]) -> list[Thing]:
    return [it for it in map(thing, names) if it]


def _contains(answer: _Answer) -> _Verdict:
    """Yes or no, in the first word or of the ingredient; an amount need not be said, but none that is wrong."""
    has = answer.slots.get("ingredients")
    lines = split_names(has, load_phrasebook().joining) if has else [answer.slots["ingredient"]]
    names = [name for line in lines if (name := parse_ingredient(line).name or line)]
    wanted = _things(names)
    called = [*names, *{it.root for it in wanted}.intersection(foods_in(answer.text))]
    said = {
        _first_word(answer.text),
        *(speaks_for(answer.text, name) for name in called if mentions(answer.text, name)),
    }
    said.discard(None)
    amounts = [it for it in stated_in(answer.text) if it.foods and it.speaks_of(wanted)] if has else []
    return _Verdict(
        says=said == {bool(has)} and _may_mean(answer.text, called),
        contradicts=(not has) in said or _agree(answer, stated_in(has or ""), amounts).contradicts,
    )


def _may_mean(text: str, names: Sequence[str]) -> bool:
    """Whether a text names one of the ingredients, or none at all."""
    foods = _things(foods_in(text))
    wanted = _things(names)
    related = any(it.is_related_to(food) for it in wanted for food in foods)
    return not foods or related or any(mentions(text, name) for name in names)


def _first_word(text: str) -> bool | None:
    """Whether the first word says yes or no; None where it is neither."""
    first = next(iter(_WORD.findall(text.lower())), "")
    return True if first in _WORDS["yes"] else False if first in _WORDS["no"] else None


def _which(answer: _Answer) -> _Verdict:
    """All kinds should be named, and no other."""
    general, text = fold(answer.slots["general"]), answer.text
    kinds = split_names(answer.slots["kinds"], load_phrasebook().joining)
    foods = [food for food in foods_in(text) if food != general and speaks_for(text, food)]
    of_it = [it for it in _things(foods) if general in (it.root.split()[0], *it.words)]
    true = _things(kinds)
    return _Verdict(
        says=all(
            speaks_for(text, kind) or any(map(it.is_related_to, of_it)) for kind, it in zip(kinds, true, strict=True)
        ),
        contradicts=not all(any(map(it.is_related_to, true)) for it in of_it),
    )


# ------------------------------------------------------------------------------------------------- steps


def _time(answer: _Answer) -> _Verdict:
    true, said = stated_in(answer.slots["time"]), [it for it in stated_in(answer.text) if it.is_time]
    return _agree(answer, true, said)


def _heat(answer: _Answer) -> _Verdict:
    true, said = _levels(answer.slots["heat"]), _levels(answer.text)
    return _Verdict(says=true <= said, contradicts=not said <= true)


def _levels(text: str) -> set[str]:
    """How large the fire is said to be; in a text without a fire, all that is said to be of some size."""
    words = load_details().words.heat
    said = _WORD.findall(text.lower())
    denied = {at for at in range(len(said)) if not _WORDS_OF_NO.isdisjoint(said[max(at - _DENIAL_REACHES, 0) : at])}
    fires = [at for at, word in enumerate(said) if word.startswith(words.fire)]
    places = {place for at in fires for place in range(at, min(at + _HEAT_REACHES, len(said)))}
    return {said[at] for at in (places if fires else range(len(said))) if said[at] in words.levels and at not in denied}


def _order(answer: _Answer) -> _Verdict:
    true, said = _steps(answer.true), _steps(answer.text)
    quoted = said_of(key_words(answer.slots["steps"]), answer.text) or 0.0
    about = _may_mean(answer.text.partition(":")[0], [answer.slots["ingredient"]])
    return _Verdict(
        says=about and (said == true if said else quoted >= _ENOUGH_OF_A_STEP), contradicts=not said <= true
    )


def _steps(text: str) -> set[str]:
    """The numbers of the steps that are spoken of."""
    found = _STEPS.findall(text.lower())
    numbers = (word for one in found for word in re.findall(rf"\d+|{'|'.join(_ORDINALS)}", one))
    return {_ORDINALS.get(number, number) for number in numbers}


def _portions(answer: _Answer) -> _Verdict:
    if "amounts" in answer.slots:
        return _amount(answer)
    said, true = answer.case.said.ingredients, read_answer(answer.case.asked.reference).ingredients
    found = compare_ingredients(said, true)
    is_all = found.precision == found.recall == found.quantities == 1
    return _Verdict(says=is_all, contradicts=bool(said) and not is_all)


_JUDGES: Final[dict[str, Callable[[_Answer], _Verdict]]] = {
    "amount": _amount,
    "contains": _contains,
    "which": _which,
    "time": _time,
    "heat": _heat,
    "order": _order,
    "portions": _portions,
}


DETAIL: Final = Capability(
    name="detail",
    kind="detail",
    measures={
        "right": Measure(
            N_("right"), "the recipe's amounts, ingredients, step, yes or no, and nothing else of the thing"
        ),
        "contradicts": Measure(
            N_("contradicts"), "says something else of the thing than the recipe does", lower_is_better=True
        ),
    },
    judge=_judge,
    bars={"right": 1.0},
    names_in=_names_in,
    needs_book=True,
    is_promised=False,
)
