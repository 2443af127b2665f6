"""`koki preview`: the conversations of one recipe."""

from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import out, print_json

EXAMPLES: Final = (
    "koki preview",
    "koki preview --data resep.csv --recipe 3 --model 0.5b",
)


def preview(
    data: options.Data = None,
    columns: options.Columns = None,
    items: options.Items = None,
    sheet: options.Sheet = None,
    model: Annotated[str, typer.Option("--model", help="Whose tokenizer and chat template.")] = "mini",
    recipe: Annotated[int, typer.Option("--recipe", min=1, help="Which recipe, counted from 1.")] = 1,
    assignments: options.Set = None,
    as_json: options.Json = False,
) -> None:
    """Show the conversations of a recipe as the model will see them, the supervised tokens marked."""
    from koki.config import load_config
    from koki.data.preview import preview_recipe

    flags = options.data_flags(data, columns, items, sheet, model)
    settings = load_config(settings=options.settings(flags, assignments))
    shown = preview_recipe(settings, recipe)
    if as_json:
        print_json(shown.as_dict())
    else:
        out.print(shown.render(), soft_wrap=True)
