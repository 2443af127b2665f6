"""A table with one ingredient, or one step, a row -> rows that have a recipe each.

Such tables give the title in each row of a recipe, or in the first one only, as merged cells do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain, groupby, islice, pairwise
from typing import Final

from koki.recipes.cleaning import bare
from koki.recipes.findings import Oddity, Reason
from koki.recipes.formats import LONGEST_FIELD, Row, Table
from koki.recipes.items import ingredient_items

# Rows that are looked at to tell what a row is.
_LOOKED_AT: Final = 500
# Characters of a cell that has one ingredient or step.
_LONGEST_ITEM: Final = 120
# Fields that only such a table has a use for.
_PARTS: Final = ("quantity", "unit")
_LISTED: Final = ("ingredients", "steps", "seasoning")


def put_together(table: Table) -> Table:
    """The table itself, or one with a row for each recipe if it has one for each ingredient or step."""
    head = list(islice(table.rows, _LOOKED_AT))
    rows = chain(head, table.rows)
    if is_item_a_row(head):
        return replace(table, rows=_recipes(rows))
    columns = {field: place for field, place in table.columns.items() if field not in _PARTS}
    return replace(table, columns=columns, rows=rows)


def is_item_a_row(rows: Sequence[Row]) -> bool:
    """Whether most rows go on with the recipe of the row before, with one more ingredient or step."""
    sound = [row for row in rows if not row.problem]
    titles: Iterator[str] = accumulate((row.fields.get("title", "") for row in sound), _newest)
    continued = 0
    for above, (before, row) in zip(titles, pairwise(sound), strict=False):
        if above.strip() and _goes_on(before.sheet, above, row):
            new = [field for field in _LISTED if _is_new(field, before, row)]
            continued += bool(new) and all(_is_one(field, row.fields[field]) for field in new)
    return len(sound) > 2 and 2 * continued >= len(sound)


def _newest(above: str, title: str) -> str:
    return title or above


def _goes_on(sheet: str, above: str, row: Row) -> bool:
    """Whether a row has the title above it, or none."""
    title = bare(row.fields.get("title", ""))
    return sheet == row.sheet and (not title or title == bare(above))


def _is_new(field: str, before: Row, row: Row) -> bool:
    return bool(row.fields.get(field)) and row.fields.get(field) != before.fields.get(field)


def _is_one(field: str, text: str) -> bool:
    """Whether a cell has one ingredient or step, and no list of them."""
    if "--" in text or "\n" in text.strip() or len(text) > _LONGEST_ITEM:
        return False
    return field == "steps" or len(ingredient_items(text)) == 1


def _recipes(rows: Iterator[Row]) -> Iterator[Row]:
    group: list[Row] = []
    for row in rows:
        if group and (row.problem or not _goes_on(group[0].sheet, group[0].fields.get("title", ""), row)):
            yield _joined(group)
            group = []
        if row.problem:
            yield row
        else:
            group.append(row)
    if group:
        yield _joined(group)


def _joined(group: Sequence[Row]) -> Row:
    if len(group) == 1 and not any(group[0].fields.get(part) for part in _PARTS):
        return group[0]
    fields: dict[str, str] = {}
    for row in group:
        fields |= {name: text for name, text in row.fields.items() if text and not fields.get(name)}
    for name in fields.keys() & {*_LISTED}:
        texts = (_item(name, row) for row in group)
        fields[name] = "\n".join(text for text, _ in groupby(texts) if text)  # a merged cell may stand in each row
    oddities = dict.fromkeys(chain.from_iterable(row.oddities for row in group)) | {Oddity.ITEM_A_ROW: None}
    problem = Reason.LONG_FIELD if max(map(len, fields.values()), default=0) > LONGEST_FIELD else None
    return replace(group[0], fields=fields, problem=problem, oddities=tuple(oddities))


def _item(name: str, row: Row) -> str:
    """An ingredient with its amount, or a step."""
    parts = (row.fields.get(field, "").strip() for field in ((*_PARTS, name) if name == "ingredients" else (name,)))
    return " ".join(filter(None, parts))
