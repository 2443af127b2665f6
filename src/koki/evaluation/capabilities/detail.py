"""One thing in a recipe: how much, whether, which, how long, when."""

from collections.abc import Iterable
from typing import Final

from koki.answers.check import amounts_in
from koki.answers.comparison import mark_ingredients, words_of
from koki.answers.said import read_answer
from koki.evaluation.capabilities.capability import Capability, Case, Measure, Scores
from koki.evaluation.metrics import key_words, said_of
from koki.evaluation.words import WORDS

_YES: Final = frozenset(WORDS["details"]["yes"])
_NO: Final = frozenset(WORDS["details"]["no"])
# An answer that goes on behind its first words with a step's own words is as good with half of those.
_ENOUGH: Final = 0.5


def _judge(case: Case) -> Scores:
    """A list is right as it is, a yes where yes is true, and an amount with no other beside it.

    Words that the question has already need not be said again.
    """
    true = read_answer(case.asked.reference).ingredients
    if true:
        return {"detail_right": float(mark_ingredients(case.said.ingredients, true).is_right)}
    is_right = _says(case.text, case) and not _other_amounts(case) and not _is_about_another(case)
    return {"detail_right": float(is_right)}


def _says(text: str, case: Case) -> bool:
    head, _, tail = case.asked.reference.partition(": ")
    if (yes := _is_yes(head)) is not None:
        return yes is _is_yes(text)
    amounts = _amounts(head)
    wanted = key_words(head) - key_words(case.asked.question)
    says_head = amounts <= _amounts(text) if amounts else said_of(wanted, text) in (None, 1.0)
    return says_head or bool(tail and (said_of(key_words(tail), text) or 0) >= _ENOUGH)


def _is_about_another(case: Case) -> bool:
    """Whether an answer leaves out what was asked about, and speaks of something that nobody spoke of."""
    asked, true, said = map(key_words, (case.asked.question, case.asked.reference, case.text))
    return not (asked & true) <= said and not said <= asked | true


def _is_yes(text: str) -> bool | None:
    """Whether an answer begins with a yes or has a no in it; None where it has neither."""
    words = words_of(text)
    if not _NO.isdisjoint(words[:1]):
        return False
    if not _YES.isdisjoint(words[:1]):
        return True
    return None if _NO.isdisjoint(words) else False


def _other_amounts(case: Case) -> bool:
    """Whether an answer has an amount that neither the true one, nor the recipe, nor the question has."""
    recipe = case.asked.recipe
    lines = (*(item.raw for item in recipe.ingredients), *recipe.steps) if recipe else ()
    return not _amounts(case.text) <= _amounts(case.asked.reference, case.asked.question, *_if_one(lines, case))


def _if_one(lines: Iterable[str], case: Case) -> Iterable[str]:
    """The lines of a recipe, where the true answer has no amount; else an amount of another line is wrong."""
    return () if _amounts(case.asked.reference) else lines


def _amounts(*texts: str) -> set[object]:
    return {amount for text in texts for _, amount in amounts_in(text)}


DETAIL: Final = Capability(
    name="detail",
    kind="detail",
    measures={
        "detail_right": Measure("detail right", "says what the recipe says of it, and no amount that is not so"),
    },
    judge=_judge,
    needs_book=True,
    is_promised=False,
)
