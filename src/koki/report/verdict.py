"""The scorecard -> what may be said of the chef in a sentence, and the answers that show it.

Every figure counts answers that are right as a whole (`koki.evaluation.capabilities.registry.missed`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from koki.evaluation.capabilities import registry
from koki.evaluation.capabilities.recipe import FULL_RECIPE
from koki.evaluation.intervals import Share
from koki.report.language import Translation

ENOUGH: Final = 0.8
"""The share of right answers that a chef needs to be used for something: one of five may go wrong."""

# About recipes that it was trained on: how well it knows them is asked in the first of these that there is.
_OWN_RECIPES: Final = ("recall", "typing", "understanding")
_ADDED: Final = "added-book"
_EXAMPLES: Final = 3

_Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Use:
    """Something that the chef may be asked for, and how it did in the group in which it did worst."""

    capability: str
    group: str
    share: Share

    @property
    def is_good(self) -> bool:
        """Whether enough answers are right, and are too many for luck."""
        return self.share.interval[0] >= ENOUGH

    @property
    def is_bad(self) -> bool:
        """Whether too few answers are right, and are too few for bad luck."""
        return self.share.interval[1] < ENOUGH


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured, in few figures.

    Attributes:
        by_heart: recipes given from memory; None where none was asked for so.
        recipes: how many it was trained on.
        with_book: recipes given with the book open; None where none was asked for so.
        added: the same, of recipes that the book got after training.
        reads: whether the uses are with the book open.
        uses: one of each capability, in the order of all tables.
        examples: answers, right ones first.
    """

    by_heart: Share | None
    recipes: int
    with_book: Share | None
    added: Share | None
    reads: bool
    uses: tuple[Use, ...]
    examples: tuple[_Answer, ...]

    @classmethod
    def of(cls, scorecard: Mapping[str, Any]) -> Self:
        """Work it out."""
        answers: Sequence[_Answer] = scorecard["answers"]
        reads = any(answer["group"] in _groups(with_book=True) for answer in answers)
        own = [answer for answer in answers if answer["group"] in _groups(with_book=reads)]
        uses = tuple(_uses(own))
        shown = {(use.capability, use.group) for use in uses}
        return cls(
            by_heart=_recipes_given(answers, _groups(with_book=False)),
            recipes=scorecard["recipes"],
            with_book=_recipes_given(answers, _groups(with_book=True)),
            added=_recipes_given(answers, (_ADDED,)),
            reads=reads,
            uses=uses,
            examples=tuple(_examples([one for one in own if (one["capability"], one["group"]) in shown])),
        )

    @property
    def known(self) -> tuple[int, int]:
        """Of all recipes that it was trained on, how many it knows by heart, at least and at most (95 %)."""
        assert self.by_heart is not None
        right, wrong = self.by_heart.right, self.by_heart.asked - self.by_heart.right
        low, high = (round(end * self.recipes) for end in self.by_heart.interval)
        return max(right, low), min(self.recipes - wrong, high)

    def good(self) -> list[Use]:
        """What it may be used for."""
        return [use for use in self.uses if use.is_good]

    def bad(self) -> list[Use]:
        """What it is not to be used for."""
        return [use for use in self.uses if use.is_bad]

    def unproven(self) -> list[Use]:
        """What the questions are too few to say of."""
        return [use for use in self.uses if not use.is_good and not use.is_bad]


def sentence(verdict: Verdict, w: Translation) -> str:
    """The verdict in words: what it knows, by heart and with the book open; and what it is not to be used for."""
    return w.say("verdict.sentence", said="; ".join([*_known(verdict, w), *_usable(verdict, w)]))


def _known(verdict: Verdict, w: Translation) -> Iterator[str]:
    by_heart, with_book = verdict.by_heart, verdict.with_book
    if by_heart:
        low, high = verdict.known
        every = "verdict.by_heart_every" if low == high else "verdict.by_heart"
        figures = {"right": by_heart.right, "asked": by_heart.asked, "of": verdict.recipes, "low": low, "high": high}
        yield w.say(every, **{name: w.number(value) for name, value in figures.items()})
    if with_book:
        which = "verdict.with_book" if by_heart else "verdict.with_book_alone"
        yield w.say(which, right=w.number(with_book.right), asked=w.number(with_book.asked))
    if not by_heart and not with_book:
        yield w.say("verdict.no_recipes")


def _usable(verdict: Verdict, w: Translation) -> Iterator[str]:
    bad, unproven = verdict.bad(), verdict.unproven()
    if bad and len(bad) == len(verdict.uses):
        yield w.say("verdict.for_nothing")
    elif unproven and len(unproven) == len(verdict.uses):
        yield w.say("verdict.too_few")
    elif bad or unproven:
        things = [w.name("uses", use.capability) for use in bad or unproven]
        yield w.say("verdict.not_for" if bad else "verdict.not_proven_for", things=w.one_of(things))
    elif verdict.uses:
        yield w.say("verdict.for_all")


def is_right(answer: _Answer) -> bool:
    """Whether an answer of a scorecard is right as a whole."""
    return not registry.missed(answer["capability"], answer["scores"])


def _groups(*, with_book: bool) -> list[str]:
    return [f"{group}-book" if with_book else group for group in _OWN_RECIPES]


def _recipes_given(answers: Sequence[_Answer], groups: Iterable[str]) -> Share | None:
    """Of the recipes that were asked for in the first group there is, those whose every answer is right."""
    asked = [answer for answer in answers if answer["capability"] == FULL_RECIPE.name]
    for group in groups:
        right: dict[str, bool] = {}
        for answer in asked:
            if answer["group"] == group:
                recipe = answer.get("recipe") or answer["id"]  # earlier versions did not keep it
                right[recipe] = right.get(recipe, True) and is_right(answer)
        if right:
            return Share(sum(right.values()), len(right))
    return None


def _uses(answers: Sequence[_Answer]) -> Iterator[Use]:
    for of_it in _by_capability(answers):
        groups = dict.fromkeys(answer["group"] for answer in of_it)
        shares = {group: _share([answer for answer in of_it if answer["group"] == group]) for group in groups}
        worst = min(shares, key=lambda group: shares[group].mean)
        yield Use(of_it[0]["capability"], worst, shares[worst])


def _share(answers: Sequence[_Answer]) -> Share:
    return Share(sum(map(is_right, answers)), len(answers))


def _examples(answers: Sequence[_Answer]) -> Iterator[_Answer]:
    """As many right ones of three as of all, but one of either if there is one.

    The right ones are the first of what it does best, the wrong ones the first of what it does worst.
    """
    share = _share(answers)
    wrong = min(max(round(_EXAMPLES * (1 - share.mean)), share.right < share.asked), _EXAMPLES - (share.right > 0))
    best_first = sorted(_by_capability(answers), key=lambda of_it: -_share(of_it).mean)
    yield from _first(best_first, _EXAMPLES - wrong, right=True)
    yield from _first(best_first[::-1], wrong, right=False)


def _by_capability(answers: Sequence[_Answer]) -> list[list[_Answer]]:
    of_each = ([one for one in answers if one["capability"] == it.name] for it in registry.CAPABILITIES)
    return [of_it for of_it in of_each if of_it]


def _first(capabilities: Iterable[Sequence[_Answer]], count: int, *, right: bool) -> list[_Answer]:
    """One of each capability, then a second one of each and so on; about other recipes, as far as there are."""
    hands = [[answer for answer in of_it if is_right(answer) is right] for of_it in capabilities]
    chosen: list[_Answer] = []
    while len(chosen) < count and any(hands):
        for hand in filter(None, hands):
            shown = {answer.get("recipe") for answer in chosen} - {None}
            place = next((place for place, answer in enumerate(hand) if answer.get("recipe") not in shown), 0)
            chosen.append(hand.pop(place))
    return chosen[:count]
