"""What Koki says has a translation, and which language it speaks follows from what its user says and uses."""

import ast
import string
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from hypothesis import given
from hypothesis import strategies as st

import koki
import messages
from koki import language
from koki.language import LANGUAGES, N_, Language, _, choose, in_english, ngettext, number, of_locale, retold

TRANSLATED = [one for one in LANGUAGES if one != "en"]
in_each = pytest.mark.parametrize("one", TRANSLATED)


@pytest.fixture(scope="module")
def of_the_code() -> Catalog:
    """The messages that the code has."""
    return messages.messages()


def slots(text: str) -> list[tuple[str, str, str | None]]:
    """The slots of a message: name, form and conversion of each."""
    parsed = string.Formatter().parse(text)
    return sorted({(name, form or "", how) for _text, name, form, how in parsed if name is not None}, key=str)


def around(text: str) -> tuple[str, str]:
    """The spaces at both ends of a text."""
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def forms(text: object) -> list[str]:
    """The forms of a message, or of a translation."""
    return [text] if isinstance(text, str) else [str(form) for form in text]  # type: ignore[attr-defined]


@pytest.mark.slow
@in_each
def test_every_message_of_the_code_has_its_translation_and_no_other_is_kept(
    one: Language, of_the_code: Catalog
) -> None:
    kept = messages.read(one)
    assert {str(it.id) for it in kept} == {str(it.id) for it in of_the_code}, "make messages"
    assert not kept.obsolete
    assert [it.id for it in messages.missing(kept)] == []


@pytest.mark.parametrize("file", sorted(Path(koki.__file__).parent.rglob("*.py")), ids=lambda file: file.stem)
def test_no_message_stands_within_an_f_string_where_it_would_not_be_found(file: Path) -> None:
    texts = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.JoinedStr)]
    calls = [node for text in texts for node in ast.walk(text) if isinstance(node, ast.Call)]
    asked = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("_", "N_", "ngettext")]
    assert [ast.unparse(call) for call in asked if isinstance(call.args[0], ast.Constant)] == []


@in_each
def test_a_translation_has_the_slots_of_its_message(one: Language) -> None:
    for message in messages.read(one):
        for said in forms(message.string) if message.id else ():
            assert slots(said) == slots(forms(message.id)[-1]), message.id


@in_each
def test_a_translation_begins_and_ends_with_the_spaces_of_its_message(one: Language) -> None:
    """They join it to what stands beside it."""
    for message in messages.read(one):
        for said in forms(message.string) if message.id else ():
            assert around(said) == around(forms(message.id)[-1]), message.id


@in_each
def test_what_is_read_is_compiled_from_what_is_written(one: Language) -> None:
    compiled = messages.place_of(one).with_suffix(".mo").read_bytes()
    assert compiled == messages.compiled(messages.read(one)), "make messages"


def test_from_python_messages_are_english() -> None:
    assert language.chosen() == "en"


@pytest.mark.usefixtures("indonesian")
def test_a_message_is_said_in_the_chosen_language_with_its_slots_filled() -> None:
    assert _("File {file} is not there.", file="resep.csv") == "Berkas resep.csv tidak ada."


@pytest.mark.usefixtures("indonesian")
def test_what_has_no_translation_is_said_in_english() -> None:
    text = "a text that stands in no catalogue: {it}"
    assert _(text, it=1) == text.format(it=1)


@pytest.mark.usefixtures("indonesian")
def test_a_number_that_is_given_a_form_has_the_marks_of_the_language() -> None:
    assert _("{count:,} conversations in {output}", count=1234567, output="a.1,2") == "1.234.567 percakapan di a.1,2"
    assert (number(1234.5, ",.1f"), number(0.25, ".2f")) == ("1.234,5", "0,25")


@given(count=st.integers(-(10**12), 10**12), digits=st.integers(0, 6))
def test_a_number_is_the_same_in_both_languages(count: int, digits: int) -> None:
    value = Decimal(count).scaleb(-3)
    in_each = []
    for one in ("en", "id"):
        choose(one)
        in_each.append(number(float(value), f",.{digits}f"))
    choose("en")
    assert in_each[1].translate(str.maketrans(",.", ".,")) == in_each[0]


@pytest.mark.parametrize(("count", "said"), [(1, "1 row"), (2, "2 rows"), (1200, "1,200 rows")])
def test_what_is_counted_has_its_form(count: int, said: str) -> None:
    assert ngettext("{count:,} row", "{count:,} rows", count) == said


def test_braces_of_a_message_without_slots_stand_for_themselves() -> None:
    assert _("columns: {title: ...}") == "columns: {title: ...}"


@pytest.mark.usefixtures("indonesian")
def test_a_file_is_written_in_english() -> None:
    with in_english():
        assert _("Warning") == "Warning"
    assert _("Warning") == "Peringatan"


@pytest.mark.usefixtures("indonesian")
def test_what_a_library_says_is_said_again_with_what_it_names() -> None:
    templates = (N_("Invalid value: {what}"), N_("{value} is not one of {choices}."))
    assert retold("Invalid value: 'x' is not one of 'a', 'b'.", *templates) == (
        "Nilai tidak bisa dipakai: 'x' bukan salah satu dari 'a', 'b'."
    )
    assert retold("something else", *templates) == "something else"


@pytest.mark.usefixtures("indonesian")
def test_what_the_system_says_of_a_file_is_translated(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as raised:
        (tmp_path / "resep: soto.csv").read_text()
    said = _("{path} cannot be used: {error}.", path="x", error=raised.value)
    assert said == f"x tidak bisa dipakai: [Errno 2] Berkas atau folder tidak ada: '{tmp_path / 'resep: soto.csv'}'."


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "id_ID.UTF-8"}, "id"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "C.UTF-8", "LANGUAGE": "id"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "jv:id:en"}, "id"),
        ({"LANG": "id_ID.UTF-8", "LANGUAGE": "en:id"}, "en"),
        ({"LANG": "id"}, "id"),
        ({"LANG": ""}, "en"),
    ],
    ids=str,
)
def test_the_language_is_that_of_the_locale(environment: dict[str, str], spoken: str) -> None:
    assert of_locale(environment) == spoken


@pytest.mark.parametrize(
    ("found", "spoken"), [("Indonesian_Indonesia", "id"), ("id_ID", "id"), ("English_Australia", "en"), (None, "en")]
)
def test_where_no_variable_names_the_locale_the_system_does(
    found: str | None, spoken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    monkeypatch.setattr("locale.getlocale", lambda: (found, "1252"))
    assert of_locale({}) == spoken
