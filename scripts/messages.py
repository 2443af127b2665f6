"""Bring the catalogue of messages up to date: `make messages`.

What is new in the code gets an entry without a translation, what is gone loses its entry; then all is compiled.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from pydantic import BaseModel
from typer.main import get_command

from koki.cli.app import app
from koki.cli.words import texts_of
from koki.config import RunConfig
from koki.language import LANGUAGES, LOCALE, Language

_SOURCE: Final = Path(__file__).parents[1] / "src" / "koki"
_KEYWORDS: Final = {"_": None, "N_": None, "ngettext": (1, 2)}


def messages() -> Catalog:
    """All messages that the code has now, without translations."""
    catalog = Catalog()
    for file, _, text, comments, context in extract_from_dir(_SOURCE, [("**.py", "python")], keywords=_KEYWORDS):
        catalog.add(text, locations=[(f"src/koki/{file}", 0)], auto_comments=comments, context=context)
    for text, place in (*_of_help(get_command(app), "koki"), *_of_settings(RunConfig)):
        catalog.add(text, auto_comments=[place])
    return catalog


def _of_help(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """The texts of --help, of a command and those below it, and where each stands."""
    for owner, attribute in texts_of(command):
        option = (
            "" if owner is command else f" {owner.opts[0] if owner.opts[0].startswith('-') else owner.name.upper()}"
        )
        yield getattr(owner, attribute), f"{name}{option}"
    for verb, inner in getattr(command, "commands", {}).items():
        yield from _of_help(inner, f"{name} {verb}")


def _of_settings(section: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """What `koki config` says of each section and setting."""
    for name, field in section.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield (type(field.default).__doc__ or "").rstrip("."), f"koki config, {name}"
            yield from _of_settings(type(field.default))
        else:
            yield field.description or "", f"koki config, {name}"


def place_of(language: Language) -> Path:
    """Where the translations of a language lie."""
    return LOCALE / language / "LC_MESSAGES" / "koki.po"


def read(language: Language) -> Catalog:
    """The translations that there are."""
    with place_of(language).open("rb") as file:
        return read_po(file, language, abort_invalid=True)


def compiled(catalog: Catalog) -> bytes:
    """What gettext reads."""
    into = BytesIO()
    write_mo(into, catalog)
    return into.getvalue()


def missing(catalog: Catalog) -> list[Message]:
    """The messages that have no translation."""
    return [message for message in catalog if message.id and (message.fuzzy or not all(_forms(message.string)))]


def _forms(text: str | tuple[str, ...] | list[str] | None) -> Sequence[str]:
    """The forms of a text; one that says the same of one and of many has one."""
    return [text] if isinstance(text, str) else text or [""]


def _bring_up_to_date(language: Language) -> None:
    catalog = read(language)
    catalog.update(messages(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    with place_of(language).open("wb") as file:
        write_po(file, catalog, width=120, sort_by_file=True, include_lineno=False)
    place_of(language).with_suffix(".mo").write_bytes(compiled(catalog))
    print(f"{place_of(language)}: {len(catalog)} messages, {len(missing(catalog))} without a translation")


if __name__ == "__main__":
    for one in LANGUAGES:
        if one != "en":
            _bring_up_to_date(one)
