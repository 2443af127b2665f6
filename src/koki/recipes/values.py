"""A value of any kind -> the text that a cell would hold: lists and objects, also where they are written out in a cell.

Rules are code; the names of an object's parts are in ``values.toml``.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import chain
from typing import Any, Final

from koki.markup import without_markup
from koki.recipes.cleaning import bare
from koki.recipes.items import has_letter

_PARTS: Final = {
    part: [bare(name) for name in names]
    for part, names in tomllib.loads(files(__package__).joinpath("values.toml").read_text(encoding="utf-8")).items()
}
_KNOWN: Final = frozenset(chain.from_iterable(_PARTS.values()))
_OF_A_LINE: Final = ("whole", "amount", "unit", "name", "note")
_NUMBERED: Final = re.compile(r"\D{0,12}\d{1,3}")  # "1", "step 1"
# Levels of lists and objects; a list of groups of ingredients, each with an amount of its own, has five.
_DEEPEST: Final = 8

# What a program writes of a list. The text of a string is kept as it is, escapes and all: `repair` decodes them.
_LITERAL: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')(\s+(?=["']))?"""  # a string; NumPy puts no comma behind it
    r"""|\b(None|nan|NaN|NA|NULL|True|False)\b|(\bc?\()|(\))|,\s*(?=[\])}])""",
    re.DOTALL,
)
_CONSTANTS: Final = {"True": "true", "False": "false"}
_ENDS: Final = {"[": "]", "{": "}", "(": ")", "c": ")"}


def text_of(value: object) -> str | None:
    """A value as a CSV would hold it, with ``--`` between the items of a list; None for what is no text.

    Of an object, amount, unit, name and note are joined, and the name of its group is a heading.
    """
    if isinstance(value, str):
        return value
    try:
        return "--".join(_lines([value]))
    except ValueError:
        return None


def written_out(text: str) -> str:
    """A list that a program wrote into a cell, such as ``['1 ikat bayam', 'garam']``, as `text_of` gives it.

    Lists and objects of JSON, Python, NumPy, R and PostgreSQL are read. Any other text is returned as it is.
    """
    stripped = text.strip()
    if len(stripped) < 2 or _ENDS.get(stripped[0]) != stripped[-1]:
        return text
    for written in dict.fromkeys((stripped, without_markup(stripped))):
        literal = _LITERAL.sub(_as_json, written)
        for candidate in (literal, f"[{literal[1:-1]}]"):
            try:
                value = json.loads(candidate, strict=False)
            except (ValueError, RecursionError):
                continue
            found = text_of(value) if isinstance(value, list | dict) else None
            return text if found is None else found
    inside = stripped[1:-1]
    is_bare = stripped[0] in "[{" and not any(sign in inside for sign in "[]{}")
    return inside if is_bare else text  # "[1 ikat bayam, garam]"


def _as_json(found: re.Match[str]) -> str:
    string, gap, constant, opening, closing = found.groups()
    if string:
        return json.dumps(string[1:-1]) + ("," if gap else "")
    if constant:
        return _CONSTANTS.get(constant, "null")
    return "[" if opening else "]" if closing else ""


def _lines(value: object, deepest: int = _DEEPEST) -> Iterator[str]:
    """The items of a value.

    Raises:
        ValueError: it is nested too deep, or is of a kind that is no text.
    """
    if not deepest:
        raise ValueError
    if isinstance(value, list):
        group = ""
        for item in value:
            if isinstance(item, Mapping):
                heading = _part(item, "group", deepest)
                if heading != group:
                    yield f"{heading}:"
                group = heading
            yield from _lines(item, deepest - 1)
    elif isinstance(value, Mapping):
        yield from _lines_of_object(value, deepest)
    elif isinstance(value, float):
        yield str(int(value)) if value.is_integer() else f"{value:.6g}"
    elif value is None or isinstance(value, str | int):
        yield "" if value is None else str(value)
    else:
        raise ValueError


def _lines_of_object(item: Mapping[Any, Any], deepest: int) -> Iterator[str]:
    """The line of an ingredient or step; of an object that holds lists, their items under its name."""
    lists = {str(key): it for key, it in item.items() if isinstance(it, list)}
    whole, amount, unit, name, note = (_part(item, part, deepest) for part in _OF_A_LINE)
    if held := [it for key, it in lists.items() if bare(key) in _KNOWN]:
        yield from [f"{name}:"] if name else []
        yield from chain.from_iterable(_lines(it, deepest - 1) for it in held)
    elif whole or name or amount:
        line = whole or " ".join(filter(None, (amount, unit, name)))
        yield line if whole or not note else f"{line}, {note}"
    else:  # {"Bumbu": ["garam", "gula"], "bayam": "1 ikat"}, {"1": "Rebus air"}
        for key, it in item.items():
            if isinstance(it, list):
                yield f"{key}:"
                yield from _lines(it, deepest - 1)
            elif text := " ".join(_lines(it, deepest - 1)):
                yield text if _NUMBERED.fullmatch(str(key)) else f"{text} {key}"


def _part(item: Mapping[Any, Any], part: str, deepest: int) -> str:
    """The text of a part of an object; empty if it has none."""
    values = {bare(str(key)): it for key, it in item.items() if not isinstance(it, list)}
    texts = (" ".join(_lines(values[name], deepest - 1)).strip() for name in _PARTS[part] if name in values)
    return next((text for text in texts if has_letter(text) or (text and part == "amount")), "")
