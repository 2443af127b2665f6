"""An answer against what was read: what in it stands in the book, and what does not."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import chain
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from koki.answers.comparison import (
    IngredientMarks,
    StepMarks,
    compare_ingredients,
    mark_ingredients,
    mark_steps,
    rouge_l,
    words_of,
)
from koki.answers.opening import dish_in, is_of_a_part, name_in, says_missing
from koki.answers.said import Said, read_answer
from koki.book.reading import Page, Reading, TipPage
from koki.dialogue.layout import list_ingredients, list_steps
from koki.dialogue.pages import companion_line, suggestion_line
from koki.dialogue.phrasebook import load_phrasebook
from koki.ingredients.amounts import FIGURES, Quantity, read_quantity
from koki.ingredients.lexicon import fold
from koki.ingredients.wording import normalise

_WORDS: Final[dict[str, Any]] = tomllib.loads(files(__package__).joinpath("check.toml").read_text(encoding="utf-8"))
# From this ROUGE-L on a tip is said as it stands in the book; one that leaves a step out, or changes one, is below.
_SAME_TIP: Final = 0.9
# As many differences are told in a line.
_MOST_TOLD: Final = 3
_AMOUNT: Final = re.compile(rf"(?<![\w.,/])({FIGURES})(?:\s?([a-z]+))?")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dish stands: its name in the book, and the place that its recipe came from."""

    title: str
    file: str
    line: int
    sheet: str = ""

    def __str__(self) -> str:
        places = _WORDS["places"]
        form: str = places["in_sheet"] if self.sheet else places["in_file"]
        return form.format(file=PurePath(self.file).name, sheet=self.sheet, line=self.line)


def source_of(page: Page) -> Source:
    """Where a page's recipe stands."""
    recipe = page.recipe
    return Source(page.name, recipe.file, recipe.line, recipe.sheet)


@dataclass(frozen=True, slots=True)
class Check:
    """What of an answer stands in the book; of what the answer does not set out to give, nothing is said.

    Attributes:
        source: of the dish that it gives; None where it gives none of those that were read.
        is_from_memory: it gives a dish, and none that was read.
        ingredients, steps: those given, against the recipe's; None where none should be given.
        missing_is_exact: of a recommendation, whether what it says is missing is what is missing.
        others: lines about further dishes that the book does not bear out.
        amounts: of an answer about one thing of a recipe, the amounts that are not in it.
        tip: the topic of the tip that it should give.
        tip_is_right: whether it gives that tip.
    """

    source: Source | None = None
    is_from_memory: bool = False
    ingredients: IngredientMarks | None = None
    steps: StepMarks | None = None
    missing_is_exact: bool | None = None
    others: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    tip: str = ""
    tip_is_right: bool | None = None

    @property
    def is_right(self) -> bool:
        """Whether all that it gives stands in the book."""
        parts = (self.ingredients, self.steps)
        return (
            not self.is_from_memory
            and all(part is None or part.is_right for part in parts)
            and False not in (self.missing_is_exact, self.tip_is_right)
            and not self.others
            and not self.amounts
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "is_right": self.is_right,
            "source": asdict(self.source) if self.source else None,
            "is_from_memory": self.is_from_memory,
            "ingredients": self.ingredients.as_dict() if self.ingredients else None,
            "steps": self.steps.as_dict() if self.steps else None,
            "missing_is_exact": self.missing_is_exact,
            "others": list(self.others),
            "amounts": list(self.amounts),
            "tip": self.tip,
            "tip_is_right": self.tip_is_right,
        }


def check(answer: str, reading: Reading, question: str = "") -> Check:
    """Hold an answer against what was read for it.

    Args:
        question: amounts that it names, such as a number of portions, may be named in the answer too.
    """
    said = read_answer(answer)
    if said.ingredients or said.steps or reading.wanted in ("recommendation", "inquiry"):
        return _check_dish(answer, said, reading)
    if reading.wanted == "detail" and reading.pages:
        page = _named(answer, reading.pages) or reading.pages[0]
        return Check(source_of(page), amounts=_amounts_not_in(answer, page, question))
    if reading.tips:
        return _check_tip(answer, reading.tips)
    return Check()


def line_of(check: Check, reading: Reading) -> str:
    """What is told of a check in one line; empty where there is nothing to tell."""
    lines = _WORDS["lines"]
    if check.is_from_memory:
        return str(lines["from_memory"])
    if check.tip:
        return str(lines["tip" if check.tip_is_right else "other_tip"]).format(topic=check.tip)
    if not check.source:
        return ""
    about = {"dish": check.source.title, "place": str(check.source)}
    if check.is_right:
        return str(lines["right"]).format(**about)
    told = list(_differences(check, reading))
    if len(told) > _MOST_TOLD:
        told = [*told[:_MOST_TOLD], _WORDS["differences"]["more"].format(count=len(told) - _MOST_TOLD)]
    return str(lines["different"]).format(**about, differences="; ".join(told))


# ----------------------------------------------------------------------------------------------------------- a recipe


def _check_dish(answer: str, said: Said, reading: Reading) -> Check:
    page = page_given(said, reading)
    if page is None:
        gives_dish = said.ingredients or said.steps or dish_in(said.opening)
        return Check(is_from_memory=bool(gives_dish), others=_others_not_in(said, reading))
    is_whole, true, steps = _is_whole(answer, said.opening), page.ingredients, page.recipe.steps
    headings = load_phrasebook().headings
    pieces, has_ingredients = _without([answer], headings.ingredients, list_ingredients(true))
    pieces, has_steps = _without(pieces, headings.steps, list_steps(steps))
    besides = [read_answer(piece) for piece in pieces]
    ingredients = [*(true if has_ingredients else ()), *chain.from_iterable(piece.ingredients for piece in besides)]
    said_steps = [*(steps if has_steps else ()), *chain.from_iterable(piece.steps for piece in besides)]
    is_recommended = reading.wanted == "recommendation"
    return Check(
        source_of(page),
        ingredients=mark_ingredients(ingredients, true) if ingredients or is_whole else None,
        steps=mark_steps(said_steps, steps) if said_steps or is_whole else None,
        missing_is_exact=says_missing(said.opening, page.missing) if is_recommended else None,
        others=_others_not_in(said, reading),
    )


def _without(pieces: Sequence[str], heading: str, block: str) -> tuple[list[str], bool]:
    """What stands before and behind a list that an answer gives to the letter, and whether it does.

    What a book says in words that look like headings, or like no list, is right as it stands there.
    """
    for number, piece in enumerate(pieces):
        for text in (f"{heading}\n{block}", block):
            before, found, behind = f"\n\n{piece}\n\n".partition(f"\n\n{text}\n\n")
            if found:
                return [*pieces[:number], before, behind, *pieces[number + 1 :]], True
    return list(pieces), False


def page_given(said: Said, reading: Reading) -> Page | None:
    """The page of the dish that an answer names; where it names none in words that Koki knows, the most alike."""
    pages = (*reading.pages, *reading.others)
    form = dish_in(said.opening)
    if named := _named(said.opening[form.start("dish") if form else 0 :], pages):
        return named
    if form or not reading.pages:
        return None
    return max(reading.pages, key=lambda page: compare_ingredients(said.ingredients, page.recipe.ingredients).f1)


def _named(text: str, pages: Iterable[Page]) -> Page | None:
    by_name = {page.name: page for page in pages}
    name = name_in(text, by_name)
    return by_name[name] if name else None


def _is_whole(answer: str, opening: str) -> bool:
    """Whether an answer sets out to give the whole recipe: its parts stand under Koki's headings."""
    headings = load_phrasebook().headings
    has_headings = not {headings.ingredients, headings.steps}.isdisjoint(map(str.strip, answer.splitlines()))
    return has_headings and not is_of_a_part(opening)


def _others_not_in(said: Said, reading: Reading) -> tuple[str, ...]:
    """The lines about further dishes that do not stand in what was read."""
    if reading.wanted not in ("recommendation", "inquiry"):
        return ()
    book, pages = load_phrasebook(), (*reading.pages, *reading.others)
    if reading.wanted == "inquiry":
        lines = [companion_line(page, ingredient, book) for page in pages for ingredient in reading.ingredients]
    else:
        lines = [suggestion_line(page, book) for page in pages]
    true = [words_of(line) for line in lines]
    return tuple(line for line in said.others if words_of(line) not in true)


# -------------------------------------------------------------------------------------------------- a detail, or a tip


class _Amount(NamedTuple):
    quantity: Quantity
    unit: str


def _amounts_not_in(answer: str, page: Page, question: str) -> tuple[str, ...]:
    """The amounts of an answer that stand neither on the page nor in the question, as they are said."""
    lines = (item.raw for item in page.ingredients)
    true = {amount for text in (question, *lines, *page.recipe.steps) for _, amount in _amounts_in(text)}
    return tuple(dict.fromkeys(text for text, amount in _amounts_in(answer) if amount not in true))


def _amounts_in(text: str) -> Iterator[tuple[str, _Amount]]:
    for found in _AMOUNT.finditer(normalise(text)):
        unit = found[2] or ""
        yield found[0], _Amount(read_quantity(found[1], unit), fold(unit))


def _check_tip(answer: str, tips: Iterable[TipPage]) -> Check:
    likeness, tip = max(((rouge_l(answer, tip.text), tip) for tip in tips), key=lambda pair: pair[0])
    return Check(tip=tip.topic, tip_is_right=likeness >= _SAME_TIP)


# ------------------------------------------------------------------------------------------------------------ the line


def _differences(check: Check, reading: Reading) -> Iterator[str]:
    """What is told of each difference, the worst first."""
    say: dict[str, str] = _WORDS["differences"]
    for mark in ("invented", "amount", "near"):
        for line in check.ingredients.lines if check.ingredients else ():
            if line.mark == mark:
                yield say[mark].format(line=line.line, book=line.book)
    if check.ingredients and check.ingredients.missing:
        yield say["missing"].format(names=", ".join(check.ingredients.missing))
    if check.missing_is_exact is False:
        page = next(
            page for page in (*reading.pages, *reading.others) if check.source and page.name == check.source.title
        )
        yield say["other_missing"].format(names=", ".join(page.missing) or say["nothing"])
    if check.steps and not check.steps.is_right:
        yield say["steps"]
    yield from (say["other_dish"].format(line=line) for line in check.others)
    yield from (say["other_amount"].format(amount=amount) for amount in check.amounts)
