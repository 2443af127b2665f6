"""A JSON document, or the ones in a saved web page -> the objects in it that may be recipes.

A document is an array of objects, an object that holds such arrays somewhere (``{"recipes": [...]}``, ``@graph``), or
one recipe. Most recipe sites put a schema.org/Recipe into their pages; `koki.recipes.values` reads its steps and
sections.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from koki.errors import DataError
from koki.language import _
from koki.recipes.findings import Reason

MOST_VALUES: Final = 4_000_000
"""Brackets and commas of a document, each of which may take 100 bytes once it is parsed. 11,751 real recipes have
1.5 million as an array of objects; JSON Lines have no such limit."""

# Levels of arrays and objects that are looked into for recipes.
_DEEPEST: Final = 20


def parse_document(text: str, path: str) -> Any:
    """The value of a JSON text.

    Raises:
        DataError: it is too large, or no JSON.
    """
    if sum(map(text.count, "[{,")) > MOST_VALUES:
        raise DataError(
            _("{path} has more than {most_values:,} values in one JSON document.", path=path, most_values=MOST_VALUES),
            _("Save it as JSON Lines (.jsonl), a recipe on each line, or split it."),
        )
    try:
        return json.loads(text, strict=False)  # web pages have line ends within texts
    except json.JSONDecodeError as error:
        raise DataError(
            _(
                "{path}, line {lineno:,}, column {colno:,}: this is no JSON: {msg}.",
                path=path,
                lineno=error.lineno,
                colno=error.colno,
                msg=error.msg,
            ),
            _("Save it again."),
        ) from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits; brackets a thousand deep
        raise DataError(
            _("{path} is no JSON that holds recipes: {error}", path=path, error=error), _("Save it again.")
        ) from error


def is_document(text: str) -> bool:
    """Whether a text looks like JSON: an array of objects or lists, or an object."""
    start = text[:1000].lstrip("\ufeff \t\r\n")
    return start.startswith("{") or (start.startswith("[") and start[1:].lstrip()[:1] in {"{", "[", "]"})


def objects(document: Any, is_recipe: Callable[[Mapping[str, Any]], bool]) -> Iterator[dict[str, Any] | Reason]:
    """The objects that may be recipes, in order, and a reason for each other value in an array of such objects.

    Args:
        is_recipe: whether an object has the keys of a recipe.
    """
    yield from _objects(document, is_recipe, _DEEPEST)


def _objects(
    value: Any, is_recipe: Callable[[Mapping[str, Any]], bool], levels: int
) -> Iterator[dict[str, Any] | Reason]:
    if isinstance(value, dict):
        if is_recipe(value):
            yield value
            return
        inner = list(value.values())
    elif isinstance(value, list):
        if any(isinstance(item, dict) and is_recipe(item) for item in value):
            yield from (_row(item) for item in value if not _is_other_thing(item))
            return
        inner = value
    else:
        return
    if levels:
        for item in inner:
            yield from _objects(item, is_recipe, levels - 1)


def keys_of(document: Any) -> dict[str, None]:
    """The keys of the objects of the first array that has some, or of the document itself: what is no recipe's."""
    for _level in range(_DEEPEST):
        values = list(document.values()) if isinstance(document, dict) else document
        if not isinstance(values, list):
            break
        found = [item for item in values if isinstance(item, dict)]
        if isinstance(document, list) and found:
            return dict.fromkeys(key for item in found for key in item)
        inner = next((item for item in values if isinstance(item, dict | list)), None)
        if inner is None:
            break
        document = inner
    return dict.fromkeys(document) if isinstance(document, dict) else {}


def _row(item: Any) -> dict[str, Any] | Reason:
    return item if isinstance(item, dict) else Reason.NO_JSON


def _types(item: Mapping[str, Any]) -> list[str]:
    found = item.get("@type")
    return [kind for kind in (found if isinstance(found, list) else [found]) if isinstance(kind, str)]


def _is_other_thing(item: Any) -> bool:
    """Whether an object says of itself that it is another thing than a recipe: the page, its author, a picture."""
    return isinstance(item, dict) and bool(_types(item)) and "Recipe" not in _types(item)


# ------------------------------------------------------------------------------------------------------- web pages


def is_web_page(text: str) -> bool:
    """Whether a text is HTML."""
    start = text[:5000].lstrip("\ufeff \t\r\n").casefold()
    return start.startswith(("<!doctype html", "<html", "<head", "<!--", "<meta", "<table", "<?xml")) and "<" in start


def documents_in(page: str, path: str) -> Iterator[Any]:
    """The JSON documents (JSON-LD) in a web page; one that is no JSON is passed over.

    They are looked for by plain search: html.parser takes time that grows with the square of a page made for it.
    """
    folded = page.lower() if len(page.lower()) == len(page) else page
    place = 0
    while (start := folded.find("<script", place)) >= 0:
        opened = folded.find(">", start)
        end = folded.find("</script", opened)
        if opened < 0 or end < 0:
            return
        if "ld+json" in folded[start:opened]:
            with suppress(DataError):
                yield parse_document(page[opened + 1 : end].strip().removeprefix("<!--").removesuffix("-->"), path)
        place = end + 1
