"""The digest of a large file is made once, and again whenever the file may be another."""

import hashlib
import os
import sys
from pathlib import Path

import pytest

from koki import user_cache
from koki.user_cache import remove_abandoned, sha256_of


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that was written long ago, beside an empty cache."""
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(user_cache, "_SETTLED_NANOSECONDS", 0)
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"bobot" * 1000)
    return path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, as they are."""
    names: list[str] = []
    digest = hashlib.file_digest

    def reading(content: object, kind: str) -> object:
        names.append(Path(getattr(content, "name")).name)  # noqa: B009
        return digest(content, kind)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", reading)
    return names


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_that_stays_as_it_is_is_read_once(file: Path, read: list[str]) -> None:
    assert sha256_of([file]) == sha256_of([file]) == [digest_of(b"bobot" * 1000)]
    assert read == ["model.safetensors"]


def test_a_byte_that_changes_is_seen_though_size_and_time_are_as_before(file: Path) -> None:
    sha256_of([file])
    times = file.stat()
    file.write_bytes(b"bobot" * 999 + b"botol")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert sha256_of([file]) == [digest_of(b"bobot" * 999 + b"botol")]


def test_the_digest_of_a_file_that_was_just_written_is_not_kept(
    file: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_cache, "_SETTLED_NANOSECONDS", 60 * 10**9)
    sha256_of([file])
    sha256_of([file])
    assert len(read) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", '{"model.safetensors": 3}'])
def test_a_damaged_cache_is_no_cache(file: Path, tmp_path: Path, content: str) -> None:
    sha256_of([file])
    (tmp_path / "cache" / "digests" / "sha256.json").write_text(content)
    assert sha256_of([file]) == [digest_of(b"bobot" * 1000)]


def test_without_a_cache_files_are_read_each_time(
    file: Path, read: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "berkas").write_text("")
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "berkas" / "cache"))
    assert sha256_of([file]) == sha256_of([file])
    assert len(read) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="who may write where is said there in another way")
def test_digests_that_others_may_have_written_are_not_believed(file: Path, read: list[str], tmp_path: Path) -> None:
    sha256_of([file])
    (tmp_path / "cache" / "digests").chmod(0o777)
    assert sha256_of([file]) == [digest_of(b"bobot" * 1000)]
    assert len(read) == 2


def test_of_several_processes_on_a_machine_the_first_keeps_digests(
    file: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    sha256_of([file])
    assert not (file.parent / "cache").exists()
    monkeypatch.setenv("LOCAL_RANK", "0")
    sha256_of([file])
    assert sha256_of([file]) == [digest_of(b"bobot" * 1000)]
    assert read == ["model.safetensors"] * 2


def test_what_was_begun_and_not_gone_on_with_for_a_week_is_removed(tmp_path: Path) -> None:
    for name, age in (("reading-old", 0.0), ("reading-new", None), ("other-old", 0.0)):
        (tmp_path / name / "rows").mkdir(parents=True)
        if age is not None:
            os.utime(tmp_path / name, (age, age))
    remove_abandoned(tmp_path, "reading-*")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other-old", "reading-new"]
