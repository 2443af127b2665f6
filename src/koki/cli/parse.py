"""`koki parse`: ingredient lines taken apart."""

from typing import Annotated, Any, Final

import typer

from koki.cli import options
from koki.cli.lines import read_lines
from koki.cli.printing import print_json, print_line
from koki.language import N_, _

EXAMPLES: Final = (
    'echo "2 siung bawang putih, cincang" | koki parse -',
    "koki parse ingredients.txt --json",
)

# Of an ingredient, as `Ingredient.as_dict` has them.
_PARTS: Final = (
    N_("name"),
    N_("quantity"),
    N_("unit"),
    N_("preparation"),
    N_("note"),
    N_("optional"),
    N_("alternatives"),
    N_("others"),
    N_("group"),
)


def parse(
    file: Annotated[str, typer.Argument(help="A file of ingredient lines; - is standard input.")],
    as_json: options.Json = False,
) -> None:
    """Take ingredient lines apart: quantity, unit, name, preparation."""
    from koki.ingredients.parse import parse_ingredient

    for line in read_lines(file):
        ingredient = parse_ingredient(line)
        if as_json:
            print_json(ingredient.as_dict(), indent=None)
        else:
            print_line(_describe(ingredient.as_dict()))


def _describe(parsed: dict[str, Any]) -> str:
    if parsed["heading"]:
        parts = [_("heading")]
    else:
        parts = [f"{_(key)} {value}" for key, value in parsed.items() if key in _PARTS and value]
    return f"{parsed['raw']}  ->  {', '.join(parts)}"
