"""All verbs under one command, and `main`, which runs it."""

import io
import os
import sys
from typing import Annotated

import typer
from rich.markup import escape
from typer.main import get_command

import koki
from koki.cli import (
    ask,
    book,
    chat,
    check,
    config,
    data_build,
    demo,
    evaluate,
    export_conversations,
    export_gguf,
    export_merged,
    feedback,
    parse,
    plan,
    preview,
    push,
    report,
    serve,
    train,
)
from koki.cli.printing import err, out, print_line
from koki.cli.words import EXAMPLES, OPTION, TranslatedGroup, choose_language, translate
from koki.errors import KokiError
from koki.language import _, of_system
from koki.notices import printing_warnings
from koki.progress import shown_on


def _with_examples(*lines: str) -> str:
    """The end of a verb's --help: a list, because older releases of Typer join all other lines of Markdown."""
    return "\n\n".join([f"**{EXAMPLES}**", *(f"- `{line}`" for line in lines)])


app = typer.Typer(
    name="koki",
    cls=TranslatedGroup,
    help="Turn a file of Indonesian recipes into a chef that answers in Indonesian.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command(epilog=_with_examples(*train.EXAMPLES))(train.train)
app.command(epilog=_with_examples(*plan.EXAMPLES))(plan.plan)
app.command(epilog=_with_examples(*ask.EXAMPLES))(ask.ask)
app.command(epilog=_with_examples(*chat.EXAMPLES))(chat.chat)
app.command(epilog=_with_examples(*serve.EXAMPLES))(serve.serve)
app.command(epilog=_with_examples(*evaluate.EXAMPLES))(evaluate.evaluate)
app.command(epilog=_with_examples(*report.EXAMPLES))(report.report)
app.command(epilog=_with_examples(*push.EXAMPLES))(push.push)
app.command(epilog=_with_examples(*check.EXAMPLES))(check.check)
app.command(epilog=_with_examples(*preview.EXAMPLES))(preview.preview)
app.command(epilog=_with_examples(*parse.EXAMPLES))(parse.parse)
app.command("config", epilog=_with_examples(*config.EXAMPLES))(config.show_config)
app.command(epilog=_with_examples(*demo.EXAMPLES))(demo.demo)

book_app = typer.Typer(help="The book of a run, in which its chef looks things up.", no_args_is_help=True)
book_app.command("add", epilog=_with_examples(*book.ADD_EXAMPLES))(book.add)
book_app.command("find", epilog=_with_examples(*book.FIND_EXAMPLES))(book.find)
book_app.command("list", epilog=_with_examples(*book.LIST_EXAMPLES))(book.list_dishes)
book_app.command("remove", epilog=_with_examples(*book.REMOVE_EXAMPLES))(book.remove)
app.add_typer(book_app, name="book")

feedback_app = typer.Typer(help="What people said of a chef's answers.", no_args_is_help=True)
feedback_app.command("export", epilog=_with_examples(*feedback.EXPORT_EXAMPLES))(feedback.export)
app.add_typer(feedback_app, name="feedback")

export_app = typer.Typer(help="Hand a run or its conversations to other programs.", no_args_is_help=True)
export_app.command("gguf", epilog=_with_examples(*export_gguf.EXAMPLES))(export_gguf.export_gguf)
export_app.command("merged", epilog=_with_examples(*export_merged.EXAMPLES))(export_merged.export_merged)
export_app.command("conversations", epilog=_with_examples(*export_conversations.EXAMPLES))(
    export_conversations.export_conversations
)
app.add_typer(export_app, name="export")

data_app = typer.Typer(help="What a run trains on.", no_args_is_help=True)
data_app.command("build", epilog=_with_examples(*data_build.EXAMPLES))(data_build.build)
data_app.command("export", hidden=True)(export_conversations.export_conversations)
app.add_typer(data_app, name="data")


@data_app.callback()
def _say_new_name(context: typer.Context) -> None:
    if context.invoked_subcommand == "export":
        err.print(_("koki data export is called koki export conversations now."), highlight=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"koki {koki.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def koki_itself(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    language: Annotated[
        str | None,
        typer.Option(OPTION, help="en or id, also after the verb; without it, KOKI_LANGUAGE, or that of the system."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Turn a file of Indonesian recipes into a chef that answers in Indonesian."""


def main() -> None:
    """Run the command line; an error of Koki's is printed without a traceback."""
    _restart_in_utf_8()
    debug = "--debug" in sys.argv  # anywhere: people add it at the end of the line that failed
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it was closed
            stream.reconfigure(errors="backslashreplace")  # under LANG=C, or for a file name that is no text
    try:
        sys.argv[1:] = choose_language(sys.argv[1:])
        command = get_command(app)
        translate(command)
        with printing_warnings(err), shown_on(err):
            command()
    except (KokiError, OSError, MemoryError) as error:
        if debug:
            raise
        what, how = _told(error)
        label = _("Error")
        err.print(f"[bold red]{label}[/] {escape(what)}", highlight=False, soft_wrap=True)
        if how:
            print_line(how, err)
        sys.exit(1)


def _told(error: Exception) -> tuple[str, str]:
    """What went wrong, and how to mend it."""
    if isinstance(error, KokiError):
        return error.what, error.how
    return of_system(error) if isinstance(error, OSError) else str(error) or _("There is not enough memory."), ""


def _restart_in_utf_8() -> None:
    """Start Python again in its UTF-8 mode where the locale is ASCII and Python was told not to coerce it.

    Otherwise a letter outside ASCII in a setting, question or file name would arrive as its bytes, as surrogates.
    """
    if sys.getfilesystemencoding() == "ascii":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
