"""`koki export conversations`: the conversations for other trainers."""

from pathlib import Path
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import out, print_line
from koki.errors import ConfigError
from koki.language import N_, _

EXAMPLES: Final = (
    "koki export conversations --format messages --output conversations.jsonl",
    "koki export conversations --data resep.csv --format alpaca --output a.jsonl",
)


def export_conversations(
    form: Annotated[str, typer.Option("--format", help="messages, sharegpt, alpaca or prompt-completion.")],
    output: Annotated[Path, typer.Option("--output", help="JSON Lines file to write.")],
    data: options.Data = None,
    columns: options.Columns = None,
    items: options.Items = None,
    sheet: options.Sheet = None,
    model: Annotated[str, typer.Option("--model", help="Whose tokenizer decides what fits.")] = "mini",
    assignments: options.Set = None,
) -> None:
    """Write the conversations for other trainers, with their questions as they are composed."""
    from koki.config import load_config
    from koki.data import export
    from koki.data.build import build_dataset

    if form not in export.FORMATS:
        raise ConfigError(
            _("There is no format {form!r}.", form=form), _("Formats: {formats}.", formats=", ".join(export.FORMATS))
        )
    export.require_export(output)
    flags = options.data_flags(data, columns, items, sheet, model)
    settings = load_config(settings=options.settings(flags, assignments))
    dataset = build_dataset(settings)
    out.print(dataset.report.render())
    exported = export.export_conversations(dataset, form, output)
    if exported.taken_apart:
        said = N_("{count:,} of them hold what looks like control tokens; a space keeps these text")
        out.print(_(said, count=exported.taken_apart), highlight=False)
    if settings.data.typing_noise:
        out.print(_("Questions are as composed: how some are typed is drawn anew each epoch (data.typing_noise)"))
    said = _("{count:,} conversations in {output}", count=exported.conversations, output=output)
    print_line(said)
