"""Rows that other programs take: dictionaries and, where pandas is installed, its table."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from koki.errors import KokiError
from koki.language import _

if TYPE_CHECKING:
    from pandas import DataFrame


class Records(ABC):
    """Something that is made of rows."""

    @abstractmethod
    def to_dicts(self) -> list[dict[str, Any]]:
        """A dictionary for each row, all with the same names, JSON-ready."""

    def to_pandas(self) -> "DataFrame":
        """A table with a row for each of `to_dicts`.

        Raises:
            KokiError: pandas is not installed.
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise KokiError(_("to_pandas() needs pandas, which is not installed."), "pip install pandas") from error
        return DataFrame(self.to_dicts())
