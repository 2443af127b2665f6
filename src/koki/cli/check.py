"""`koki check`: what the reader finds in recipe files."""

from pathlib import Path
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import err, out, print_json

EXAMPLES: Final = (
    "koki check resep.csv",
    "koki check 'data/*.csv' --output dropped.csv",
    'koki check warung.csv --columns "title=Nama Menu,steps=Cara" --json',
)


def check(
    files: Annotated[list[Path], typer.Argument(help="Recipe files, or patterns in quotes: 'data/*.csv'.")],
    columns: options.Columns = None,
    sheet: options.Sheet = None,
    output: Annotated[Path | None, typer.Option("--output", help="CSV file to write the dropped rows to.")] = None,
    as_json: options.Json = False,
) -> None:
    """Say what the reader finds in recipe files: columns, rows kept and dropped, and why."""
    from koki.recipes.table import read_recipes

    _, report = read_recipes(files, options.column_names(columns), sheet)
    if as_json:
        print_json(report.as_dict())
    else:
        out.print(report.render())
    if output:
        report.save_dropped(output)
        said = f"Dropped rows written to {output}: {len(report.dropped):,}"
        err.print(said, highlight=False, markup=False, soft_wrap=True)
