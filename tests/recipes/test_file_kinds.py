"""Files that hold no recipes as text or table are called what they are, whatever their name says."""

import gzip
from pathlib import Path

import pytest
from workbooks import zipped

from koki.errors import DataError
from koki.recipes.table import read_recipes, require_files

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
CASES = Path(__file__).parents[3] / "shared" / "data" / "cases"

KINDS = {
    "a picture": [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\1\2\3\4WEBPVP8 ", b"\0\0\0\x18ftypheic"],
    "a video": [b"\0\0\0\x18ftypisom", b"\x1aE\xdf\xa3", b"RIFF\1\2\3\4AVI "],
    "a sound recording": [b"OggS\0\2", b"ID3\3", b"RIFF\1\2\3\4WAVE"],
    "a PDF": [b"%PDF-1.7\n", b"\n%PDF-1.4"],
    "a text with formatting": [rb"{\rtf1\ansi"],
    "an SQLite database": [b"SQLite format 3\0"],
    "an archive": [b"Rar!\x1a\x07\1\0", b"7z\xbc\xaf\x27\x1c"],
    "a workbook of an old Excel": [COMPOUND + "Workbook".encode("utf-16-le"), COMPOUND + "Book".encode("utf-16-le")],
    "a document of Word": [COMPOUND + "WordDocument".encode("utf-16-le"), zipped({"word/document.xml": "<a/>"})],
    "a presentation": [COMPOUND + "PowerPoint Document".encode("utf-16-le"), zipped({"ppt/presentation.xml": "<a/>"})],
    "an old version of Office": [COMPOUND],
    "a binary workbook": [zipped({"xl/workbook.bin": b"\1"})],
    "a document of LibreOffice": [
        zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"})
    ],
    "an e-book": [zipped({"mimetype": "application/epub+zip", "META-INF/container.xml": "<a/>"})],
    "a zip archive": [zipped({"resep.csv": "Judul,Bahan,Langkah\n"}), zipped({})],
    "a dump of an SQL database": [
        b"-- phpMyAdmin SQL Dump\n-- version 5\n\nSET SQL_MODE = '';\n",
        b"CREATE TABLE `resep` (`judul` text);\n",
        b"/*!40101 SET NAMES utf8 */;\n/* tabel */\nINSERT INTO resep VALUES ('Soto', 'ayam');\n",
        "\ufeffPRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n".encode(),
    ],
}


@pytest.mark.parametrize("name", ["resep.csv", "resep.xlsx", "resep"])
@pytest.mark.parametrize(("kind", "raw"), [(kind, raw) for kind, files in KINDS.items() for raw in files])
def test_a_file_is_called_what_it_is(tmp_path: Path, kind: str, raw: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(raw + b" " * 20 if kind != "a zip archive" and not raw.startswith(b"PK") else raw)
    for read in (read_recipes, require_files):
        with pytest.raises(DataError, match=f"{name} is {kind}|{name} is a file of {kind}") as raised:
            read(tmp_path / name)
        assert raised.value.how


def test_a_picture_that_is_compressed_is_a_picture(tmp_path: Path) -> None:
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(b"\x89PNG\r\n\x1a\n" + bytes(9)))
    with pytest.raises(DataError, match="is a picture"):
        read_recipes(tmp_path / "r.csv.gz")


def test_recipes_that_speak_of_databases_are_recipes(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("Title,Ingredients,Steps\nCREATE TABLE,ayam--air,Insert into oven\n")
    assert len(read_recipes(tmp_path / "r.csv")) == 1


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the repository")
def test_the_case_of_a_dump_says_how_to_export_a_table() -> None:
    with pytest.raises(DataError, match="is a dump of an SQL database") as raised:
        read_recipes(CASES / "19_sql_dump.sql")
    assert "CSV" in raised.value.how
