"""A Parquet file -> the values of its rows, a few at a time, through pyarrow.

A file of some kilobytes can hold a text, or an empty list, a million times. So what the file says of its parts is
looked at before they are made.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from koki.errors import DataError
from koki.extras import how_to_install
from koki.language import _
from koki.recipes.sources import MOST_BYTES, Source

MOST_ITEMS: Final = 10_000_000
"""Items of all lists in a column of a group of rows, or fifty for each row: a million empty ones take no room in a
file, and eight megabytes in memory."""

_MOST_IN_A_LIST: Final = 50
_MOST_AT_ONCE: Final = 64  # rows
# Of a text: pyarrow's, Python's, and those of the rows before.
_COPIES: Final = 8
# What pyarrow's errors are kinds of; a file that lies about its sizes asks for more memory than there is.
_ERRORS: Final = (OSError, ValueError, NotImplementedError, MemoryError)
# Bytes of a file that are read at once.
_BUFFER: Final = 2**20


class ParquetRows:
    """The rows of a Parquet file.

    Attributes:
        keys: the names of its columns.

    Raises:
        DataError: it cannot be read, or pyarrow is missing.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        with self._opened() as file:
            self.keys: list[str] = file.schema_arrow.names

    def require_few_items(self, keys: Sequence[str]) -> None:
        """Check that the lists in these columns are as long as those of recipes.

        Raises:
            DataError: they are not.
        """
        path = self._source.path
        with self._opened() as file:
            for group in _groups(file):
                most = max(MOST_ITEMS, _MOST_IN_A_LIST * group.num_rows)
                if any(chunk.num_values > most for chunk in _chunks(group, keys)):
                    raise DataError(
                        _(
                            "{path} has more than {most_items:,} items in a column.",
                            path=path,
                            most_items=most,
                        ),
                        _("Split it into smaller files."),
                    )

    def values(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Column -> value, of these columns, for each row in order.

        Raises:
            DataError: the file is damaged.
        """
        with self._opened() as file:
            done = 0
            for number, group in enumerate(_groups(file)):
                at_once = _rows_at_once(list(_chunks(group, keys)))
                for batch in file.iter_batches(at_once, row_groups=[number], columns=list(keys)):
                    done += batch.num_rows
                    self._source.consumed = self._source.bytes * done // max(done, file.metadata.num_rows)
                    yield from batch.to_pylist()

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        path = self._source.path
        try:
            from pyarrow import parquet
        except ImportError:
            raise DataError(
                _("{path} is a Parquet file, which Koki reads with pyarrow.", path=path), how_to_install("parquet")
            ) from None
        with self._source.seekable() as content:
            try:
                with parquet.ParquetFile(content, buffer_size=_BUFFER) as file:
                    yield file
            except _ERRORS as error:
                reason = " ".join(str(error).split())[:200]
                raise DataError(
                    _("{path} cannot be read as Parquet: {reason}", path=path, reason=reason),
                    _("Write the file again, or save it as CSV."),
                ) from error


def _groups(file: Any) -> Iterator[Any]:
    """What the file says of each group of rows."""
    yield from map(file.metadata.row_group, range(file.num_row_groups))


def _chunks(group: Any, keys: Iterable[str]) -> Iterator[Any]:
    """What the file says of each of these columns in a group of rows."""
    for chunk in map(group.column, range(group.num_columns)):
        name = chunk.path_in_schema
        if any(name == key or name.startswith(f"{key}.") for key in keys):
            yield chunk


def _rows_at_once(chunks: Sequence[Any]) -> int:
    """As many as take little memory, even if each has the longest text of the group."""
    if all(map(_is_plausible, chunks)):
        return _MOST_AT_ONCE
    longest: int = max(1, *(chunk.total_uncompressed_size for chunk in chunks))
    return max(1, min(_MOST_AT_ONCE, MOST_BYTES // _COPIES // longest))


def _is_plausible(chunk: Any) -> bool:
    """Whether a column is packed as texts are, and the texts that rows share, which stand first, take little room."""
    shared = chunk.data_page_offset - chunk.dictionary_page_offset if chunk.has_dictionary_page else 0
    return bool(shared <= 2**20 and chunk.total_uncompressed_size <= 10 * chunk.total_compressed_size)
