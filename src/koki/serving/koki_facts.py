"""What Koki says of an answer beside it: recipes, sources, the check."""

from dataclasses import asdict
from typing import Any

from koki.answers.check import Source, source_of
from koki.book.reading import Page, Reading
from koki.dialogue.certain import is_warning
from koki.files import file_name
from koki.inference.answer import Answer
from koki.inference.strict import is_sure, lists_of


def facts_of(answer: Answer, *, strict: bool) -> dict[str, Any]:
    """JSON-ready; files are named without their folders.

    Args:
        strict: it was asked for so.
    """
    reading = answer.reading
    pages = _answered_first(answer)
    return {
        "sources": [source_as_dict(source) for source in answer.sources],
        "check": _check(answer),
        "where_it_stands": answer.where_it_stands,
        "wanted": _wanted(answer),
        "absent": reading.absent if reading else "",
        "recipes": [recipe_as_dict(page) for page in pages],
        "missing": list(pages[0].missing) if pages else [],
        "at_hand": list(pages[0].at_hand) if pages else [],
        "tips": [{"topic": tip.topic, "text": tip.text} for tip in reading.tips] if reading else [],
        "strict": strict and reading is not None and _has_lists_put_in(answer.answer, reading),
    }


def recipe_as_dict(page: Page) -> dict[str, Any]:
    """A recipe, its amounts multiplied, JSON-ready."""
    return {
        "id": page.recipe.id,
        "name": page.name,
        "times": str(page.times),
        "ingredients": [
            {"line": item.raw, "heading": item.heading, "name": item.name or ""} for item in page.ingredients
        ],
        "steps": list(page.recipe.steps),
        "source": source_as_dict(source_of(page)),
    }


def source_as_dict(source: Source) -> dict[str, Any]:
    """Where a recipe stands, JSON-ready."""
    return asdict(source) | {"file": file_name(source.file)}


def _check(answer: Answer) -> dict[str, Any] | None:
    if answer.check is None:
        return None
    source = answer.check.source
    return answer.check.as_dict() | {"source": source_as_dict(source) if source else None}


def _wanted(answer: Answer) -> str | None:
    if answer.reading:
        return answer.reading.wanted
    return "harm" if is_warning(answer.question) else None


def _answered_first(answer: Answer) -> list[Page]:
    """The pages that were read; the one that the answer gives comes first."""
    pages = list(answer.reading.pages) if answer.reading else []
    given = answer.check.source.title if answer.check and answer.check.source else None
    return sorted(pages, key=lambda page: page.name != given)


def _has_lists_put_in(answer: str, reading: Reading) -> bool:
    pages = (*reading.pages, *reading.others) if is_sure(reading) else ()
    return any(lists_of(page, reading) in answer for page in pages)
