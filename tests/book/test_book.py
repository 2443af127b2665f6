"""The book: what was put in is found again, as a pantry finds it, whatever happens to the file or beside it."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koki.book.naming import names_of
from koki.book.pantry import Pantry, used_of
from koki.book.reading import Page
from koki.book.store import Added, Book, StoredTip
from koki.data.recipes import shipped_recipes
from koki.errors import BookError
from koki.ingredients.parse import parse_ingredients
from koki.recipes.recipe import Recipe, identity
from koki.recipes.table import read_recipes


def recipe(title: str, *lines: str, loves: int | None = None, file: str = "resep.csv") -> Recipe:
    """A recipe with these ingredient lines."""
    steps = ("Masak.", "Sajikan.")
    ingredients = parse_ingredients(list(lines))
    return Recipe(identity(title, lines, steps), title, ingredients, steps, loves, None, "ayam", file, 2)


SOTO = recipe("Soto Ayam", "1 ekor ayam kampung", "2 batang sereh", "4 siung bawang putih", "garam", loves=9)
GEPREK = recipe("Ayam Geprek", "2 paha ayam fillet", "10 cabe rawit merah", "2 siung bawang putih", loves=40)
BALADO = recipe("Telur Balado", "5 butir telor ayam", "Bumbu:", "3 cabe merah besar", "5 siung bawang merah", loves=9)
GULAI = recipe("Gulai Ikan", "1 ekor ikan kakap", "1 liter santan", "2 batang serai", "petai (boleh skip)")
RECIPES = [SOTO, GEPREK, BALADO, GULAI]
SANTAN = StoredTip("santan pecah", "Aduk santan terus dengan api kecil.", ("Gimana supaya santan tidak pecah?",))
TEMPE = StoredTip("tempe renyah", "Rendam tempe dalam air bumbu.", ("Cara menggoreng tempe agar renyah?",))


@contextmanager
def book_of(path: Path, *recipes: Recipe) -> Iterator[Book]:
    """A new book with these recipes and two tips."""
    with Book.create(path) as book:
        book.add(recipes, [SANTAN, TEMPE])
        yield book


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a book with four recipes lies."""
    with book_of(tmp_path / "book.sqlite", *RECIPES):
        pass
    return tmp_path / "book.sqlite"


@pytest.fixture
def book(path: Path) -> Iterator[Book]:
    """The book with four recipes."""
    with Book.open(path, write=True) as book:
        yield book


def names(pages: Sequence[Page]) -> list[str]:
    return [page.name for page in pages]


# ------------------------------------------------------------------------------------------------------------- pages


def test_a_recipe_comes_back_as_it_was(book: Book) -> None:
    assert [page.recipe for page in book.pages()] == RECIPES
    assert book.page(SOTO.id) == Page("Soto Ayam", SOTO)
    assert len(book) == 4


def test_a_dish_is_found_by_its_name_whatever_its_capitals_and_by_its_id(book: Book) -> None:
    assert book.find("soto AYAM") == book.find(SOTO.id) == book.page(SOTO.id)
    assert book.find("Rawon") is None


def test_a_path_of_bytes_that_are_no_text_comes_back_as_it_was(tmp_path: Path) -> None:
    odd = recipe("Rawon", "daging", "kluwek", file=os.fsdecode(b"r\xe9sep.csv"))
    with book_of(tmp_path / "book.sqlite", odd) as book:
        assert book.page(odd.id).recipe == odd


def test_what_is_not_in_the_book_is_an_error(book: Book) -> None:
    with pytest.raises(BookError, match="no recipe 'xyz'"):
        book.page("xyz")


# ------------------------------------------------------------------------------------------------------- add, remove


def test_a_recipe_that_is_in_the_book_already_is_counted_and_not_added(book: Book) -> None:
    rawon = recipe("Rawon", "daging", "kluwek")
    assert book.add([SOTO, rawon, rawon], [SANTAN]) == Added(recipes=1, known=2, tips=0)
    assert len(book) == 5


def test_a_recipe_that_is_added_later_gets_a_name_of_its_own_and_the_others_keep_theirs(book: Book) -> None:
    loved = recipe("SOTO ayam", "1 ekor ayam", "2 buah kentang", "4 siung bawang putih", loves=99)
    book.add([loved])
    assert book.page(SOTO.id).name == "Soto Ayam"
    assert book.page(loved.id).name == "Soto ayam dengan kentang"


def test_a_name_that_was_made_up_for_one_dish_is_not_given_to_another_whose_title_it_is(book: Book) -> None:
    book.add([recipe("Soto Ayam", "1 ekor ayam", "2 buah kentang")])
    titled = recipe("Soto Ayam dengan Kentang", "ayam", "kentang", "serai", "kol")
    book.add([titled])
    assert book.page(titled.id).name.lower() not in ("soto ayam dengan kentang", "soto ayam")
    assert len({name.lower() for name in names(list(book.pages()))}) == 6


def test_a_recipe_that_is_removed_is_found_nowhere(book: Book) -> None:
    assert book.remove("gulai ikan") == GULAI
    assert len(book) == 3
    assert book.with_ingredient("santan", 5) == book.what_can_i_cook(["ikan", "santan"], 3) == []
    assert not book.knows_ingredient("ikan")
    assert "Gulai Ikan" not in [name for _, name in book.names_like("gulai ikan")]


def test_a_recipe_may_come_back_after_it_was_removed(book: Book) -> None:
    book.remove(GULAI.id)
    book.add([GULAI])
    assert names(book.with_ingredient("santan", 5)) == ["Gulai Ikan"]


def test_a_copy_has_what_the_book_had_and_is_added_to_alone(book: Book, tmp_path: Path) -> None:
    book.copy(tmp_path / "salinan.sqlite")
    with Book.open(tmp_path / "salinan.sqlite", write=True) as copied:
        before = names(list(copied.pages()))
        copied.add([recipe("Rawon", "500 gram daging sapi")])
        assert len(copied) == len(before) + 1
    assert names(list(book.pages())) == before


def test_to_remove_what_is_not_there_names_what_is_like_it(book: Book) -> None:
    with pytest.raises(BookError, match="Soto Ayam"):
        book.remove("sotoayam")
    assert len(book) == 4


def test_an_add_that_fails_leaves_the_book_as_it_was(book: Book) -> None:
    class Failing(list[Recipe]):
        def __iter__(self) -> Iterator[Recipe]:
            yield from super().__iter__()
            raise KeyboardInterrupt

    before = list(book.pages())
    with pytest.raises(KeyboardInterrupt):
        book.add(Failing([recipe("Rawon", "daging", "kluwek")]))
    assert list(book.pages()) == before
    assert not book.knows_ingredient("daging")
    assert book.add([recipe("Rawon", "daging", "kluwek")]).recipes == 1


# ------------------------------------------------------------------------------------------------------------ lookups


@pytest.mark.parametrize("text", ["soto ayam", "resep sotoayam dong", "Sotto Ayam", "ayam soto pake apa ya?"])
def test_the_names_like_a_text_come_first(book: Book, text: str) -> None:
    assert book.names_like(text)[0] == (SOTO.id, "Soto Ayam")


def test_a_name_in_another_spelling_is_alike(tmp_path: Path) -> None:
    sambal = recipe("Sambal Lombok", "cabai", "terasi")
    with book_of(tmp_path / "book.sqlite", sambal, *RECIPES) as book:
        assert book.names_like("sambel cabe", 1) == [(sambal.id, "Sambal Lombok")]


@pytest.mark.parametrize("text", ["", " ", "!?", '"', "x' OR 1", "NEAR(", "\udcff", "😋", "a" * 100_000])
def test_no_text_raises(book: Book, text: str) -> None:
    book.names_like(text)
    book.tips_like(text)
    assert book.with_ingredient(text, 3) == []
    assert book.what_can_i_cook([text], 3, without=[text]) == []
    assert not book.knows_ingredient(text)
    assert book.find(text) is None


def test_dishes_named_for_an_ingredient_come_before_better_loved_ones(tmp_path: Path) -> None:
    tahu = [recipe("Tahu Isi", "tahu", "kol"), recipe("Lodeh", "tahu", "santan", loves=5), recipe("Lodeh", "tahu")]
    with book_of(tmp_path / "book.sqlite", *tahu) as book:
        assert [page.recipe for page in book.with_ingredient("tahu", 2)] == [tahu[0], tahu[1]]


def test_what_is_used_is_named_as_it_was_at_hand_and_what_is_missing_as_the_recipe_does(book: Book) -> None:
    (page,) = book.what_can_i_cook(["telur", "cabai"], 1)
    assert (page.name, page.at_hand, page.missing) == ("Telur Balado", ("telur", "cabai"), ("bawang merah",))


def test_dishes_with_what_is_not_wanted_are_left_out(book: Book) -> None:
    assert names(book.what_can_i_cook(["serai"], 5)) == ["Soto Ayam", "Gulai Ikan"]
    assert names(book.what_can_i_cook(["serai"], 5, without=["santan"])) == ["Soto Ayam"]


def test_all_dishes_with_an_ingredient_are_found(book: Book) -> None:
    assert names(book.with_ingredient("serai", 5)) == ["Soto Ayam", "Gulai Ikan"]


def test_a_tip_is_found_by_its_topic_its_question_or_its_text(book: Book) -> None:
    assert book.tips_like("santan pecah nih")[0] == SANTAN
    assert book.tips_like("cara menggoreng biar renyah")[0] == TEMPE
    assert book.tips_like("dalam air bumbu", 1) == [TEMPE]
    assert book.tips() == [SANTAN, TEMPE]


# -------------------------------------------------------------------------------------------------- as a pantry does

_NAMES = [
    "ayam",
    "ayam kampung",
    "paha ayam fillet",
    "kaldu ayam",
    "telor ayam",
    "cabe",
    "cabai rawit",
    "cabai merah keriting",
    "santan",
    "santan kental",
    "bawang putih",
    "bawang merah, bawang putih, kemiri",
    "cumi atau udang",
    "margarin atau minyak goreng",
    "petai (boleh skip)",
    "petai",
    "garam",
    "daun salam",
    "Bumbu halus:",
    "tahu",
]
_lines = st.sampled_from(_NAMES)
_recipes = st.lists(
    st.builds(
        lambda title, lines, loves: recipe(title, *lines, loves=loves),
        st.sampled_from(["Soto Ayam", "soto ayam", "Sambal Cabe", "Sambal cabai", "Lodeh", "Soto Ayam dengan santan"]),
        st.lists(_lines, min_size=1, max_size=6),
        st.integers(0, 3) | st.none(),
    ),
    max_size=8,
    unique_by=lambda it: it.id,
)
_have = st.lists(st.sampled_from(["ayam", "cabe rawit", "cabai", "santan", "petai", "udang", "bawang putih", "garam"]))


def same_as_a_pantry(book: Book, recipes: Sequence[Recipe], have: Sequence[str], without: Sequence[str]) -> None:
    """Check that the book finds what a pantry of the same recipes finds, in the same order."""
    pantry = Pantry(recipes)
    assert [(page.recipe, page.at_hand, page.missing) for page in book.what_can_i_cook(have, 4, without)] == [
        (found.recipe, tuple(used_of(have, found)), found.missing) for found in pantry.what_can_i_cook(have, 4, without)
    ]
    for name in (*have, *without):
        found = [page.recipe for page in book.with_ingredient(name, len(recipes))]
        assert sorted(found, key=pantry.with_ingredient(name).index) == pantry.with_ingredient(name)
        assert book.knows_ingredient(name) == bool(found)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_recipes, _recipes, _have, st.lists(_lines, max_size=1))
def test_a_book_that_grows_and_shrinks_finds_what_a_pantry_finds(
    tmp_path: Path, first: list[Recipe], later: list[Recipe], have: list[str], without: list[str]
) -> None:
    path = Path(tempfile.mkdtemp(dir=tmp_path)) / "book.sqlite"
    with book_of(path, *first) as book:
        assert {page.recipe.id: page.name for page in book.pages()} == names_of(first)
        same_as_a_pantry(book, first, have, without)
        before = {page.recipe.id: page.name for page in book.pages()}
        book.add(later)
        everything = {it.id: it for it in [*later, *first]}
        assert before.items() <= {page.recipe.id: page.name for page in book.pages()}.items()
        assert len({page.name.lower() for page in book.pages()}) == len(everything)
        same_as_a_pantry(book, list(everything.values()), have, without)
        for it in first[::2]:
            book.remove(it.id)
            everything.pop(it.id)
        left = [page.recipe for page in book.pages()]
        assert {it.id for it in left} == everything.keys()
        same_as_a_pantry(book, left, have, without)
    shutil.rmtree(path.parent)


def compare_with_pantry(folder: Path, read: Sequence[Recipe], every: int) -> None:
    recipes = [replace(it, file=Path(it.file).name) for it in read]  # what a book keeps of a path
    pantry = Pantry(recipes)
    with book_of(folder / "book.sqlite", *recipes) as book:
        assert [page.recipe for page in book.pages()] == recipes
        assert {page.recipe.id: page.name for page in book.pages()} == names_of(recipes)
        for it in recipes[::every]:
            have = it.main_ingredients[:4]
            found = [(page.recipe, page.missing) for page in book.what_can_i_cook(have, 3)]
            assert found == [(best.recipe, best.missing) for best in pantry.what_can_i_cook(have, 3)]
            for name in have[:2]:
                assert book.knows_ingredient(name) == bool(pantry.with_ingredient(name))


@pytest.mark.slow
def test_the_recipes_that_ship_are_found_as_in_a_pantry(tmp_path: Path) -> None:
    compare_with_pantry(tmp_path, read_recipes(shipped_recipes()), 1)


@pytest.mark.slow
def test_real_recipes_are_found_as_in_a_pantry(tmp_path: Path, shared_data: Path) -> None:
    names = ("dataset-tempe.csv", "dataset-ikan.csv")
    compare_with_pantry(tmp_path, read_recipes(*[shared_data / "recipes" / name for name in names]), 40)


# ------------------------------------------------------------------------------------------------- others beside, kills


def test_a_reader_sees_what_another_writer_adds(path: Path) -> None:
    with Book.open(path) as reader, Book.open(path, write=True) as writer:
        assert not reader.knows_ingredient("kluwek")
        writer.add([recipe("Rawon", "daging", "kluwek")])
        assert names(reader.with_ingredient("kluwek", 1)) == ["Rawon"]


def test_threads_read_one_book_while_it_is_written(path: Path) -> None:
    def look_up(book: Book, number: int) -> int:
        assert names(book.what_can_i_cook(["ayam", "cabai"], 1)) == ["Ayam Geprek"]
        return len(book.names_like(f"soto {number}"))

    with Book.open(path) as reader, Book.open(path, write=True) as writer, ThreadPoolExecutor(4) as threads:
        found = threads.map(look_up, [reader] * 40, range(40))
        for number in range(5):
            writer.add([recipe(f"Soto {number}", "babat", "daun jeruk", f"{number} tomat")])
        assert all(found)
        assert len(reader) == 9


def test_a_writer_that_finds_the_book_locked_waits_and_then_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koki.book.store._WAIT", 0.1)
    with closing(sqlite3.connect(path)) as other, Book.open(path, write=True) as book:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BookError, match="Another program is writing"):
            book.add([recipe("Rawon", "daging", "kluwek")])
        assert names(book.with_ingredient("santan", 1)) == ["Gulai Ikan"]
    with Book.open(path, write=True) as book:
        assert book.add([recipe("Rawon", "daging", "kluwek")]).recipes == 1


_ADD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from test_book_store import recipe
from koki.book.store import Book

def endless():
    for number in range(10**9):
        yield recipe(f"Rawon {number}", "daging", "kluwek", f"{number} tomat")
        if number == 2000:
            print("so far", flush=True)
            time.sleep(60)

Book.open(Path(sys.argv[1]), write=True).add(endless())
"""


@pytest.mark.slow
def test_a_writer_that_is_killed_loses_nothing_and_leaves_no_half(path: Path) -> None:
    here = f"{Path(__file__).parent}{os.pathsep}{Path(__file__).parents[1]}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", _ADD_UNTIL_KILLED, str(path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as adding:
        assert adding.stdout
        adding.stdout.readline()
        adding.kill()
    with Book.open(path, write=True) as book:
        assert [page.recipe for page in book.pages()] == RECIPES
        assert not book.knows_ingredient("kluwek")
        assert book.add([recipe("Rawon", "daging", "kluwek")]).recipes == 1


# --------------------------------------------------------------------------------------------------- what is no book


def test_a_book_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BookError, match="There is no book"):
        Book.open(tmp_path / "book.sqlite")
    assert not any(tmp_path.iterdir())


def test_a_book_is_not_made_over_another(path: Path) -> None:
    with pytest.raises(BookError, match="there already"):
        Book.create(path)


def test_what_is_no_database_is_no_book(tmp_path: Path) -> None:
    (tmp_path / "book.sqlite").write_bytes(b"PK" * 4096)
    with pytest.raises(BookError, match="damaged"):
        Book.open(tmp_path / "book.sqlite")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("PRAGMA application_id = 1", "no book of Koki's"),
        ("PRAGMA user_version = 99", "newer Koki"),
        ("DROP TABLE gram", "other tables"),
        ("CREATE TRIGGER steal AFTER INSERT ON recipe BEGIN DELETE FROM dish; END", "other tables"),
        ("CREATE TRIGGER tip_words_idx AFTER INSERT ON recipe BEGIN DELETE FROM dish; END", "other tables"),
        ("CREATE VIEW tip_words_x AS SELECT * FROM recipe", "other tables"),
    ],
)
def test_a_database_that_is_no_book_of_this_koki_is_an_error(path: Path, change: str, says: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute(change)
        other.commit()
    with pytest.raises(BookError, match=says):
        Book.open(path)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE recipe SET ingredients = '{'",
        "UPDATE recipe SET steps = 7",
        "UPDATE recipe SET steps = '[7]'",
        "UPDATE recipe SET ingredients = '[null]'",
        "UPDATE recipe SET ingredients = printf('%.*c', 100000, '[')",
        "UPDATE recipe SET title = x'00ff'",
        "UPDATE recipe SET line = 'satu'",
        "UPDATE dish SET name = x'00'",
        "UPDATE tip SET topic = x'00'",
        "UPDATE tip SET questions = '[[]]'",
        "UPDATE recipe SET file = 7",
        "DELETE FROM dish",
        "UPDATE need SET entries = x'00'",
        "UPDATE need SET entries = x'ffffffffffffffff'",
        "UPDATE standing SET ranked = x'ffffffff'",
        "DELETE FROM standing",
    ],
)
def test_what_was_changed_in_a_book_is_an_error_and_no_traceback(path: Path, change: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute(change)
        other.commit()
    with Book.open(path) as book, pytest.raises(BookError, match="damaged"):
        _read_all(book)


def _read_all(book: Book) -> None:
    book.what_can_i_cook(["santan"], 3)
    list(book.pages())
    book.tips()


def test_pages_of_a_file_that_were_overwritten_are_an_error(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(BookError), Book.open(path) as book:
        list(book.pages())


@contextmanager
def nobody() -> Iterator[None]:
    """Not being allowed everything, as root is."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.mark.skipif(os.name != "posix", reason="a folder of this system cannot be made read-only")
def test_a_book_in_a_folder_that_cannot_be_written_is_read(path: Path) -> None:
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are closed to others
        copy = Path(shutil.copy(path, made))
        Path(made).chmod(0o555)
        with nobody():
            with Book.open(copy) as book:
                assert names(book.with_ingredient("santan", 1)) == ["Gulai Ikan"]
            with pytest.raises(BookError, match="cannot be used"):
                Book.open(copy, write=True)
        Path(made).chmod(0o755)


# ------------------------------------------------------------------------------------------------------------- speed


@pytest.mark.slow
def test_thousands_of_recipes_are_looked_up_in_milliseconds(tmp_path: Path, shared_data: Path) -> None:
    recipes = read_recipes(shared_data / "recipes" / "dataset-tempe.csv")
    with book_of(tmp_path / "book.sqlite", *recipes) as book:
        asked = recipes[::10]
        started = time.process_time()
        for it in asked:
            book.what_can_i_cook(it.main_ingredients[:4], 3)
            book.names_like(it.title)
            book.with_ingredient(it.main_ingredients[0], 3)
        assert (time.process_time() - started) / len(asked) < 0.05
