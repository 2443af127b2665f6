"""`koki push`: a finished run on the Hugging Face hub."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import err, print_line
from koki.errors import ConfigError
from koki.language import N_, _
from koki.runs.names import BOOK

if TYPE_CHECKING:
    from koki.export.published import Parcel
    from koki.export.push import Repository

EXAMPLES: Final = (
    "koki push runs/warung siti/warung",
    "koki push runs/warung siti/warung --with-book --public --yes",
)


def push(
    run: options.Run,
    name: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Of the repository; a new one is private.")],
    public: Annotated[bool, typer.Option("--public", help="Everybody may see it.")] = False,
    with_book: Annotated[
        bool, typer.Option("--with-book", help="The recipes too: book, report and scorecard, which show them.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Upload without asking.")] = False,
) -> None:
    """Upload a finished run to the Hugging Face hub; what is uploaded, and what is not, is listed first."""
    from koki.export.published import parcel_of
    from koki.export.push import look_up
    from koki.export.push import push as upload
    from koki.hub import quiet_hub
    from koki.runs.finished import read_run

    quiet_hub()
    finished = read_run(run)
    with parcel_of(finished, name, with_book=with_book) as parcel:
        _list(parcel)
        repository = look_up(name, public=public)
        _say_what_becomes_of(repository, parcel)
        if not yes:
            _ask(repository)
        upload(parcel, repository, f"{run.resolve().name}, with Koki")
    print_line(_("Uploaded: {url}", url=repository.url))
    question = finished.card.get("example_question") or "Resep soto ayam dong!"
    command = f'koki ask {name} "{question}"'
    print_line(_("Ask it:   {command}", command=command))


def _list(parcel: "Parcel") -> None:
    from koki.formatting import file_size

    width = max(map(len, (*parcel.files, *parcel.left_out)))
    print_line(_("To be uploaded, {size}:", size=file_size(parcel.size)))
    for name in parcel.files:
        print_line(f"  {name:{width}}  {file_size(parcel.size_of(name)):>8}")
    print_line(_("Not uploaded:"))
    for name, why in parcel.left_out.items():
        print_line(f"  {name:{width}}  {_(why)}")
    print_line(_("The adapter knows recipes by heart: who has it can have it say them."))
    if BOOK in parcel.left_out:
        print_line(_("Without its book the chef answers from memory alone."))


def _say_what_becomes_of(repository: "Repository", parcel: "Parcel") -> None:
    """Say what is new, who will see it, and what is taken out."""
    what = (
        N_("A new repository {name}: {who}")
        if repository.commit is None
        else N_("A new commit to the repository {name}: {who}")
    )
    print_line(_(what, name=repository.id, who=_("everybody may see it") if repository.is_public else _("private")))
    if outdated := repository.outdated(parcel):
        print_line(_("Taken out of it, though earlier commits keep it: {names}", names=", ".join(outdated)))


def _ask(repository: "Repository") -> None:
    """Ask whether to upload, where there is somebody to ask.

    Raises:
        ConfigError: there is nobody.
        typer.Exit: the answer is no.
    """
    if not (sys.stdin and sys.stdin.isatty()):
        raise ConfigError(
            _("Nothing is uploaded to {name}: nobody is here to be asked.", name=repository.id), _("Say --yes.")
        )
    if not typer.confirm(_("Upload it?")):
        err.print(_("Nothing was uploaded."), highlight=False)
        raise typer.Exit(1)
