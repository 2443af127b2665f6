"""Files made to fill the memory or to be read for ever: an error of Koki's or rows dropped, in bounded time and memory.

Each is read by a process of its own that may use 1 GiB and some seconds. What holds for large files is shown with
smaller limits.
"""

import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from workbooks import Rows, ods_of, xlsx, xlsx_parts, zipped

from koki.cli.app import app
from koki.config import load_config, read_assignments
from koki.errors import ConfigError, DataError, KokiError
from koki.evaluation.own_questions import read_questions
from koki.recipes import decoding, formats, json_documents, parquet, sources, table, workbook
from koki.recipes.findings import Oddity
from koki.recipes.formats import open_table
from koki.recipes.table import read_recipes, require_files

# All that reads a file from outside.
READERS: dict[str, Callable[[Path], object]] = {
    "recipes": read_recipes,
    "recipes before a run": require_files,
    "questions": read_questions,
    "configuration": load_config,
    "parse": lambda path: app(["parse", str(path)], standalone_mode=False),
}

HEADER = "Title,Ingredients,Steps\n"
SOTO = "Soto,ayam--serai,Rebus ayam sampai empuk.\n"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# --------------------------------------------------------------------------------- sizes, under smaller limits


def sparse(path: Path, size: int = 2**40) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_file_of_a_terabyte_is_not_read(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(KokiError, match=r"1,099,511,627,776 bytes are more than"):
        read(sparse(tmp_path / "besar.csv"))


def test_blank_lines_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MOST_BLANK", 1000)
    for end in ("\n", "\r", " \n"):
        read_recipes(write(tmp_path, "penuh.csv", HEADER + SOTO + end * (1000 // len(end)) + SOTO))
        with pytest.raises(DataError, match=r"baris\.csv, line \d.*: more than 1,000 characters of blank lines"):
            read_recipes(write(tmp_path, "baris.csv", HEADER + SOTO + end * 1001 + SOTO))


def test_a_file_without_line_ends_is_refused_before_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_BYTES", 2**22)
    sparse(tmp_path / "r.csv", 2**36)
    with pytest.raises(DataError, match="holds more than 4 MiB without a line end"):
        require_files(tmp_path / "r.csv")


@pytest.mark.slow
def test_a_million_columns_are_no_header(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"first line of .* has more than 200,000 characters"):
        require_files(write(tmp_path, "r.csv", ",".join(f"kolom {number}" for number in range(1_000_000))))
    with pytest.raises(DataError, match="more than 1,000 columns"):
        require_files(write(tmp_path, "r.csv", HEADER.strip() + "," * 1_000 + "\n" + SOTO))


def test_keys_without_end_are_no_header(tmp_path: Path) -> None:
    lines = "".join(json.dumps({f"kunci {number}": 1}) + "\n" for number in range(1_001))
    with pytest.raises(DataError, match="more than 1,000 columns"):
        require_files(write(tmp_path, "r.jsonl", lines))


def test_a_row_of_a_million_fields_is_a_row_with_too_many(tmp_path: Path) -> None:
    recipes = read_recipes(write(tmp_path, "r.csv", HEADER + SOTO + "a" + ",b" * 1_000_000 + "\n"))
    report = recipes.report
    assert [recipe.title for recipe in recipes] == ["Soto"]
    assert [warning.oddity for warning in report.files[0].warnings] == [Oddity.MORE_FIELDS]


@pytest.mark.parametrize("line", ["{}\n", "0\n", '{"Title": "Soto"}\n'])
def test_lines_without_end_that_are_no_recipes_are_not_looked_through_for_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(formats, "_MOST_POOR", 1000)
    soto = json.dumps({"Title": "Soto", "Ingredients": ["ayam", "serai"], "Steps": "Rebus ayam."}) + "\n"
    with_key = soto.replace("Title", "Judul") + soto.replace("Steps", "Lain")
    assert "Lain" in open_table(str(write(tmp_path, "r.jsonl", soto + line * 1000 + with_key)), {}).header
    assert "Lain" not in open_table(str(write(tmp_path, "r.jsonl", soto + line * 1003 + with_key)), {}).header


def test_a_json_line_that_is_too_long_is_dropped_unread(tmp_path: Path) -> None:
    soto = json.dumps({"Title": "Soto", "Ingredients": ["ayam", "serai"], "Steps": "Rebus ayam."})
    hostile = '{"Title": [' + "[]," * 400_000 + "[]]}"
    report = read_recipes(write(tmp_path, "r.jsonl", f"{soto}\n{hostile}\n{'[' * 10_000}\n")).report
    assert [row.reason for row in report.dropped] == [
        "a line is longer than 1,000,000 characters",
        "not a JSON object",
    ]


def test_rows_that_give_no_recipe_may_be_as_many_as_those_that_do_and_some_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST_USELESS", 10)
    useless = ",ayam,Rebus\n"
    recipes = read_recipes(write(tmp_path, "r.csv", HEADER + SOTO + useless * 11))
    assert len(recipes) == 1
    with pytest.raises(DataError, match="up to line 14, 12 rows give no recipe and 1 do; no title: 12"):
        read_recipes(write(tmp_path, "r.csv", HEADER + SOTO + useless * 12))


def test_a_mark_that_is_never_closed_swallows_no_more_than_a_row_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "LONGEST_ROW", 200)
    others = "".join(SOTO.replace("Soto", f"Soto {number}") for number in range(50))
    recipes = read_recipes(write(tmp_path, "r.csv", HEADER + '"' + SOTO + others))
    report = recipes.report
    assert len(recipes) + len(report.dropped) == 51
    assert [warning.oddity for warning in report.files[0].warnings] == [Oddity.UNCLOSED]
    with pytest.raises(DataError, match=r"r\.csv, line 3: more than 200 characters, which no row has"):
        read_recipes(write(tmp_path, "r.csv", HEADER + SOTO + SOTO.strip() + "x" * 192 + "\n"))


def test_quotation_marks_made_to_swallow_the_file_again_and_again_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MOST_REREAD", 2**20)
    lines = 'b","c\n' * 3_000 + '"""x\n'  # each of these opens a mark that only the last closes
    with pytest.raises(DataError, match="never closed"):
        read_recipes(write(tmp_path, "r.csv", HEADER + SOTO + lines))


# ------------------------------------------------------------------- real sizes, in a process with little memory


PLAIN = {"Title": "Soto", "Ingredients": ["ayam", "serai"], "Steps": "Rebus ayam."}


def gzipped(folder: Path, piece: str, times: int) -> Path:
    """Some kilobytes that hold one title and, opened by a quotation mark, a text again and again."""
    packer = zlib.compressobj(level=1, wbits=31)
    parts = [packer.compress((HEADER + 'Soto,ayam--serai,"').encode())]
    parts += [packer.compress(piece.encode()) for _ in range(times)]
    path = folder / "r.csv.gz"
    path.write_bytes(b"".join([*parts, packer.flush()]))
    return path


def limited() -> None:
    import resource  # which Windows lacks

    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))


def check(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "koki", "check", str(path)],
        preexec_fn=limited,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are kept by Linux alone")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda it: write(it, "r.csv", HEADER + SOTO + f'Soto,"{"ayam " * 2**21}",Rebus\n'), "longer than 20,000"),
        (lambda it: write(it, "r.csv", "\n" * 5_000_000), "is empty"),
        (lambda it: write(it, "r.csv", "\n" * 1_900_000 + HEADER), "No recipe to learn from"),
        (lambda it: write(it, "r.csv", HEADER + "\n" * 3_000_000), "more than 2,000,000 characters of blank lines"),
        (lambda it: write(it, "r.csv", HEADER + ",,\n" * 1_900_000), "100,001 rows give no recipe and 0 do"),
        (lambda it: write(it, "r.jsonl", json.dumps(PLAIN) + "\n{}" * 1_900_000), "100,002 rows give no recipe"),
        (lambda it: write(it, "r.csv", HEADER + "\0" * 5_000_000), "No recipe to learn from"),
        (lambda it: gzipped(it, "ayam " * 2**19, 50), "r.csv.gz, line 2: more than 16,777,216 characters"),
        (lambda it: gzipped(it, "ayam " * 2**19, 400), "holds more than 128 MiB without a line end"),
        (lambda it: gzipped(it, "👩" + "a" * 2**21 + "\n", 40), "No recipe to learn from"),
        (lambda it: gzipped(it, ("a" * 62 + "\n") * 2**10, 1_700), "100,001 rows give no recipe"),
    ],
    ids=[
        "field",
        "newlines",
        "newlines-first",
        "more-newlines",
        "commas",
        "objects",
        "NUL",
        "gzip-of-a-line",
        "larger-gzip",
        "gzip-of-wide-text",
        "gzip-of-a-field-of-many-lines",
    ],
)
def test_a_bomb_takes_little_memory_and_time(tmp_path: Path, make: Callable[[Path], Path], says: str) -> None:
    run = check(make(tmp_path))
    assert says in run.stdout + run.stderr
    assert "Traceback" not in run.stderr


# ----------------------------------------------------------------------------------- what is not a regular file


@pytest.fixture(params=["pipe", "loop", "folder", "/dev/zero", "/dev/full"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A path that has one wait for ever, or gives bytes for ever, or no file."""
    path = tmp_path / "aneh"
    if sys.platform == "win32" and request.param != "folder":
        pytest.skip("Windows has none of these among files")
    match request.param:
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(tmp_path / "lagi")
            (tmp_path / "lagi").symlink_to(path)
        case "folder":
            path.mkdir()
        case device:
            path.symlink_to(device)
    return path


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_what_is_no_file_is_an_error(odd: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(KokiError, match=r"cannot be read|is a folder"):
        read(odd)


# --------------------------------------------------------------------------------------------- configuration


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS + "seed: *i", "an alias"),
        ("a: &a {x: 1}\nb: &b {<<: [*a, *a]}", "an alias"),
        ("seed: &a [*a]", "an alias"),
        ("[" * 10_000, "deeper than 20 levels"),
        ("seed: " + "{a: " * 10_000, "deeper than 20 levels"),
        ("seed: !!python/object/apply:os.mkdir [ditulis]", "could not determine a constructor"),
        ("seed: !!python/name:os.system", "could not determine a constructor"),
        ("seed: 2001-99-99", "month must be in"),
        (f"seed: {'9' * 5000}", "Exceeds the limit"),
        (f"seed: 0x{'f' * 5000}", "seed cannot be so long a number"),
        ("seed: 4294967296", "seed cannot be 4294967296"),
        ("training: {learning_rate: .inf}", "learning_rate cannot be inf"),
        ("seed: \0", "unacceptable character"),
    ],
    ids=range(13),
)
def test_a_configuration_that_is_no_plain_data_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=says):
        load_config(write(tmp_path, "c.yaml", text))
    assert not Path("ditulis").exists()


@pytest.mark.parametrize("value", ["*a", "&a [*a]", "2001-99-99", "9" * 5000, "\0"])
def test_a_setting_that_is_no_plain_data_is_an_error(value: str) -> None:
    with pytest.raises(ConfigError):
        load_config(settings=read_assignments([f"seed={value}"]))


# ---------------------------------------------------------------------------------------------------- Parquet


def test_a_parquet_file_of_rows_without_end_that_are_no_recipes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    writer = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(table, "MOST_USELESS", 1000)
    columns = {name: ["x"] * 1001 for name in ("Title", "Ingredients", "Steps")}
    writer.write_table(pyarrow.table(columns), tmp_path / "r.parquet")  # a few hundred bytes hold any number of rows
    with pytest.raises(DataError, match="1,001 rows give no recipe"):
        read_recipes(tmp_path / "r.parquet")


def test_a_parquet_file_that_repeats_a_text_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    writer = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(sources, "MOST_BYTES", 2**20)
    columns = {name: ["garam " * 1000] * 100 for name in ("Title", "Ingredients", "Steps")}
    writer.write_table(pyarrow.table(columns), tmp_path / "r.parquet")
    assert (tmp_path / "r.parquet").stat().st_size < 2**15
    with pytest.raises(DataError, match="holds more than 1 MiB"):
        read_recipes(tmp_path / "r.parquet")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are kept by Linux alone")
def test_a_long_text_that_every_row_of_a_parquet_file_repeats_is_not_unpacked_many_times_at_once(
    tmp_path: Path,
) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    writer = pytest.importorskip("pyarrow.parquet")
    long = pyarrow.array(["garam " * 2**22]).dictionary_encode().take([0] * 500)
    columns = {"Title": ["Soto"] * 500, "Ingredients": long, "Steps": ["Rebus"] * 500}
    writer.write_table(pyarrow.table(columns), tmp_path / "r.parquet", compression="zstd")
    assert (tmp_path / "r.parquet").stat().st_size < 2**15
    assert "holds more than 128 MiB" in check(tmp_path / "r.parquet").stderr


def test_a_parquet_file_of_lists_of_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    writer = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(parquet, "MOST_ITEMS", 1000)
    columns = {"Title": ["Soto"], "Ingredients": [[""] * 1001], "Steps": ["Rebus"]}
    writer.write_table(pyarrow.table(columns), tmp_path / "r.parquet")
    with pytest.raises(DataError, match="more than 1,000 items in a column"):
        require_files(tmp_path / "r.parquet")


# ---------------------------------------------------------------------------------------------------------- workbooks

MENU: Rows = [["Title", "Ingredients", "Steps"], ["Soto", "ayam--serai", "Rebus ayam."]]
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def changed(part: str, old: str, new: str) -> bytes:
    """An Excel workbook with a piece of one part put for another."""
    parts = xlsx_parts({"Menu": MENU})
    assert old in parts[part]
    return zipped(parts | {part: parts[part].replace(old, new)})


def ods_rows(*rows: str) -> bytes:
    return ods_of(f'<table:table table:name="Menu">{"".join(rows)}</table:table>')


def ods_row(attributes: str = "", cell: str = "", text: str = "x") -> str:
    paragraph = f"<text:p>{text}</text:p>"
    inner = f'<table:table-cell office:value-type="string" {cell}>{paragraph}</table:table-cell>'
    return f"<table:table-row {attributes}>{inner}</table:table-row>"


EMPTY = '<table:table-cell table:number-columns-repeated="16384"/>'
# Each would have calamine end this process, or take more than a gigabyte.
SHEETS = {
    "a cell far away": lambda: changed(SHEET, 'r="C2"', 'r="XFD1048576"'),
    "a row far away": lambda: changed(SHEET, '<row r="2"><c r="A2"', '<row r="9999999"><c'),
    "no column": lambda: changed(SHEET, 'r="C2"', 'r="ZZZZZ2"'),
    "a count of texts": lambda: changed(STRINGS, "<sst ", '<sst uniqueCount="4000000000" '),
    "columns repeated": lambda: ods_rows(ods_row(cell='table:number-columns-repeated="400000000"')),
    "rows repeated": lambda: ods_rows(ods_row('table:number-rows-repeated="400000000"')),
    "rows of columns": lambda: ods_rows(
        ods_row('table:number-rows-repeated="1048576"', 'table:number-columns-repeated="16384"')
    ),
    "empty columns first": lambda: ods_rows(
        f"<table:table-row>{EMPTY}{ods_row()[18:]}", ods_row('table:number-rows-repeated="1048576"')
    ),
    "spaces": lambda: ods_rows(ods_row(text='x<text:s text:c="900000000"/>')),
    "spaces repeated": lambda: ods_rows(
        ods_row('table:number-rows-repeated="1000"', text='x<text:s text:c="1000000"/>')
    ),
    "an entity": lambda: changed(SHEET, "<worksheet", '<!DOCTYPE a [<!ENTITY b "bb">]><worksheet'),
}


@pytest.mark.parametrize("make", SHEETS.values(), ids=SHEETS)
def test_a_workbook_made_to_fill_the_memory_is_an_error(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = write(tmp_path, "r.xlsx", make())
    assert path.stat().st_size < 2**13
    with pytest.raises(
        DataError, match=r"cells, or some that|says that it has|has a cell at|holds more than|has XML that"
    ):
        require_files(path)


def test_a_text_that_many_cells_share_counts_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_BYTES", 2**20)
    path = write(tmp_path, "r.xlsx", xlsx({"Menu": [*MENU, *[["garam " * 1000] * 3] * 100]}))
    assert path.stat().st_size < 2**13
    with pytest.raises(DataError, match="holds more than 1 MiB"):
        require_files(path)


def test_a_workbook_that_unpacks_to_more_than_the_limit_is_refused_whatever_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_BYTES", 2**16)
    packed = zipped(xlsx_parts({"Menu": MENU}) | {"xl/media/x.xml": " " * 2**17})
    size = (2**17).to_bytes(4, "little")
    for raw in (packed, packed.replace(size, (9).to_bytes(4, "little"))):
        with pytest.raises(DataError, match=r"more than 0 MiB|cannot be read as a workbook"):
            require_files(write(tmp_path, "r.xlsx", raw))


def test_an_archive_of_too_many_parts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_MOST_PARTS", 100)
    parts = xlsx_parts({"Menu": MENU}) | {f"xl/{number}.xml": "" for number in range(100)}
    with pytest.raises(DataError, match="more than 100 parts"):
        require_files(write(tmp_path, "r.xlsx", zipped(parts)))


def test_a_part_that_many_sheets_share_counts_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_MOST_ELEMENTS", 10_000)
    sheets: dict[str, Rows] = {f"Menu {number}": [] for number in range(100)}
    with pytest.raises(DataError, match="is too large"):
        require_files(write(tmp_path, "r.xlsx", xlsx(sheets)))


# ------------------------------------------------------------------------------------------- JSON, pages and texts


def test_a_document_of_too_many_values_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_documents, "MOST_VALUES", 1000)
    with pytest.raises(DataError, match="more than 1,000 values in one JSON document"):
        require_files(write(tmp_path, "r.json", "[" + "[]," * 1000 + "[]]"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are kept by Linux alone")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda it: write(it, "r.json", "[" + "[]," * 1_900_000), "r.json, line 1, column"),
        (lambda it: write(it, "r.json", "[" + "{}," * 1_900_000 + "{}]"), "no column for"),
        (lambda it: write(it, "r.json", '[{"a":[' * 5_000), "is no JSON"),
        (lambda it: write(it, "r.html", "<html>" + "<!--" * 2_000_000), "is a web page without"),
        (lambda it: write(it, "r.html", "<html>" + "<script ld+json>" * 1_000_000), "is a web page without"),
        (lambda it: write(it, "r.html", "<html>" + "<script ld+json></script>" * 500_000), "is a web page without"),
        (lambda it: write(it, "r.txt", "Bahan\nCara\n" * 90_000), "no column for title"),
        (lambda it: write(it, "r.txt", "*_~" * 1_000_000), "no recipe was found"),
        (lambda it: write(it, "r.txt", "12/03/24 10.15 - Ibu: *a\n" * 50_000), "no recipe was found"),
        (lambda it: write(it, "r.txt", "Soto\nBahan:\nayam\nair\nCara:\n" + "a\n" * 100_000), "longer than 20,000"),
        (lambda it: write(it, "r.xlsx", xlsx({"Menu": [*MENU, *[[""] * 3] * 10_000]})), "Menu"),
        (lambda it: write(it, "r.csv", HEADER + "Soto,a,b\n,c,\n" * 150_000), "rows give no recipe|longer than"),
    ],
    ids=range(12),
)
def test_a_large_file_of_another_format_takes_little_memory_and_time(
    tmp_path: Path, make: Callable[[Path], Path], says: str
) -> None:
    run = check(make(tmp_path))
    assert re.search(says, run.stdout + run.stderr)
    assert "Traceback" not in run.stderr
