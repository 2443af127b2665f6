"""Recipe files that are no plain CSV, several files at once, and columns under names of their own."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.config import load_config, read_assignments
from koki.errors import DataError, KokiError, RecipeFileNotFound
from koki.recipes import sources
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes, require_files

SOTO = {"Judul": "Soto Ayam", "Bahan": ["1 ekor ayam", "2 batang serai"], "Langkah": ["Rebus ayam", "Sajikan"]}
CSV = "Title,Ingredients,Steps,Loves\nSoto Ayam,1 ekor ayam--2 batang serai,Rebus ayam--Sajikan,12\n"


def save(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def nested(text: str) -> Any:
    """The text in more lists than any recipe needs."""
    for _ in range(20):
        text = [text]  # type: ignore[assignment]
    return text


def csv_of(title: str) -> str:
    return CSV.replace("Soto Ayam", title)


def raw_lines(recipe: Recipe) -> list[str]:
    return [item.raw for item in recipe.ingredients]


def titles(*paths: str | Path) -> list[str]:
    return [recipe.title for recipe in read_recipes(*paths)]


# ------------------------------------------------------------------------------------------------ several files


def test_a_pattern_stands_for_the_files_that_match_it_sorted(tmp_path: Path) -> None:
    for name in ("c.csv", "a.csv", "b.csv", "d.txt"):
        save(tmp_path, name, csv_of(f"Soto {name}"))
    (tmp_path / "e.csv").mkdir()
    assert titles(tmp_path / "*.csv") == ["Soto a.csv", "Soto b.csv", "Soto c.csv"]
    assert titles(tmp_path / "[bc].csv", tmp_path / "?.txt") == ["Soto b.csv", "Soto c.csv", "Soto d.txt"]


def test_a_pattern_may_go_into_folders(tmp_path: Path) -> None:
    (tmp_path / "kuah" / "ayam").mkdir(parents=True)
    save(tmp_path / "kuah" / "ayam", "a.csv", CSV)
    assert titles(tmp_path / "**" / "*.csv") == ["Soto Ayam"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    save(tmp_path, "resep1.csv", csv_of("Sop"))
    assert titles(save(tmp_path, "resep[1].csv", CSV)) == ["Soto Ayam"]


@pytest.mark.parametrize("read", [read_recipes, require_files])
def test_a_pattern_without_a_match_is_a_file_that_is_not_there(tmp_path: Path, read: Any) -> None:
    with pytest.raises(RecipeFileNotFound, match="No recipe file matches"):
        read(tmp_path / "*.csv")


# --------------------------------------------------------------------------------------------------------- gzip


def test_a_compressed_csv_is_read_as_the_csv_in_it(tmp_path: Path) -> None:
    recipes = read_recipes(save(tmp_path, "resep.csv.gz", gzip.compress(CSV.encode("utf-16"))))
    report = recipes.report
    assert recipes[0].id == read_recipes(save(tmp_path, "resep.csv", CSV))[0].id
    assert report.files[0].encoding == "UTF-16, gzip"


def test_compressed_json_lines_are_read_too(tmp_path: Path) -> None:
    assert titles(save(tmp_path, "resep.jsonl.gz", gzip.compress(json.dumps(SOTO).encode()))) == ["Soto Ayam"]


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_BYTES", 2**22)
    content = CSV.encode().ljust(2**22)
    require_files(save(tmp_path, "penuh.csv.gz", gzip.compress(content)))
    with pytest.raises(DataError, match=r"bom\.csv\.gz holds more than 4 MiB"):
        require_files(save(tmp_path, "bom.csv.gz", gzip.compress(content + b" ")))


@pytest.mark.parametrize("damage", [lambda raw: raw[:-12], lambda raw: raw[:15] + b"\xff" * 20 + raw[35:]])
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, damage: Any) -> None:
    with pytest.raises(DataError, match="damaged gzip"):
        titles(save(tmp_path, "resep.csv.gz", damage(gzip.compress(CSV.encode()))))


def test_a_gzip_file_with_nothing_in_it_is_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is empty"):
        titles(save(tmp_path, "resep.csv.gz", gzip.compress(b"\n")))


# --------------------------------------------------------------------------------------------------- JSON Lines


def json_lines(*objects: object) -> str:
    return "".join(json.dumps(it) + "\n" for it in objects)


def test_an_object_a_line_becomes_a_recipe(tmp_path: Path) -> None:
    path = save(tmp_path, "resep.jsonl", json_lines(SOTO | {"Suka": 12, "Foto": None}))
    recipes = read_recipes(path)
    [recipe], report = recipes, recipes.report
    assert (recipe.title, raw_lines(recipe)) == ("Soto Ayam", ["1 ekor ayam", "2 batang serai"])
    assert recipe.steps == ("Rebus ayam", "Sajikan")
    assert (recipe.loves, recipe.file, recipe.line) == (12, str(path), 1)
    [file] = report.files
    assert (file.encoding, file.delimiter) == ("UTF-8 (JSON Lines)", "")
    assert file.columns == {"title": "Judul", "ingredients": "Bahan", "steps": "Langkah", "loves": "Suka"}
    assert file.ignored == ["Foto"]


def test_lists_may_be_texts_as_in_a_csv(tmp_path: Path) -> None:
    texts = {"Title": "Soto Ayam", "Ingredients": "1 ekor ayam--2 batang serai", "Steps": "1) Rebus ayam\n2) Sajikan"}
    [recipe] = read_recipes(save(tmp_path, "resep.jsonl", json_lines(texts)))
    assert recipe.id == read_recipes(save(tmp_path, "daftar.jsonl", json_lines(SOTO)))[0].id


def test_keys_may_be_missing_and_lines_blank(tmp_path: Path) -> None:
    without_steps = {"Judul": "Sop", "Bahan": "ayam"}
    recipes = read_recipes(save(tmp_path, "resep.jsonl", json_lines(without_steps) + "\n" + json_lines(SOTO)))
    report = recipes.report
    assert [recipe.line for recipe in recipes] == [3]
    assert [(row.line, row.title, row.reason) for row in report.dropped] == [(1, "Sop", "steps are empty")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ('{"Judul": ' + "1" * 5000 + "}", "not a JSON object"),
        (json.dumps(SOTO | {"Langkah": nested("Rebus ayam")}), "steps: neither a text nor a list of texts"),
        (json.dumps(SOTO | {"Bahan": nested("ayam")}), "ingredients: neither a text nor a list of texts"),
        (json.dumps(SOTO | {"Judul": None}), "no title"),
        (json.dumps(SOTO | {"Judul": float("nan")}), "no title"),
        (json.dumps(SOTO | {"Bahan": ["a" * 20_001]}), "a field is longer than 20,000 characters"),
    ],
    ids=range(9),
)
def test_a_line_without_a_recipe_is_dropped_with_its_reason(tmp_path: Path, line: str, reason: str) -> None:
    recipes = read_recipes(save(tmp_path, "resep.jsonl", json_lines(SOTO) + line + "\n"))
    report = recipes.report
    assert len(recipes) == 1
    assert [(row.line, row.reason) for row in report.dropped] == [(2, reason)]


def test_a_key_that_no_object_has_is_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column for steps\. Its header is: Judul, Bahan"):
        require_files(save(tmp_path, "resep.jsonl", json_lines({"Judul": "Soto", "Bahan": "ayam"})))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.slow
@given(st.lists(st.dictionaries(st.sampled_from(["Judul", "Bahan", "Langkah", "Suka", "x"]), values) | values))
def test_no_json_raises_anything_but_a_koki_error(
    tmp_path_factory: pytest.TempPathFactory, objects: list[object]
) -> None:
    path = save(tmp_path_factory.mktemp("json"), "resep.jsonl", json_lines(*objects))
    try:
        report = read_recipes(path).report
    except KokiError:
        return
    assert report.rows_read == report.rows_kept + len(report.dropped)


# ------------------------------------------------------------------------------------------------------ Parquet


def test_a_parquet_file_has_the_same_fields(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [SOTO | {"Suka": 12.0, "Foto": b"\0"}, SOTO | {"Judul": None, "Suka": None, "Foto": None}]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "resep.parquet")
    recipes = read_recipes(tmp_path / "resep.parquet")
    [recipe], report = recipes, recipes.report
    assert (recipe.title, raw_lines(recipe), recipe.loves) == ("Soto Ayam", ["1 ekor ayam", "2 batang serai"], 12)
    assert recipe.steps == ("Rebus ayam", "Sajikan")
    assert [(row.line, row.reason) for row in report.dropped] == [(2, "no title")]
    assert (report.files[0].encoding, report.files[0].ignored) == ("Parquet", ["Foto"])


@pytest.mark.parametrize("content", [b"PAR1", b"Title,Ingredients,Steps\n", b""])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    with pytest.raises(DataError, match=r"resep\.parquet cannot be read as Parquet"):
        require_files(save(tmp_path, "resep.parquet", content))


def test_a_damaged_parquet_file_is_an_error_of_koki(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "resep.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([SOTO] * 3000), path)
    raw = path.read_bytes()
    for place in range(4, len(raw), 37):
        path.write_bytes(raw[:place] + b"\xff\xfe\xff" + raw[place + 3 :])
        try:
            read_recipes(path)
        except KokiError:
            continue


def test_without_pyarrow_an_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError) as raised:
        titles(save(tmp_path, "resep.parquet", b"PAR1"))
    assert raised.value.how == "pip install pyarrow"


# ------------------------------------------------------------------------------------ columns under odd names

ODD = "Menu,Nama,Belanja,Urutan\nSoto Ayam,Budi,ayam--serai,Rebus ayam\n"
ODD_COLUMNS = {"title": "Menu", "ingredients": "belanja", "steps": "Urutan"}


def test_columns_may_be_named(tmp_path: Path) -> None:
    path = save(tmp_path, "resep.csv", ODD)
    recipes = read_recipes(path, columns=ODD_COLUMNS)
    [recipe], report = recipes, recipes.report
    require_files(path, columns=ODD_COLUMNS)
    assert (recipe.title, recipe.steps) == ("Soto Ayam", ("Rebus ayam",))
    assert report.files[0].columns == {"title": "Menu", "ingredients": "Belanja", "steps": "Urutan"}
    assert report.files[0].ignored == ["Nama"]


def test_what_is_not_named_is_found_by_its_usual_names(tmp_path: Path) -> None:
    path = save(tmp_path, "resep.csv", "Judul;Bahan;Langkah;Menu\nBudi;ayam--serai;Rebus ayam;Soto\n")
    assert read_recipes(path, columns={"title": "Menu"})[0].title == "Soto"


def test_a_column_that_is_named_serves_nothing_else(tmp_path: Path) -> None:
    path = save(tmp_path, "resep.csv", "Menu,Bahan,Langkah\nSoto,ayam--serai,Rebus ayam\n")
    with pytest.raises(DataError, match="no column for ingredients"):
        read_recipes(path, columns={"title": "Menu", "steps": "Bahan"})


def test_the_exact_name_wins_over_one_that_differs_in_punctuation(tmp_path: Path) -> None:
    path = save(tmp_path, "resep.csv", "menu,Menu,#,Bahan\nsoto kudus,Soto Ayam,Rebus ayam,ayam--serai\n")
    assert read_recipes(path, columns={"title": "Menu", "steps": "#"})[0].title == "Soto Ayam"


def test_json_lines_have_named_columns_too(tmp_path: Path) -> None:
    path = save(
        tmp_path, "resep.jsonl", json_lines({"Menu": "Soto", "Bahan": ["ayam", "air"], "Langkah": "Rebus ayam"})
    )
    assert read_recipes(path, columns={"title": "Menu"})[0].title == "Soto"


def test_a_name_that_no_column_has_is_an_error_with_the_header(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read_recipes(save(tmp_path, "resep.csv", ODD), columns=ODD_COLUMNS | {"title": "Hidangan"})
    assert "no column 'Hidangan' (for title)" in raised.value.what
    assert "Menu, Nama, Belanja, Urutan" in raised.value.what


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"title": "Mnu"}, "title=Menu"),
        ({"title": "menuu", "steps": "Uruttan"}, "title=Menu,steps=Urutan"),
        ({"title": "Hari"}, "title=Menu Hari Ini"),
    ],
)
def test_a_name_that_is_nearly_right_gets_the_right_one(tmp_path: Path, given: dict[str, str], meant: str) -> None:
    header = ODD if "Hari" not in meant else ODD.replace("Menu", "Menu Hari Ini")
    with pytest.raises(DataError) as raised:
        read_recipes(save(tmp_path, "resep.csv", header), columns=ODD_COLUMNS | given)
    assert raised.value.how == f'Did you mean --columns "{meant}"?'


@pytest.mark.parametrize("read", [read_recipes, require_files])
def test_a_field_that_no_recipe_has_is_an_error_with_those_it_has(tmp_path: Path, read: Any) -> None:
    with pytest.raises(DataError, match="no 'titel'") as raised:
        read(save(tmp_path, "resep.csv", CSV), columns={"titel": "Title"})
    assert "title, ingredients, steps, loves, url, category" in raised.value.how


def test_columns_are_a_setting() -> None:
    config = load_config(
        settings={"data.columns": {"title": "Menu"}} | read_assignments(["data.columns.steps=Cara Buat"])
    )
    assert config.data.columns == {"title": "Menu", "steps": "Cara Buat"}
