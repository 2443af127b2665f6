"""Recipe files as streams: of any length, in any blocks, several side by side."""

import gzip
import json
import os
import re
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workbooks import xlsx

from koki.errors import DataError, RecipeFileNotFound
from koki.recipes import sources
from koki.recipes.decoding import EncodingSurvey, decode, lines_of
from koki.recipes.formats import Row, open_table, open_tables
from koki.recipes.sources import surveyed

HEADER = "Title,Ingredients,Steps\n"
SOTO = "Soto,ayam--serai,Rebus ayam sampai empuk.\n"
OBJECT = json.dumps({"Title": "Soto", "Ingredients": ["ayam", "serai"], "Steps": "Rebus ayam."}) + "\n"


def save(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to be in memory as a whole may have a kilobyte, and blocks have less."""
    monkeypatch.setattr(sources, "MOST_BYTES", 2**10)
    monkeypatch.setattr(sources, "_BLOCK", 2**8)


# ------------------------------------------------------------------------------------------------------ any length


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", HEADER + SOTO * 100),
        ("r.csv.gz", gzip.compress((HEADER + SOTO * 100).encode("utf-16"))),
        ("r.jsonl", OBJECT * 100),
        ("r.json", OBJECT * 100),
        ("r.jsonl.gz", gzip.compress((OBJECT * 100).encode())),
    ],
)
def test_rows_are_read_however_many_there_are(tmp_path: Path, name: str, content: str | bytes) -> None:
    path = save(tmp_path, name, content)
    assert {row.fields["title"] for row in open_table(path, {}).rows} == {"Soto"}
    assert sum(1 for _ in open_table(path, {}).rows) == 100


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.json", "[" + ",\n".join([OBJECT.strip()] * 20) + "]"),
        ("r.html", "<html>\n" + "<p>Soto\n" * 200),
        ("r.txt", "Soto\nBahan:\nayam\nserai\nCara membuat:\nRebus ayam.\n" * 50),
        ("r.xlsx", xlsx({"Menu": [["Title", "Ingredients", "Steps"]]})),
    ],
)
def test_what_is_no_table_of_rows_has_to_be_small(tmp_path: Path, name: str, content: str | bytes) -> None:
    with pytest.raises(DataError, match="holds more than 0 MiB, which only a table of rows may") as raised:
        open_table(save(tmp_path, name, content), {})
    assert raised.value.how == "Save it as CSV, or as JSON Lines (.jsonl), a recipe on each line."


def test_a_packed_parquet_file_is_unpacked_first(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    writer = pytest.importorskip("pyarrow.parquet")
    writer.write_table(pyarrow.Table.from_pylist([json.loads(OBJECT)] * 3), tmp_path / "r.parquet", row_group_size=2)
    path = save(tmp_path, "r.parquet.gz", gzip.compress((tmp_path / "r.parquet").read_bytes()))
    assert [row.line for row in open_table(path, {}).rows] == [1, 2, 3]


def test_gzip_files_one_behind_another_are_one(tmp_path: Path) -> None:
    parts = [HEADER, SOTO, "", SOTO]
    path = save(tmp_path, "r.csv.gz", b"".join(gzip.compress(part.encode()) for part in parts) + bytes(100))
    assert [row.line for row in open_table(path, {}).rows] == [2, 3]


@pytest.mark.slow
def test_gzip_files_without_end_one_behind_another_take_time_by_their_size(tmp_path: Path) -> None:
    begun = time.process_time()
    content = gzip.compress(HEADER.encode()) + gzip.compress(b"") * 500_000 + gzip.compress(SOTO.encode())
    assert [row.line for row in open_table(save(tmp_path, "r.csv.gz", content), {}).rows] == [2]
    assert time.process_time() - begun < 20


def test_a_column_may_be_called_as_an_archive_begins(tmp_path: Path) -> None:
    content = f"PK,{HEADER}1,Soto de l\xe9on,ayam--serai,Rebus ayam sampai empuk.\n".encode("cp1252")
    table = open_table(save(tmp_path, "r.csv", content), {})
    assert (table.encoding, table.header[0]) == ("Windows-1252", "PK")


# ------------------------------------------------------------------------------------------------------ any blocks

PIECES = [*('"', ",", ";", "\n", "\r", "\r\n", " ", "é", "’", "\ufeff", "\ufffd", "👩", "\x85", "\u2028"), SOTO, OBJECT]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
DAMAGE = [b"", b"\xff", b"\xe2\x82", b"\xef\xbf\xbd", b"\xed\xa0\x80", b"\0"]


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    text = HEADER + "".join(draw(st.lists(st.sampled_from(PIECES), max_size=10)))
    raw = text.encode(draw(st.sampled_from(ENCODINGS)), "ignore")
    place = draw(st.integers(0, len(raw)))
    return raw[:place] + draw(st.sampled_from(DAMAGE)) + raw[place:]


def rows_of(path: str) -> list[Row] | str:
    try:
        return list(open_table(path, {}).rows)
    except DataError as error:
        return str(error)


@pytest.mark.slow
@settings(max_examples=50)
@given(contents(), st.integers(2, 9), st.booleans())
def test_the_rows_are_the_same_in_whatever_blocks_a_file_is_read(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, block: int, packed: bool
) -> None:
    path = save(tmp_path_factory.mktemp("r"), "r.csv", gzip.compress(content) if packed else content)
    whole = rows_of(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_BLOCK", block)
        assert rows_of(path) == whole


@given(contents(), st.integers(1, 9))
def test_the_encoding_is_the_same_in_whatever_blocks_it_is_looked_for(content: bytes, block: int) -> None:
    survey = EncodingSurvey()
    for place in range(0, len(content), block):
        survey.add(content[place : place + block])
    assert survey.encoding().name == decode(content)[1]


@given(st.text(st.sampled_from("a\r\n \u2028\x85"), max_size=12), st.integers(1, 4))
def test_lines_are_the_same_in_whatever_pieces_a_text_comes(text: str, size: int) -> None:
    pieces = [text[place : place + size] for place in range(0, len(text), size)]
    assert list(lines_of(pieces, "r.csv")) == list(lines_of([text], "r.csv"))
    assert list(lines_of([text], "r.csv")) == re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", text)


# ------------------------------------------------------------------------------------------- while rows are read


@pytest.mark.usefixtures("small")
def test_a_table_knows_how_much_of_its_file_was_read(tmp_path: Path) -> None:
    table = open_table(save(tmp_path, "r.csv", HEADER + SOTO * 100), {})
    assert table.bytes == len(HEADER) + 100 * len(SOTO)
    seen = [table.consumed() for _ in table.rows]
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] == table.bytes


@pytest.mark.parametrize("change", ["longer", "another"])
def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path, change: str) -> None:
    path = save(tmp_path, "r.csv", HEADER + SOTO)
    rows = open_table(path, {}).rows
    if change == "longer":
        with Path(path).open("a") as file:
            file.write(SOTO)
    else:
        Path(path).write_text(HEADER + SOTO.replace("Soto", "Sate"))
        os.utime(path, ns=(0, 0))
    with pytest.raises(DataError, match=r"r\.csv has changed while it was read"):
        list(rows)


def test_files_are_opened_in_their_order_and_an_error_comes_in_its_turn(tmp_path: Path) -> None:
    paths = [save(tmp_path, f"{place}.csv.gz", gzip.compress((HEADER + SOTO * place).encode())) for place in range(9)]
    tables = open_tables([*paths, str(tmp_path / "tiada.csv")], {})
    assert [sum(1 for _ in next(tables).rows) for _ in paths] == list(range(9))
    with pytest.raises(RecipeFileNotFound):
        next(tables)


@pytest.mark.usefixtures("small")
def test_threads_end_with_who_reads(tmp_path: Path) -> None:
    paths = [save(tmp_path, f"{place}.csv.gz", gzip.compress((HEADER + SOTO * 500).encode())) for place in range(9)]
    before = threading.active_count()
    tables = open_tables(paths, {})
    rows = next(tables).rows
    next(rows)
    assert threading.active_count() > before
    del rows
    tables.close()
    assert threading.active_count() == before


def test_a_survey_that_nobody_waits_for_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_BYTES", 2**40)
    path = tmp_path / "r.csv"
    with path.open("wb") as file:
        file.truncate(2**34)
    found = surveyed([save(tmp_path, "a.csv", HEADER + SOTO), str(path)])
    next(found)
    begun = time.monotonic()
    found.close()
    assert time.monotonic() - begun < 5  # to read all of it takes a quarter of a minute
