"""Options that several verbs share, and the settings that those about recipes and model stand for."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from koki.errors import ConfigError
from koki.language import _

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Data = Annotated[list[Path] | None, typer.Option("--data", help="Recipe file; may be given several times.")]
Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="FIELD=NAME,...", help="Columns under names of their own: title=...,steps=..."),
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook; default: each that has the columns.")]
Items = Annotated[
    list[str] | None,
    typer.Option(
        "--items",
        metavar="[FIELD=]SEPARATOR",
        help='What separates ingredients, as in --items ","; or steps=SEPARATOR.',
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", help="mini, 0.5b, 1.5b, 3b, 0.6b, 1.7b, sailor2-1b, a folder or a hub id."),
]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any setting; `koki config` lists them.")
]
Config = Annotated[Path | None, typer.Option("--config", help="YAML file with settings.")]
Run = Annotated[Path, typer.Argument(help="Run folder.")]
RunOrName = Annotated[Path, typer.Argument(help="Run folder, or owner/name of a run on the Hugging Face hub.")]
Engine = Annotated[
    str | None,
    typer.Option("--engine", help="transformers or llama.cpp; default: the first on a GPU, else the second."),
]
Book = Annotated[
    bool | None,
    typer.Option("--book/--no-book", help="Look in the chef's book first; default: if it was trained to, or is large."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Lists of ingredients and steps are the book's own lines, put in by program.")
]
MaxNewTokens = Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest answer.")]
Temperature = Annotated[float, typer.Option("--temperature", min=0, help="0 is greedy.")]
MaxSteps = Annotated[int | None, typer.Option("--max-steps", help="Stop after so many steps.")]
Preset = Annotated[str | None, typer.Option("--preset", help="reference, fast or laptop.")]


def data_flags(
    data: list[Path] | None, columns: str | None, items: list[str] | None, sheet: str | None, model: str | None
) -> dict[str, Any]:
    """Recipes and model as settings; None where nothing was said."""
    return {
        "data.files": [str(file) for file in data] if data else None,
        "data.columns": column_names(columns),
        "data.items": separators(items),
        "data.sheet": sheet,
        "model.name": model,
    }


def settings(flags: Mapping[str, Any], assignments: Iterable[str] | None) -> dict[str, Any]:
    """What options and ``--set`` say, as `load_config` takes it; what ``--set`` says counts.

    Args:
        flags: dotted name of a setting -> value; None where nothing was said.

    Raises:
        ConfigError: what ``--set`` says is no setting.
    """
    from koki.config import read_assignments

    given = {name: value for name, value in flags.items() if value is not None}
    return given | read_assignments(assignments or ())


def column_names(text: str | None) -> dict[str, str] | None:
    """``title=Nama Menu,steps=Cara`` -> field and name of its column.

    Raises:
        ConfigError: the text is not of that form.
    """
    if text is None:
        return None
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(field.strip() and name.strip() for field, _, name in pairs):
        raise ConfigError(
            _("--columns {text!r} is not of the form field=name,field=name.", text=text),
            _(
                "Example: --columns title=Menu,ingredients=Belanja,steps=Cara; "
                "data.columns takes names with a comma too."
            ),
        )
    return {field.strip(): name.strip() for field, _, name in pairs}


def separators(texts: list[str] | None) -> dict[str, str] | None:
    """``,`` and ``steps=;`` -> what separates ingredients, and what steps.

    Raises:
        ConfigError: a text names another field, or no separator.
    """
    if texts is None:
        return None
    given: dict[str, str] = {}
    for text in texts:
        field, equals, separator = text.partition("=")
        named = bool(equals and field.strip().isalpha())
        name = field.strip() if named else "ingredients"
        if name not in ("ingredients", "steps") or not (separator if named else text):
            raise ConfigError(
                _("--items {text!r} is neither a separator nor ingredients=SEPARATOR nor steps=SEPARATOR.", text=text),
                _('Example: --items "," --items "steps=;"'),
            )
        given[name] = separator if named else text
    return given
