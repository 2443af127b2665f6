"""`koki book`: the book of a run, in which its chef looks things up: recipes added, found, listed and removed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from koki.cli import options
from koki.cli.printing import err, print_json, print_line
from koki.errors import EmptyQuestion, RunError
from koki.language import N_, _, number
from koki.runs.names import BOOK

if TYPE_CHECKING:
    from koki.book.reading import Page
    from koki.book.understand import Understood

ADD_EXAMPLES: Final = (
    "koki book add runs/warung resep-baru.csv",
    "koki book add runs/warung 'data/*.csv' --columns \"title=Nama Sajian\"",
)
FIND_EXAMPLES: Final = (
    'koki book find runs/warung "soto ayam pakai santan ga?"',
    'koki book find runs/warung "ada tempe sama kemangi, enaknya dimasak apa"',
)
LIST_EXAMPLES: Final = (
    "koki book list runs/warung",
    "koki book list runs/warung soto",
)
# What `Understood` has of a question.
_UNDERSTOOD: Final = (
    N_("wanted"),
    N_("dishes"),
    N_("absent"),
    N_("nearest"),
    N_("have"),
    N_("without"),
    N_("ingredient"),
    N_("times"),
    N_("tip"),
)
REMOVE_EXAMPLES: Final = ('koki book remove runs/warung "Soto Ayam Lamongan"',)


def add(
    run: options.Run,
    files: Annotated[list[Path], typer.Argument(help="Recipe files, or patterns in quotes: 'data/*.csv'.")],
    columns: options.Columns = None,
    items: options.Items = None,
    sheet: options.Sheet = None,
    as_json: options.Json = False,
) -> None:
    """Add the recipes of files to the book: the chef knows them at once, without training."""
    path = _book_of(run)

    from koki.book.store import Book
    from koki.data.book import shipped_tips
    from koki.recipes.table import read_recipes

    recipes = read_recipes(*files, columns=options.column_names(columns), items=options.separators(items), sheet=sheet)
    report = recipes.report
    had_one = path.exists()
    if had_one:
        with Book.open(path, write=True) as book:
            added = book.add(recipes)
    else:
        added = Book.write(path, recipes, shipped_tips())
    if as_json:
        print_json({"added": added.recipes, "known": added.known, "book": str(path), "data": report.as_dict()})
        return
    if report.dropped:
        reasons = ", ".join(f"{_(reason)}: {number(count)}" for reason, count in report.dropped_by_reason.items())
        print_line(
            _(
                "Rows without a recipe: {count:,} of {all:,} ({reasons}); see koki check",
                count=len(report.dropped),
                all=report.rows_read,
                reasons=reasons,
            )
        )
    known = _("; in it already: {count:,}", count=added.known) if added.known else ""
    print_line(_("Recipes added to {path}: {count:,}", path=path, count=added.recipes) + known)
    if not had_one:
        print_line(
            _("The run had no book: if its chef shall look up what it was trained on too, add those files as well")
        )


def find(
    run: options.RunOrName,
    question: Annotated[str, typer.Argument(help="What the chef would be asked, in Indonesian.")],
    as_json: options.Json = False,
) -> None:
    """Show what the chef would read before it answers a question, and why: what was understood of it."""
    if not question.strip():
        raise EmptyQuestion
    path = _book_to_read(run)

    from koki.book.lookup import look_up
    from koki.book.store import Book
    from koki.book.understand import understand
    from koki.dialogue.pages import reading_texts
    from koki.dialogue.phrasebook import load_phrasebook

    with Book.open(path) as book:
        understood = understand(question, book)
        reading = look_up(understood, book)
        places = {page.name: page.recipe.place for page in (*reading.pages, *reading.others)}
    text = next(iter(reading_texts(reading, question, load_phrasebook())), "")
    if as_json:
        print_json({"question": question, "understood": _understood(understood), "sources": places, "text": text})
        return
    for what, said in _understood(understood).items():
        print_line(f"{_(what) + ':':12} {_in_words(said)}")
    page = _("page")
    for name, place in places.items():
        print_line(f"{page + ':':12} {name} ({place})")
    print_line("")
    print_line(text or _("The chef reads nothing: it answers from memory"))


def list_dishes(
    run: options.RunOrName,
    like: Annotated[str | None, typer.Argument(help="A name, or nearly.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")] = False,
) -> None:
    """List the dishes of the book, with file and line of each; or the ten whose names are most like a text."""
    path = _book_to_read(run)

    from koki.book.store import Book

    with Book.open(path) as book:
        pages = book.pages() if like is None else (book.page(recipe_id) for recipe_id, _ in book.names_like(like, 10))
        for page in pages:
            if as_json:
                print_json(_as_dict(page), indent=None)
            else:
                print_line(f"{page.name}  ({page.recipe.place})")
        said = _("Dishes in {path}: {count:,}", path=path, count=len(book))
        print_line(said, err)


def remove(
    run: options.Run,
    name: Annotated[str, typer.Argument(help="The dish as `koki book list` names it, or the id of its recipe.")],
) -> None:
    """Take a dish out of the book; recipes that were trained on stay in the model's memory."""
    path = _book_of(run)

    from koki.book.store import Book

    with Book.open(path, write=True) as book:
        recipe = book.remove(name)
    print_line(_("{title} ({place}) is taken out of {path}", title=recipe.title, place=recipe.place, path=path))


def _book_to_read(run: Path) -> Path:
    """Where the book of a run lies, which may be on the hub."""
    from koki.runs.pulled import run_folder

    return _book_of(run_folder(run))


def _book_of(run: Path) -> Path:
    """Where the book of a run lies, or will."""
    from koki.runs.card import read_card
    from koki.runs.pulled import not_written_to, on_hub

    if not run.is_dir() and run.name == BOOK:
        raise RunError(_("{run} is the book itself.", run=run), _("Name its run folder: {folder}", folder=run.parent))
    if on_hub(run):
        raise not_written_to(run)
    read_card(run)
    return run / BOOK


def _understood(understood: "Understood") -> dict[str, Any]:
    """What was understood, JSON-ready; without what the question says nothing of."""
    facts = {name: getattr(understood, name) for name in _UNDERSTOOD}
    facts["dishes"] = {dish.name: round(dish.score, 2) for dish in understood.dishes}
    facts["times"] = understood.times and str(understood.times)
    return {name: fact for name, fact in facts.items() if fact}


def _in_words(said: Any) -> str:
    if isinstance(said, dict):
        return ", ".join(f"{name} ({score})" for name, score in said.items())
    return said if isinstance(said, str) else ", ".join(said)


def _as_dict(page: "Page") -> dict[str, Any]:
    facts = ("id", "title", "loves", "file", "sheet", "line")
    return {"name": page.name} | {fact: getattr(page.recipe, fact) for fact in facts}
