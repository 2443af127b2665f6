"""What Koki says at the terminal, in the language of who reads it.

English is the source: ``_("There is no file {file}.", file=file)`` looks the text up in ``locale/``, then fills its
slots. What other programs read stays English: files that are written, logs, answers of the API.
"""

import gettext
import locale
import os
import re
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any, Final, Literal, get_args

Language = Literal["en", "id"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

LOCALE: Final = Path(__file__).with_name("locale")
"""Where the translations lie: ``id/LC_MESSAGES/koki.po``, and ``koki.mo``, which is read."""

_INDONESIAN: Final = ("id", "ind", "indonesian")  # the last as Windows calls it
_MARKS: Final = str.maketrans(",.", ".,")


class _Speaker:
    """Holds the language that was chosen; English until then."""

    language: Language = "en"


_SPEAKER: Final = _Speaker()


def choose(language: Language) -> None:
    """From now on speak it, in all threads of this process."""
    _SPEAKER.language = language


def chosen() -> Language:
    """The language that is spoken."""
    return _SPEAKER.language


@contextmanager
def in_english() -> Iterator[None]:
    """Speak English while entered: what is written then is for files."""
    before = _SPEAKER.language
    _SPEAKER.language = "en"
    try:
        yield
    finally:
        _SPEAKER.language = before


def of_locale(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the user's locale, English if there are no words of it here.

    As in gettext, LANGUAGE may list others that are wished for, except where the locale is C.
    """
    named = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    named = named or locale.getlocale()[0] or "C"  # on Windows no variable names it
    if _code(named) in ("c", "posix"):
        return "en"
    wished = [*filter(None, environment.get("LANGUAGE", "").split(":")), named]
    known = ("id" if _code(name) in _INDONESIAN else "en" for name in wished if _code(name) in ("en", *_INDONESIAN))
    return next(known, "en")  # type: ignore[arg-type]


def _code(name: str) -> str:
    """``id_ID.UTF-8`` -> "id"."""
    return name.replace(".", "_").replace("-", "_").partition("_")[0].lower()


def _(message: str, /, **slots: Any) -> str:
    """A message in the chosen language, its slots filled; without any, braces stand for themselves."""
    said = _catalogue(_SPEAKER.language).gettext(message) if message else ""  # gettext's "" is the head of the file
    return _FILLER.format(said, **slots) if slots else said


def ngettext(one: str, many: str, count: int, /, **slots: Any) -> str:
    """As `_`, of a message that has another form where ``count``, which is a slot too, is not one."""
    said = _catalogue(_SPEAKER.language).ngettext(one, many, count)
    return _FILLER.format(said, count=count, **slots)


def N_(message: str) -> str:  # noqa: N802  # gettext's name for it
    """The message as it is: it is looked up later, with `_`, where it is shown."""
    return message


def retold(text: str, *templates: str) -> str:
    """What a library says in English, in the chosen language: after the first template that it fits.

    What fills a slot may be such a text too. What fits none stays as it is.
    """
    for template in templates:
        if found := _pattern(template).fullmatch(text):
            return _(template, **{slot: retold(part, *templates) for slot, part in found.groupdict().items()})
    return text


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = ((re.escape(text), slot) for text, slot, *_rest in string.Formatter().parse(template))
    return re.compile(
        "".join(text + (f"(?P<{slot}>.+?)" if slot else "") for text, slot in parts), re.DOTALL | re.IGNORECASE
    )


def number(value: float, spec: str = ",") -> str:
    """A number as it is written in the chosen language: ``1,234.5`` in English, ``1.234,5`` in Indonesian."""
    return _FILLER.format_field(value, spec)


# What the system says of files and sockets.
_OF_SYSTEM: Final = (
    N_("[Errno {number}] {what}: {file}"),
    N_("[Errno {number}] {what}"),
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Operation not permitted"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("File name too long"),
    N_("No space left on device"),
    N_("Disk quota exceeded"),
    N_("Read-only file system"),
    N_("Input/output error"),
    N_("Address already in use"),
    N_("Cannot assign requested address"),
)


def of_system(error: OSError) -> str:
    """What the system says of an error."""
    return retold(str(error), *_OF_SYSTEM)


OF_PYDANTIC: Final = (
    N_("input should be a valid integer"),
    N_("input should be a valid integer, unable to parse string as an integer"),
    N_("input should be a valid integer, got a number with a fractional part"),
    N_("input should be a valid number"),
    N_("input should be a valid number, unable to parse string as a number"),
    N_("input should be a finite number"),
    N_("input should be a valid boolean"),
    N_("input should be a valid boolean, unable to interpret input"),
    N_("input should be a valid string"),
    N_("input should be a valid tuple"),
    N_("input should be a valid dictionary"),
    N_("input should be a valid dictionary or instance of {section}"),
    N_("input should be greater than or equal to {limit}"),
    N_("input should be greater than {limit}"),
    N_("input should be less than or equal to {limit}"),
    N_("input should be less than {limit}"),
    N_("input should be {choices}"),
    N_("tuple should have at least {least} item after validation, not {count}"),
    N_("it needs {setting}"),
)
"""Why pydantic refuses a value, as templates for `retold`."""


class _Filler(string.Formatter):
    """Fills slots as ``str.format`` does; numbers that are given a form have the marks of the language."""

    def format_field(self, value: Any, format_spec: str) -> str:
        written: str = super().format_field(value, format_spec)
        if isinstance(value, OSError):
            return of_system(value)
        if format_spec and isinstance(value, Real) and _SPEAKER.language == "id":
            return written.translate(_MARKS)
        return written


_FILLER: Final = _Filler()


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    return gettext.translation("koki", LOCALE, [language], fallback=language == "en")
