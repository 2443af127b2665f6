"""Files take their place whole or not at all, and a sealed folder shows what became of it."""

import json
import os
from pathlib import Path

import pytest

from koki.errors import ConfigError
from koki.files import flaw_of, read_seal, require_ours, write_json, write_seal, write_text, written_beside


def test_a_text_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "resep.txt"
    write_text(file, "Soto Betawi")
    write_text(file, "Soto Ayam ½")
    assert file.read_text("utf-8") == "Soto Ayam ½"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", [b"", b"MARK\n", b'{"x": "MARK"}\nlain', None])
def test_nothing_an_empty_file_and_an_earlier_one_of_the_kind_may_be_replaced(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "a").write_bytes(content)
    require_ours(tmp_path / "a", "MARK")


@pytest.mark.parametrize("content", [b"resep", b"resep\nMARK\n", b"\0\xff", b"x" * 2_000_000 + b"MARK"])
def test_what_somebody_else_wrote_may_not(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ConfigError, match="Give --output another name"):
        require_ours(tmp_path / "a", "MARK")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_nor_may_a_pipe_or_a_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipa")
    for path in (tmp_path / "pipa", Path(os.devnull)):
        with pytest.raises(ConfigError, match="is not what this command writes"):
            require_ours(path, "MARK")


def test_json_is_written_with_its_letters_as_they_are(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"bahan": ["½ kg ayam"]})
    text = (tmp_path / "a.json").read_text("utf-8")
    assert json.loads(text) == {"bahan": ["½ kg ayam"]}
    assert "½ kg ayam" in text


def write_half(file: Path, error: type[BaseException]) -> None:
    with written_beside(file) as half:
        half.write("Soto Ay")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_that_is_not_written_to_the_end_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    file = tmp_path / "resep.txt"
    write_text(file, "Soto Betawi")
    with pytest.raises(error):
        write_half(file, error)
    assert file.read_text("utf-8") == "Soto Betawi"
    assert list(tmp_path.iterdir()) == [file]


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A sealed folder with a file at the top and one further down."""
    (tmp_path / "dalam").mkdir()
    (tmp_path / "satu.txt").write_text("satu", "utf-8")
    (tmp_path / "dalam" / "dua.txt").write_text("dua", "utf-8")
    write_seal(tmp_path, "seal.json", {"resep": 3})
    return tmp_path


def test_a_sealed_folder_has_no_flaw_and_keeps_its_facts(sealed: Path) -> None:
    assert flaw_of(sealed, "seal.json") is None
    seal = read_seal(sealed, "seal.json")
    assert seal["resep"] == 3
    assert set(seal["files"]) == {"satu.txt", "dalam/dua.txt"}


def test_a_file_that_changed_is_named(sealed: Path) -> None:
    (sealed / "dalam" / "dua.txt").write_text("DUA", "utf-8")
    assert flaw_of(sealed, "seal.json") == "dalam/dua.txt has changed since it was saved"


def test_a_file_that_is_missing_is_named(sealed: Path) -> None:
    (sealed / "satu.txt").unlink()
    assert flaw_of(sealed, "seal.json") == "satu.txt is missing; it was not written to the end"


def test_facts_that_changed_break_the_seal(sealed: Path) -> None:
    seal = read_seal(sealed, "seal.json") | {"resep": 4}
    (sealed / "seal.json").write_text(json.dumps(seal), "utf-8")
    assert flaw_of(sealed, "seal.json") == "its seal has changed since it was saved"


def test_a_folder_without_a_seal_was_not_written_to_the_end(tmp_path: Path) -> None:
    assert flaw_of(tmp_path, "seal.json") == "seal.json is missing; it was not written to the end"
