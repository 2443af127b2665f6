"""The cache: whole entries or none, whoever writes beside, whatever befalls the files."""

import os
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from koki.data.cache import Cache, user_folder
from koki.files import write_seal

ARRAYS = {"numbers": np.arange(10_000, dtype=np.uint16), "ends": np.array([0, 4, 10_000])}
FACTS = {"judul": ["Soto Ayam", "Sayur asem \udce9"], "jumlah": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def keep(folder: Path) -> str | None:
    return Cache(folder).keep("a-1", ARRAYS, FACTS)


def test_what_was_kept_is_found_by_another_process_and_memory_mapped(folder: Path) -> None:
    assert keep(folder) is None
    entry = Cache(folder).find("a-1")
    assert entry is not None
    assert entry.facts == FACTS
    for name, numbers in ARRAYS.items():
        assert isinstance(entry.arrays[name], np.memmap)
        assert np.array_equal(entry.arrays[name], numbers)
    assert [path.name for path in folder.iterdir()] == ["a-1"]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda entry: flip(entry / "numbers.npy"),
    "a flipped bit in the facts": lambda entry: flip(entry / "facts.json"),
    "a file cut short": lambda entry: os.truncate(entry / "numbers.npy", 500),
    "a file gone": lambda entry: (entry / "ends.npy").unlink(),
    "the seal gone": lambda entry: (entry / "seal.json").unlink(),
    "a seal of other JSON": lambda entry: (entry / "seal.json").write_text("[1]"),
    "a seal that is no JSON": lambda entry: (entry / "seal.json").write_bytes(b"\0\xff"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entry_is_none_and_is_replaced(folder: Path, damage: Callable[[Path], object]) -> None:
    keep(folder)
    damage(folder / "a-1")
    assert Cache(folder).find("a-1") is None
    assert keep(folder) is None
    assert Cache(folder).find("a-1") is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", ["facts.json", "numbers.npy", "seal.json", "lain"])
@pytest.mark.parametrize("sealed", [False, True], ids=["as it was sealed", "and sealed anew"])
def test_a_pipe_in_an_entry_is_not_waited_for(folder: Path, name: str, sealed: bool) -> None:
    keep(folder)
    entry = folder / "a-1"
    (entry / name).unlink(missing_ok=True)
    os.mkfifo(entry / name)
    if sealed and name != "seal.json":
        write_seal(entry, "seal.json", {})
    found = Cache(folder).find("a-1")
    assert found is None or name in ("numbers.npy", "lain")
    assert keep(folder) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows says in another way who may write where")
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_where_others_may_write_nothing_is_found_or_kept(folder: Path, mode: int) -> None:
    keep(folder)
    folder.chmod(mode)
    assert Cache(folder).find("a-1") is None
    assert "others may write" in str(keep(folder))
    folder.chmod(0o755)
    assert Cache(folder).find("a-1") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows says in another way who may write where")
def test_in_a_folder_of_another_user_nothing_is_found_or_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(folder)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert Cache(folder).find("a-1") is None
    assert "belongs to another user" in str(keep(folder))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows says in another way who may write where")
def test_whatever_the_user_lets_others_do_nobody_else_may_write_to_the_cache(folder: Path) -> None:
    before = os.umask(0)
    try:
        assert keep(folder) is None
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o077 == 0


def test_processes_that_keep_the_same_at_once_do_not_harm_each_other(folder: Path) -> None:
    with get_context("fork").Pool(4) as pool:
        assert pool.map(keep, [folder] * 16, chunksize=1) == [None] * 16
    assert Cache(folder).find("a-1") is not None
    assert [path.name for path in folder.iterdir()] == ["a-1"]


def test_where_nothing_can_be_written_nothing_is_kept_and_the_reason_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    problem = keep(tmp_path / "cache" / "tokens")
    assert problem is not None
    assert "cache" in problem
    assert Cache(tmp_path / "cache" / "tokens").find("a-1") is None


def test_without_a_folder_nothing_is_found_or_kept() -> None:
    cache = Cache(None)
    assert cache.keep("a-1", ARRAYS, FACTS)
    assert cache.find("a-1") is cache.find_like("a") is None


def test_of_entries_that_start_alike_the_one_used_last_is_found(folder: Path) -> None:
    cache = Cache(folder)
    for age, name in enumerate(("a-1", "a-2", "b-1")):
        cache.keep(name, ARRAYS, {"name": name})
        os.utime(folder / name, (age, age))
    found = cache.find_like("a-")
    assert found is not None
    assert found.facts == {"name": "a-2"}
    assert cache.find_like("c-") is None


def test_what_was_used_longest_ago_goes_when_the_cache_is_full(folder: Path) -> None:
    cache = Cache(folder, most_bytes=2 * ARRAYS["numbers"].nbytes + 3000)
    for age, name in enumerate(("first", "second", "third")):
        cache.keep(name, ARRAYS, FACTS)
        os.utime(folder / name, (age, age))
    cache.find("first")
    cache.keep("fourth", ARRAYS, FACTS)
    assert sorted(path.name for path in folder.iterdir()) == ["first", "fourth", "third"]


def test_what_a_killed_process_left_goes_after_a_day(folder: Path) -> None:
    for name, age in ((".writing-old", 0.0), (".writing-new", None)):
        (folder / name).mkdir(parents=True)
        if age is not None:
            os.utime(folder / name, (age, age))
    keep(folder)
    assert sorted(path.name for path in folder.iterdir()) == [".writing-new", "a-1"]


def test_the_users_wish_comes_before_the_systems_habit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "own"))
    assert user_folder() == tmp_path / "own" / "tokens"
    monkeypatch.delenv("KOKI_CACHE")
    assert user_folder() == tmp_path / "xdg" / "koki" / "tokens"
