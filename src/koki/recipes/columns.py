"""Which column of a file holds what: by the names of ``columns.toml``, or by those that the user gives."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Final

from koki.errors import DataError
from koki.language import N_, _
from koki.recipes.cleaning import bare

_NAMES: Final[dict[str, list[str]]] = tomllib.loads(
    files(__package__).joinpath("columns.toml").read_text(encoding="utf-8")
)
_FIELDS: Final = tuple(_NAMES)
REQUIRED: Final = (N_("title"), N_("ingredients"), N_("steps"))

SEASONING: Final = _NAMES["seasoning"][0]
"""The heading of the items of a second column of ingredients."""

_FIELD_OF: Final = {bare(name): field for field, names in reversed(_NAMES.items()) for name in names}
_SEASONING_NAMES: Final = frozenset(map(bare, _NAMES["seasoning"]))
# Names of a field that an error gives as examples.
_EXAMPLES: Final = 5


def field_named(name: str) -> str | None:
    """The field that a column or heading of this name holds; None for a name that Koki does not know."""
    return _FIELD_OF.get(bare(name))


def is_seasoning(name: str) -> bool:
    """Whether a column or heading of this name may hold but a part of the ingredients."""
    return bare(name) in _SEASONING_NAMES


def require_known(given: Mapping[str, str]) -> None:
    """Check that the user gives columns to fields that there are.

    Raises:
        DataError: a field is unknown.
    """
    if unknown := [field for field in given if field not in _FIELDS]:
        raise DataError(
            _("A recipe has no {unknown} to give a column to.", unknown=_(" and no ").join(map(repr, unknown))),
            _("data.columns and --columns know: {fields}.", fields=", ".join(_FIELDS)),
        )


def find_columns(header: Sequence[str], given: Mapping[str, str]) -> dict[str, int]:
    """Field -> its place in the header, for the fields that are found.

    Args:
        given: field -> the name that its column has. No other field is looked for in such a column.
    """
    exact = {name: place for place, name in reversed(list(enumerate(header)))}
    places = {bare(name): place for name, place in reversed(exact.items())}
    columns: dict[str, int] = {}
    for field, name in given.items():
        place = exact.get(" ".join(name.split()), places.get(bare(name) or name))
        columns |= {} if place is None else {field: place}
    taken = set(columns.values())
    for field, synonyms in _NAMES.items():
        found = [places[key] for key in map(bare, synonyms) if key in places and places[key] not in taken]
        if found and field not in given:
            columns[field] = found[0]
            taken.add(found[0])
    return {field: columns[field] for field in _FIELDS if field in columns}


def require_columns(path: str, header: Sequence[str], columns: Mapping[str, int], given: Mapping[str, str]) -> None:
    """Check that a file has the columns that were given, and a title, ingredients and steps.

    Raises:
        DataError: it lacks one.
    """
    shown = ", ".join("".join(filter(str.isprintable, name))[:40] for name in header[:20]) or _("(empty)")
    if lost := {field: name for field, name in given.items() if field not in columns}:
        names = _(" and no ").join(_("{name!r} (for {field})", name=name, field=field) for field, name in lost.items())
        meant = {field: _nearest(name, header) for field, name in lost.items()}
        columns_meant = ",".join(f"{field}={name}" for field, name in meant.items())
        raise DataError(
            _("{path} has no column {names}. Its header is: {shown}", path=path, names=names, shown=shown),
            _('Did you mean --columns "{columns}"?', columns=columns_meant)
            if all(meant.values())
            else _("Correct data.columns or --columns, or leave them out: Koki knows the usual names."),
        )
    if missing := [field for field in REQUIRED if field not in columns]:
        raise DataError(
            _(
                "{path} has no column for {missing}. Its header is: {shown}",
                path=path,
                missing=_(" and ").join(missing),
                shown=shown,
            ),
            _advice(header, missing),
        )


def _nearest(name: str, header: Sequence[str]) -> str:
    """The name in the header that a name was probably meant to be; empty for one that is like none."""
    by_bare = {bare(word): found for found in reversed(header) for word in (*found.split(), found) if bare(word)}
    found = difflib.get_close_matches(bare(name), by_bare, n=1)
    return by_bare[found[0]] if found else ""


def _advice(header: Sequence[str], missing: Sequence[str]) -> str:
    names = "; ".join(f"{field}: {', '.join(_NAMES[field][:_EXAMPLES])}" for field in missing)
    example = ",".join(f"{field}=NAME" for field in missing)
    advice = _(
        "Name the columns so ({names}), or say which they are: --columns {example}.", names=names, example=example
    )
    if len(header) == 1:
        more = _("Only one column was found: Koki knows the delimiters comma, semicolon, tab and |.")
        return f"{advice} {more}"
    if any("--" in name for name in header):
        more = _("The first line looks like a recipe: is the header line missing?")
        return f"{advice} {more}"
    return advice
