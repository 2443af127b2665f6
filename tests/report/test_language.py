"""Every text in both languages, and numbers as they are written there."""

import re
from dataclasses import asdict
from importlib.resources import files
from typing import get_args

import pytest
import torch

from koki.dialogue.conversation import Kind
from koki.evaluation.asked import GROUPS
from koki.evaluation.capabilities.registry import CAPABILITIES, measures
from koki.evaluation.scorecard import Caveat
from koki.formatting import TimeUnit
from koki.language import LANGUAGES
from koki.model.device import Device
from koki.recipes.findings import Oddity, Reason
from koki.recipes.report import Warned
from koki.report.language import Translation, texts

ALL = {f"{table}.{name}": text for table, names in texts().items() for name, text in names.items()}
EN, ID = Translation("en"), Translation("id")


@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_every_text_is_there_in_both_languages_with_the_same_slots(text: dict[str, str]) -> None:
    assert set(text) == set(LANGUAGES)
    assert all(text.values())
    assert len({tuple(sorted(re.findall(r"\{\w+\}", said))) for said in text.values()}) == 1


def test_every_capability_group_measure_kind_of_conversation_and_unit_of_time_has_a_name() -> None:
    assert set(texts()["capabilities"]) == set(measures())
    assert set(texts()["uses"]) == {capability.name for capability in CAPABILITIES}
    assert set(texts()["groups"]) == set(texts()["group_meanings"]) == set(GROUPS)
    assert set(texts()["measures"]) == {name for of_it in measures().values() for name in of_it}
    meanings = {name: text["en"] for name, text in texts()["meanings"].items()}
    assert meanings == {name: it.meaning for of_it in measures().values() for name, it in of_it.items()}
    assert set(texts()["kinds"]) == set(get_args(Kind))
    assert set(texts()["duration"]) == set(get_args(TimeUnit))


def test_every_reason_oddity_and_caveat_is_said_in_both_languages() -> None:
    for table, kinds in {"reasons": Reason, "oddities": Oddity}.items():
        assert {name: text["en"] for name, text in texts()[table].items()} == {str(kind): str(kind) for kind in kinds}
    for caveat in Caveat:
        assert [beginning for beginning in texts()["notes"] if caveat.startswith(beginning)], caveat
    assert len(texts()["notes"]) == len(Caveat)


def test_every_text_is_used() -> None:
    sources = "".join(
        files("koki.report").joinpath(name).read_text("utf-8")
        for name in ("page.html.jinja", "language.py", "content.py", "page.py", "verdict.py")
    )
    by_name = {"months", "duration", "device", "groups", "group_meanings", "capabilities", "measures", "meanings"}
    by_name |= {"uses", "kinds", "lengths", "reasons", "oddities", "notes", "chefs"}
    for key in ALL:
        table, _, name = key.partition(".")
        assert table in by_name or key in sources or f'"{name}"' in sources, key


def test_a_name_that_is_not_known_stands_for_itself() -> None:
    assert ID.name("reasons", "too few steps") == "langkah terlalu sedikit"
    assert ID.name("reasons", "something new") == "something new"


def test_a_warning_is_said_with_the_lines_that_have_it() -> None:
    once = asdict(Warned(Oddity.FEWER_FIELDS, 1, [4]))
    assert ID.warning(once) == "isinya lebih sedikit daripada nama kolomnya: baris 4"
    assert EN.warning(once) == "fewer fields than the header: line 4"
    often = asdict(Warned(Oddity.UNREADABLE, 1004, [2, 5]))
    assert ID.warning(often) == "karakter yang tidak terbaca dihilangkan: baris 2, 5 dan 1.002 lainnya"


def test_a_warning_of_an_earlier_version_stands_as_it_was_told() -> None:
    assert ID.warning("fewer fields than the header: 1 row, at line 4").startswith("fewer fields")


def test_the_notes_of_a_scorecard_are_translated() -> None:
    note = "No recipe was held out, so there is nothing to measure generalisation by: ..."
    assert ID.note(note).startswith("Tidak ada resep yang disisihkan")
    assert ID.note("Something new.") == "Something new."


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (Device("cpu", "CPU, 1 thread", 1, torch.float32, "no"), "CPU, 1 thread: model dasar float32, tanpa fp16"),
        (Device("cpu", "CPU, 2 threads", 1, torch.bfloat16, "bf16"), "CPU, 2 thread: model dasar bfloat16, bf16"),
        (
            Device("cuda", "Tesla T4", 2, torch.float16, "fp16"),
            "2 x Tesla T4: model dasar float16, fp16 dengan loss scaling",
        ),
    ],
)
def test_a_device_is_described_in_the_language_of_the_page(device: Device, said: str) -> None:
    assert ID.device(device.describe()) == said
    assert EN.device(device.describe()) == device.describe()


def test_numbers_are_written_as_the_language_does() -> None:
    assert (EN.number(5565.25, 1), ID.number(5565.25, 1)) == ("5,565.2", "5.565,2")
    assert (EN.signed(0.5), ID.signed(-0.25), EN.signed(-0.001)) == ("+0.50", "-0,25", "+0.00")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.0036, "0.0036"),
        (2e-5, "0.00002"),
        (1.66e-5, "0.0000166"),
        (12.5, "12.5"),
        (100.4, "100"),
        (1250.0, "1,250"),
        (3e6, "3,000,000"),
    ],
)
def test_short_numbers_have_three_digits_and_no_exponent(value: float, written: str) -> None:
    assert EN.short(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2e-5, "0,00002"),
        (0.0, "0"),
        (1024, "1.024"),
        (True, "true"),
        (None, "null"),
        ("0.5b", "0.5b"),
        (["q"], '["q"]'),
    ],
)
def test_a_setting_is_written_as_in_a_configuration_file_but_for_its_numbers(value: object, written: str) -> None:
    assert ID.setting(value) == written


def test_things_are_listed_with_an_or_before_the_last() -> None:
    assert [EN.one_of(list(things)) for things in ("a", "ab", "abc")] == ["a", "a or b", "a, b or c"]
    assert ID.one_of(["tips", "saran"]) == "tips atau saran"


def test_dates_and_durations_are_in_words() -> None:
    assert ID.date("2026-08-17T09:05:00+07:00") == "17 Agustus 2026, 02:05 UTC"
    assert [EN.duration(seconds) for seconds in (43, 163, 9000)] == ["43 s", "3 min", "2.5 h"]
    assert [ID.duration(seconds) for seconds in (9000, 216_000)] == ["2,5 jam", "2,5 hari"]
