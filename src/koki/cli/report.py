"""`koki report`, and the report that a run or its evaluation ends with."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from koki.cli import options
from koki.cli.printing import out
from koki.errors import ConfigError, KokiError
from koki.language import _

EXAMPLES: Final = (
    "koki report runs/warung",
    "koki report runs/warung --language id",
)


def report(
    run: options.Run,
    language: Annotated[
        str | None, typer.Option("--language", help="en or id; without it, that of the report that is there, or en.")
    ] = None,
) -> None:
    """Write the report and the model card of a finished run anew, from what is in its folder."""
    from koki.report.language import LANGUAGES

    known = next((name for name in LANGUAGES if name == language), None)
    if language is not None and known is None:
        raise ConfigError(
            _("There is no report in language {language!r}.", language=language),
            _("Languages: {languages}.", languages=", ".join(LANGUAGES)),
        )

    from koki.report.write import write_report

    out.print(_("Report: {run}", run=write_report(run, known)), highlight=False, markup=False, soft_wrap=True)


def write_report_or_warn(run: Path, console: Console) -> None:
    """Write the report of a run and say where it is; an error is printed as a warning, and the run stays whole."""
    if console.quiet:  # in all processes but the first, which alone writes
        return
    from koki.report.write import write_report

    try:
        said = f"Report: {write_report(run)}"
    except Exception as error:  # whatever it is: hours of training or evaluation are saved and must not seem lost
        said = f"Warning: {error}" if isinstance(error, KokiError) else f"Warning: no report: {error!r}"
    console.print(said, highlight=False, markup=False, soft_wrap=True)
