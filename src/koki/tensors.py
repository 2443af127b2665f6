"""Arrays and a few facts in one file, in the format of safetensors."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from koki.files import flush_file

_FACTS: Final = "koki"


def write_tensors(path: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write them to a file, beside and renamed, so that whoever finds the file finds it whole.

    Args:
        facts: JSON-ready.

    Raises:
        OSError: the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    save_file(dict(arrays), beside, metadata={_FACTS: json.dumps(facts)})
    flush_file(beside)
    beside.replace(path)


@contextmanager
def opened_tensors(path: Path) -> Iterator[Any]:
    """Such a file, as safetensors opens it; what is found amiss until it is left is told as damage.

    Raises:
        OSError, ValueError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (SafetensorError, TypeError, LookupError) as error:
        raise ValueError(f"{path}: {error}") from error


def facts_in(file: Any) -> dict[str, Any]:
    """The facts of a file that is open."""
    facts: dict[str, Any] = json.loads(file.metadata()[_FACTS])
    return facts
