"""The book of a run: all recipes of its files, those held out too, and the tips that ship."""

from collections.abc import Callable, Iterator
from pathlib import Path

from koki.book.store import Book, StoredTip
from koki.data.recipes import RecipesOfRun
from koki.dialogue.phrasebook import load_tips
from koki.errors import KokiError
from koki.language import N_, _
from koki.recipes.sources import FileDigest


def write_book(path: Path, recipes: RecipesOfRun, warn: Callable[[str], None]) -> None:
    """Write the book of a run, in place of one that is there, unless its configuration wants none.

    The recipes are those that the run has read or, where it found its tokens in the cache, those of the files as they
    are now. What goes wrong is told and costs nobody a run: a book can be made later.
    """
    data = recipes.config.data
    if not data.book:
        return
    try:
        read = recipes.read
        Book.write(path, read, shipped_tips() if data.tips else ())
        if [FileDigest(file.path, file.sha256) for file in read.report.files] != list(recipes.digests):
            warn(_("The recipe files have changed since training began; {path} has them as they are now", path=path))
    except KokiError as error:
        what = N_("{path} was not written: {what} `koki book add {folder} FILE...` makes it")
        warn(_(what, path=path, what=error.what, folder=path.parent))


def shipped_tips() -> Iterator[StoredTip]:
    """The tips that ship with Koki, as a book keeps them."""
    for tip in load_tips():
        yield StoredTip(tip.topic, tip.answer, (*tip.questions, *tip.always))
