"""`koki check`: what the reader finds in recipe files."""

from pathlib import Path
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import err, out, print_json, print_line
from koki.language import _

EXAMPLES: Final = (
    "koki check resep.csv",
    "koki check 'data/*.csv' --output dropped.csv",
    'koki check warung.csv --columns "title=Nama Sajian" --items ","',
)


def check(
    files: Annotated[list[Path], typer.Argument(help="Recipe files, or patterns in quotes: 'data/*.csv'.")],
    columns: options.Columns = None,
    items: options.Items = None,
    sheet: options.Sheet = None,
    output: Annotated[Path | None, typer.Option("--output", help="CSV file to write the dropped rows to.")] = None,
    as_json: options.Json = False,
) -> None:
    """Say what the reader finds in recipe files: columns, rows kept and dropped, and why; and show a recipe as read."""
    from koki.recipes.example import find_example
    from koki.recipes.table import read_recipes

    names = options.column_names(columns)
    recipes = read_recipes(*files, columns=names, items=options.separators(items), sheet=sheet)
    report = recipes.report
    example = find_example(recipes, report, names)
    if as_json:
        print_json(report.as_dict() | ({"example": example.as_dict()} if example else {}))
    else:
        out.print(report.render(), *([example.render()] if example else []), sep="\n")
    if output:
        report.save_dropped(output)
        said = _("Dropped rows written to {output}: {count:,}", output=output, count=len(report.dropped))
        print_line(said, err)
