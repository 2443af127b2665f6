"""One recipe beside the text that it was read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from koki.errors import DataError
from koki.ingredients.parse import Ingredient
from koki.language import _
from koki.recipes.columns import REQUIRED
from koki.recipes.formats import open_table
from koki.recipes.item_rows import put_together
from koki.recipes.recipe import Recipe
from koki.recipes.report import DataReport

# Characters of a field, and items of a recipe, that a terminal shows.
_MOST_SHOWN: Final = 600
_MOST_ITEMS: Final = 20


@dataclass(frozen=True, slots=True)
class Example:
    """A recipe, and its title, ingredients and steps as the file has them."""

    recipe: Recipe
    written: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Both in types that JSON knows."""
        read = {
            "title": self.recipe.title,
            "ingredients": [item.as_dict() for item in self.recipe.ingredients],
            "steps": list(self.recipe.steps),
        }
        return {"file": self.recipe.file, "line": self.recipe.line, "written": self.written, "read": read}

    def render(self) -> Table:
        """What a terminal shows: on the left what is written, on the right what was understood."""
        table = Table(
            title=Text(_("For example, {place}", place=self.recipe.place)),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_lines=True,
        )
        for heading in ("", _("as it is written"), _("as it was understood")):
            table.add_column(heading, overflow="fold", ratio=int(bool(heading)))
        understood = (
            [self.recipe.title],
            [_describe(item) for item in self.recipe.ingredients],
            [f"{number}. {step}" for number, step in enumerate(self.recipe.steps, 1)],
        )
        for wanted, items in zip(REQUIRED, understood, strict=True):
            table.add_row(_(wanted), Text(_shortened(self.written[wanted])), Text(_listed(items)))
        return table


def find_example(recipes: Sequence[Recipe], report: DataReport, columns: Mapping[str, str] | None) -> Example | None:
    """The first recipe of what most rows are suspected of, or the first one, and its text; its file is read again.

    Returns:
        None if the file has changed meanwhile.
    """
    warned = ((file.path, it) for file in report.files for it in file.warnings if it.option)
    suspected = {(path, it.sheet, line) for path, it in warned for line in it.lines}
    looked_at = recipes if suspected else ()
    recipe = next((it for it in looked_at if (it.file, it.sheet, it.line) in suspected), recipes[0])
    try:
        table = put_together(open_table(recipe.file, columns or {}, recipe.sheet or None))
        written = next((row.fields for row in table.rows if row.line == recipe.line), None)
    except DataError:
        return None
    return None if written is None else Example(recipe, {wanted: written.get(wanted, "") for wanted in REQUIRED})


def _describe(item: Ingredient) -> str:
    """An ingredient as "2 siung | bawang putih | cincang"; a heading as "[bumbu halus]"."""
    if item.heading:
        return f"[{item.group or item.raw}]"
    numbers = item.quantity if isinstance(item.quantity, tuple) else (item.quantity,)
    figures = "-".join(f"{number:g}" for number in numbers if number is not None)
    names = ", ".join(chain([item.name or ""], item.others)) + "".join(f" / {name}" for name in item.alternatives)
    parts = (" ".join(filter(None, (figures, item.unit))), names, item.preparation, item.note)
    return " | ".join(filter(None, parts))


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _MOST_ITEMS
    return "\n".join([*items[:_MOST_ITEMS], *([_("... and {more:,} more", more=more)] if more > 0 else [])])


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} ..."
