"""A second process that makes what a function gives."""

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from koki import language, workers
from koki.workers import Helper


def printing(items: Iterable[str]) -> Iterator[str]:
    """The items, each of which is printed too, as a library may do."""
    for item in items:
        print(item)  # noqa: T201
        yield item


def test_a_helper_ends_with_what_it_helps() -> None:
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Helper(map, time.sleep, [60]):
        raise KeyboardInterrupt
    assert time.monotonic() - started < 30


def test_a_helper_gives_what_the_function_gives() -> None:
    with Helper(map, int, ["1", "2"]) as numbers:
        assert list(numbers) == [1, 2]


@pytest.mark.usefixtures("indonesian")
def test_a_helper_speaks_the_language_of_what_it_helps() -> None:
    with Helper(map, language.number, [1234.5]) as numbers:
        assert list(numbers) == ["1.234,5"]


def test_what_came_before_an_error_is_given() -> None:
    with Helper(map, int, ["1", "dua"]) as helper:
        numbers = iter(helper)
        assert next(numbers) == 1
        with pytest.raises(ValueError, match="dua"):
            next(numbers)


def test_what_a_helper_did_not_come_to_is_made_here() -> None:
    many = range(100_000)  # more than a pipe holds
    with Helper(map, str, many) as helper:
        items = iter(helper)
        first = next(items)
        assert helper._process is not None
        helper._process.kill()
        assert [first, *items] == list(map(str, many))


@pytest.mark.parametrize(
    ("name", "value"), [("executable", None), ("executable", "/tidak/ada"), ("path", [Path("/tidak/ada"), *sys.path])]
)
def test_odd_settings_of_python_do_not_matter(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    monkeypatch.setattr(sys, name, value)
    with Helper(map, int, ["1", "2"]) as numbers:
        assert list(numbers) == [1, 2]


def test_what_cannot_be_sent_is_made_here() -> None:
    with Helper(lambda: iter([1, 2])) as numbers:
        assert list(numbers) == [1, 2]


@pytest.mark.parametrize("noise", [b"halo\n", b"N.", b"K\x05.", b"\x80\x05", b"", bytes(range(256))])
def test_where_a_helper_sends_something_else_all_is_made_here(monkeypatch: pytest.MonkeyPatch, noise: bytes) -> None:
    program = f"import sys; sys.stdout.buffer.write({noise!r})"
    monkeypatch.setattr(workers, "python", lambda _: [sys.executable, "-c", program])
    with Helper(map, int, ["1", "2"]) as numbers:
        assert list(numbers) == [1, 2]


def test_what_a_customised_python_or_a_library_prints_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('selamat datang')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    with Helper(printing, ["1", "2"]) as helper:
        numbers = iter(helper)
        first = next(numbers)
        assert helper._process is not None
        assert [first, *numbers] == ["1", "2"]
        assert helper._process.wait() == 0
