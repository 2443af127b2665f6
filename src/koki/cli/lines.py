"""The lines of a file or of standard input."""

import sys
from typing import Final

from koki import files
from koki.errors import DataError
from koki.language import _

_MOST_BYTES: Final = 100_000_000  # a million ingredient lines have 30,000,000


def read_lines(file: str) -> list[str]:
    """The lines of a file, without their ends; those of standard input where ``file`` is "-".

    Raises:
        DataError: it cannot be read, or it is too long.
    """
    try:
        raw = _standard_input() if file == "-" else files.read_bytes(file, _MOST_BYTES)
    except FileNotFoundError:
        raise DataError(
            _("File {file} is not there.", file=file), _("One ingredient line a line; - reads standard input.")
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise DataError(_("File {file} cannot be read: {error}.", file=file, error=error)) from error
    return raw.decode("utf-8", "replace").splitlines()


def _standard_input() -> bytes:
    if sys.stdin is None:  # Python sets it to None where it was closed
        raise DataError(_("Standard input is closed."), _("Pipe lines into it, or name a file."))
    raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise DataError(_("Standard input has more than {most_bytes:,} bytes.", most_bytes=_MOST_BYTES), _("Split it."))
    return raw
