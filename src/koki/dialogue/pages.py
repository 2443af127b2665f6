"""What a chef reads, as text before the question: pages of the book, and notes on what was worked out.

The same text stands in training and in answering. A recipe's blocks are those of an answer that gives it, so that each
is tokenised once and to answer is to copy. The words are in ``phrasebook.toml``.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from koki.book.kitchen import kitchen_names
from koki.book.pantry import thing
from koki.book.question import Question
from koki.book.reading import Page, Reading
from koki.dialogue.detail_facts import facts_about, topic_of
from koki.dialogue.layout import list_ingredients, list_steps
from koki.dialogue.phrasebook import Answers, Phrasebook
from koki.ingredients.lexicon import is_seasoning
from koki.ingredients.scaling import number_said

# Of what else a dish is made of, where it is one of several that have an ingredient.
_MOST_COMPANIONS: Final = 2


class Shown(NamedTuple):
    """Which parts of the first page are shown, and of the pages behind it."""

    first: Answers
    behind: Answers | None


def reading_texts(reading: Reading, question: str, book: Phrasebook) -> list[str]:
    """What is read before a question, in versions from whole to short; empty where there is nothing to read.

    Pages behind the first one lose their steps, then go; then the first one loses the part that is not asked for.
    """
    several = (Shown("recipe", "recipe"), Shown("recipe", "ingredients")) if len(reading.pages) > 1 else ()
    ways = dict.fromkeys([*several, Shown("recipe", None), Shown(reading.part, None)])
    notes = list(_notes(reading, question, book))
    texts = (_text([*_page_blocks(reading, way, book), *notes], book) for way in ways)
    return list(dict.fromkeys(filter(None, texts)))


def _text(blocks: Sequence[str], book: Phrasebook) -> str:
    return "\n\n".join([book.pages.book, *blocks]) if blocks else ""


def asked_after_reading(question: str, book: Phrasebook) -> str:
    """A question as it stands behind what is read; the blank line between them is not part of it."""
    return book.pages.question.format(question=question)


def question_after_reading(asked: str, book: Phrasebook) -> str:
    """The question in what `asked_after_reading` gives."""
    before, _, after = book.pages.question.partition("{question}")
    return asked.removeprefix(before).removesuffix(after)


def _page_blocks(reading: Reading, shown: Shown, book: Phrasebook) -> Iterator[str]:
    for number, page in enumerate(reading.pages):
        part = shown.behind if number else shown.first
        if part is not None:
            yield book.pages.recipe.format(dish=page.name)
            yield from recipe_blocks(page, part, book)
    for tip in reading.tips:
        yield book.pages.tip.format(topic=tip.topic)
        yield tip.text


def recipe_blocks(page: Page, part: Answers, book: Phrasebook) -> Iterator[str]:
    """Ingredients and steps under their headings, or one of them."""
    if part != "steps":
        heading = book.headings.ingredients
        if page.times != 1:
            heading = book.pages.scaled.format(times=number_said(page.times))
        yield f"{heading}\n{list_ingredients(page.ingredients)}"
    if part != "ingredients":
        yield f"{book.headings.steps}\n{list_steps(page.recipe.steps)}"


def _notes(reading: Reading, question: str, book: Phrasebook) -> Iterator[str]:
    words = book.pages
    if reading.absent:
        nearest = words.nearest.format(dishes=book.joining.join(reading.nearest)) if reading.nearest else ""
        yield " ".join(filter(None, (words.absent.format(dish=reading.absent), nearest)))
    elif reading.wanted == "recommendation" and reading.pages:
        lines = (suggestion_line(page, book) for page in (*reading.pages, *reading.others))
        yield "\n".join([words.could_cook, *lines])
    elif reading.wanted == "inquiry" and reading.pages:
        (ingredient,) = reading.ingredients
        lines = (companion_line(page, ingredient, book) for page in (*reading.pages, *reading.others))
        yield "\n".join([words.with_ingredient.format(ingredient=ingredient), *lines])
    elif reading.pages and (wanted := _wanted(reading, question, book)):
        first, *others = reading.pages  # with others beside it, it is not sure which dish is meant
        said = words.asked.format(wanted=wanted) if others else words.asked_of.format(wanted=wanted, dish=first.name)
        pages = reading.pages if reading.wanted == "detail" else ()
        yield "\n".join([said, *(fact for page in pages for fact in facts_about(question, page, book))])


def _wanted(reading: Reading, question: str, book: Phrasebook) -> str | None:
    topic = topic_of(Question(question)) if reading.wanted == "detail" else None
    return book.pages.topics[topic] if topic else book.pages.wanted.get(reading.wanted)


def suggestion_line(page: Page, book: Phrasebook) -> str:
    """A line that says what a dish uses of what is at hand, and what it needs besides."""
    frame, join = book.frames.others, book.joining.join
    form = frame.with_missing if page.missing else frame.with_all
    missing = join(page.missing) if page.missing else ""
    return form.format(dish=page.name, at_hand=join(page.at_hand), missing=missing)


def companion_line(page: Page, ingredient: str, book: Phrasebook) -> str:
    """A line that names a dish with an ingredient, and what else makes it."""
    subject = thing(ingredient)
    kinds = [(name, thing(name)) for name in kitchen_names(page.recipe)]
    rest = [name for name, kind in kinds if subject and kind and not kind.is_related_to(subject)]
    rest.sort(key=is_seasoning)
    names = rest[:_MOST_COMPANIONS] or [ingredient]
    return book.frames.others.with_ingredients.format(dish=page.name, ingredients=book.joining.join(names))
