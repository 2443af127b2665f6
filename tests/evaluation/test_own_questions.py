"""People's own questions: how the file is read, and when an answer passes."""

from pathlib import Path

import pytest
from cases import said
from helpers import SHARED_DATA

from koki.errors import DataError
from koki.evaluation.own_questions import OwnQuestion, read_questions, verdict
from koki.inference.engine import Ending

HEADER = "id\tcapability\tquestion\tdish\tingredients\tmust\tmust_not\n"


def file_with(folder: Path, text: str) -> Path:
    path = folder / "pertanyaan.tsv"
    path.write_text(text, "utf-8")
    return path


def test_a_line_is_a_question(tmp_path: Path) -> None:
    line = 'r1\tfull recipe\tResep "soto" ayam?\tSoto Ayam\tayam\tayam; serai ;\tsantan\n'
    (read,) = read_questions(file_with(tmp_path, HEADER + line))
    assert read == OwnQuestion("r1", "full recipe", 'Resep "soto" ayam?', ("ayam", "serai"), ("santan",))


def test_lines_that_are_short_or_empty_do_no_harm(tmp_path: Path) -> None:
    (read,) = read_questions(file_with(tmp_path, HEADER + "r1\ttip\tKenapa santan pecah?\n\n\t\t\n"))
    assert (read.id, read.must, read.must_not) == ("r1", (), ())


def test_the_columns_may_stand_in_any_order_and_further_ones_are_left_alone(tmp_path: Path) -> None:
    text = "\ufeffquestion\tid\tcatatan\tmust\tmust_not\tcapability\nResep?\tr1\thalo\tayam\t\ttip\n"
    (read,) = read_questions(file_with(tmp_path, text))
    assert (read.question, read.must) == ("Resep?", ("ayam",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id\tquestion\n1\tResep?\n", "no column capability, must, must_not"),
        ("id,capability,question,must,must_not\n", "no column id, (?s:.*)apart by tabs"),
        ("", "no column"),
        (HEADER, "no question"),
        ("id\tcapability\tquestion\tquestion\tmust\tmust_not\n1\ttip\tA?\tB?\t\t\n", "column question twice"),
        (HEADER + "1\ttip\tA?\n2\ttip\t\t\t\tayam\n", "line 3: the column question is empty"),
        (HEADER + "1\ttip\tA?\t\t\tayam, serai\n", r"line 2: no answer can mention 'ayam, serai'.* column must\."),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_that_says_why(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_questions(file_with(tmp_path, text))


def test_a_file_that_is_not_there_or_not_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        read_questions(tmp_path / "tidak-ada.tsv")
    (tmp_path / "x.tsv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DataError, match="no column"):
        read_questions(tmp_path / "x.tsv")
    with pytest.raises(DataError, match="cannot be read"):
        read_questions(tmp_path)


EXCEL = (
    "ID\tCapability\tQuestion\tmust\tmust_not\r\n"
    '1\tresep\t"Resep ""soto"", yang gurih?"\tayam;serai\t\r\n'
    "1\tapa saja\tBagaimana\u2028caranya?\t\t\r\n"
    "\t\t\t\t\r\n"
    "\t\tTanpa nama?\t\t\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_that_a_spreadsheet_wrote_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "pertanyaan.txt").write_bytes(EXCEL.encode(encoding))
    assert read_questions(tmp_path / "pertanyaan.txt") == [
        OwnQuestion("1", "resep", 'Resep "soto", yang gurih?', ("ayam", "serai"), ()),
        OwnQuestion("1", "apa saja", "Bagaimana\u2028caranya?", (), ()),  # the same id twice is two questions
        OwnQuestion("line 5", "", "Tanpa nama?", (), ()),
    ]


QUESTION = OwnQuestion("1", "full recipe", "Resep?", ("ayam", "serai", "kunyit", "jahe"), ("santan",))


def passes(answer: str, *, ended_by: Ending = "stop_token") -> bool:
    return verdict(QUESTION, said(answer, ended_by=ended_by)).passed


def test_half_of_what_an_answer_must_have_is_enough() -> None:
    assert passes("Rebus ayam dengan sereh.")
    assert not passes("Rebus ayam.")


def test_what_it_must_not_have_fails_it() -> None:
    assert not passes("Rebus ayam, serai, kunyit, jahe dan santan.")


def test_what_it_says_to_leave_out_does_not() -> None:
    assert passes("Rebus ayam dengan serai, tanpa santan.")


def test_an_answer_that_did_not_end_by_itself_fails() -> None:
    assert not passes("Rebus ayam dengan sereh.", ended_by="max_new_tokens")


def test_a_verdict_says_what_speaks_against_the_answer() -> None:
    found = verdict(QUESTION, said("Rebus ayam dan santan."))
    assert (found.missing, found.wrong) == (("serai", "kunyit", "jahe"), ("santan",))


def test_without_demands_any_answer_that_ends_passes() -> None:
    assert verdict(OwnQuestion("1", "", "Halo?", (), ()), said("Halo!")).passed


def test_the_shared_questions_can_be_read() -> None:
    files = [path for path in SHARED_DATA.rglob("*.tsv") if "must_not" in path.open(encoding="utf-8").readline()]
    if not files:
        pytest.skip("no file of questions beside this checkout")
    for file in files:
        assert all(one.question for one in read_questions(file))
