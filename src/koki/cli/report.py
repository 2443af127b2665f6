"""`koki report`, and the report that a run or its evaluation ends with."""

from pathlib import Path
from typing import Final

import typer
from rich.console import Console

from koki.cli import options
from koki.cli.printing import print_line
from koki.errors import KokiError
from koki.language import LANGUAGES, _

EXAMPLES: Final = ("koki report runs/warung",)


def report(context: typer.Context, run: options.Run) -> None:
    """Write the report and the model card of a finished run anew, from what is in its folder.

    The page keeps its language, unless one is named: koki report RUN --language id
    """
    from koki.report.write import write_report

    asked = context.find_root().params["language"]
    page = write_report(run, next((language for language in LANGUAGES if language == asked), None))
    print_line(_("Report: {page}", page=page))


def write_report_or_warn(run: Path, console: Console) -> None:
    """Write the report of a run and say where it is; an error is printed as a warning, and the run stays whole."""
    if console.quiet:  # in all processes but the first, which alone writes
        return
    from koki.report.write import write_report

    try:
        said = _("Report: {page}", page=write_report(run))
    except Exception as error:  # whatever it is: hours of training or evaluation are saved and must not seem lost
        known = isinstance(error, KokiError)
        said = _("Warning: {error}", error=error) if known else _("Warning: no report: {error!r}", error=error)
    print_line(said, console)
