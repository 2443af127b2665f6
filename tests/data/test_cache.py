"""The cache: whole entries or none, whoever writes beside, whatever befalls the files."""

import os
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from koki.data.cache import Cache, user_folder
from koki.files import discard, write_seal

FILES = {"numbers": bytes(range(256)) * 80, "ends": bytes(24)}
FACTS = {"judul": ["Soto Ayam", "Sayur asem \udce9"], "jumlah": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def keep(folder: Path, name: str = "a-1", most_bytes: int = 2**30) -> Path | str:
    cache = Cache(folder, most_bytes)
    with cache.making(name) as making:
        made = making / "made"
        made.mkdir()
        for file, content in FILES.items():
            (made / file).write_bytes(content)
        kept = cache.keep(name, made, FACTS)
        discard(making)
    return kept


def test_what_was_kept_is_found_by_another_process(folder: Path) -> None:
    kept = keep(folder)
    entry = Cache(folder).find("a-1")
    assert entry is not None
    assert entry.folder == kept
    assert entry.facts == FACTS
    assert {file: (entry.folder / file).read_bytes() for file in FILES} == FILES
    assert [path.name for path in folder.iterdir()] == ["a-1"]


def test_what_was_not_made_to_the_end_is_gone_on_with(folder: Path) -> None:
    cache = Cache(folder)
    with cache.making("a-1") as making:
        (making / "half").write_bytes(b"1")
    with cache.making("a-1") as again:
        assert (again / "half").read_bytes() == b"1"
    assert cache.find("a-1") is None


def test_who_makes_an_entry_that_another_makes_has_a_folder_of_its_own(folder: Path) -> None:
    cache = Cache(folder)
    with cache.making("a-1") as one, cache.making("a-1") as other:
        assert one != other
        for making in (one, other):
            (made := making / "made").mkdir()
            assert cache.keep("a-1", made, FACTS) == folder / "a-1"


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda entry: flip(entry / "numbers"),
    "a flipped bit in the facts": lambda entry: flip(entry / "facts.json"),
    "a file cut short": lambda entry: os.truncate(entry / "numbers", 500),
    "a file gone": lambda entry: (entry / "ends").unlink(),
    "the seal gone": lambda entry: (entry / "seal.json").unlink(),
    "a seal of other JSON": lambda entry: (entry / "seal.json").write_text("[1]"),
    "a seal that is no JSON": lambda entry: (entry / "seal.json").write_bytes(b"\0\xff"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entry_is_none_and_is_replaced(folder: Path, damage: Callable[[Path], object]) -> None:
    keep(folder)
    damage(folder / "a-1")
    assert Cache(folder).find("a-1") is None
    assert keep(folder) == folder / "a-1"
    assert Cache(folder).find("a-1") is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", ["facts.json", "numbers", "seal.json", "lain"])
@pytest.mark.parametrize("sealed", [False, True], ids=["as it was sealed", "and sealed anew"])
def test_a_pipe_in_an_entry_is_not_waited_for(folder: Path, name: str, sealed: bool) -> None:
    keep(folder)
    entry = folder / "a-1"
    (entry / name).unlink(missing_ok=True)
    os.mkfifo(entry / name)
    if sealed and name != "seal.json":
        write_seal(entry, "seal.json", {})
    found = Cache(folder).find("a-1")
    assert found is None or name in ("numbers", "lain")
    assert keep(folder) == entry


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
        assert keep(folder) == folder / "a-1"
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o077 == 0


def test_processes_that_keep_the_same_at_once_do_not_harm_each_other(folder: Path) -> None:
    with get_context("fork").Pool(4) as pool:
        assert pool.map(keep, [folder] * 16, chunksize=1) == [folder / "a-1"] * 16
    assert Cache(folder).find("a-1") is not None
    assert [path.name for path in folder.iterdir()] == ["a-1"]


def test_where_nothing_can_be_written_nothing_is_kept_and_the_reason_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    problem = keep(tmp_path / "cache" / "tokens")
    assert isinstance(problem, str)
    assert "cache" in problem
    assert Cache(tmp_path / "cache" / "tokens").find("a-1") is None


def test_without_a_folder_nothing_is_found_or_kept(tmp_path: Path) -> None:
    cache = Cache(None)
    assert isinstance(cache.keep("a-1", tmp_path, FACTS), str)
    assert cache.find("a-1") is None


def test_what_was_used_longest_ago_goes_when_the_cache_is_full(folder: Path) -> None:
    most_bytes = 2 * sum(map(len, FILES.values())) + 3000
    for age, name in enumerate(("first", "second", "third")):
        keep(folder, name, most_bytes)
        os.utime(folder / name, (age, age))
    Cache(folder).find("first")
    keep(folder, "fourth", most_bytes)
    assert sorted(path.name for path in folder.iterdir()) == ["first", "fourth", "third"]


def test_beside_an_entry_larger_than_the_limit_another_as_large_may_stay(folder: Path) -> None:
    for name in ("first", "second", "third"):
        keep(folder, name, most_bytes=1)
    assert sorted(path.name for path in folder.iterdir()) == ["second", "third"]


def test_what_was_begun_and_not_gone_on_with_goes_after_a_week(folder: Path) -> None:
    for name, age in ((".making-old", 0.0), (".making-new", None)):
        (folder / name).mkdir(parents=True)
        if age is not None:
            os.utime(folder / name, (age, age))
    keep(folder)
    assert sorted(path.name for path in folder.iterdir()) == [".making-new", "a-1"]


def test_the_users_wish_comes_before_the_systems_habit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "own"))
    assert user_folder() == tmp_path / "own" / "tokens"
    monkeypatch.delenv("KOKI_CACHE")
    assert user_folder() == tmp_path / "xdg" / "koki" / "tokens"
