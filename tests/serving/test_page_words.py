"""The words and files of the page, without a browser."""

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from scripted_server import PAGE

from koki.dialogue.phrasebook import load_phrasebook

WORDS: dict[str, Any] = json.loads((PAGE / "words.json").read_text("utf-8"))
SCRIPTS = sorted(PAGE.glob("*.js"))
SAID = re.compile(r"""\bsay(Count)?\((?:[^()"'`]*\? )?"([\w.]+)"(?: : "([\w.]+)")?""")
IN_MARKUP = re.compile(r'data-(?:say|label|placeholder)="([\w.]+)"')


def slots(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))


def test_both_languages_say_the_same_with_the_same_slots() -> None:
    indonesian, english = WORDS["languages"]["id"], WORDS["languages"]["en"]
    assert list(indonesian) == list(english)
    assert {key: slots(text) for key, text in indonesian.items()} == {key: slots(text) for key, text in english.items()}


def test_indonesian_comes_first_and_so_is_the_default() -> None:
    assert next(iter(WORDS["languages"])) == "id"


def test_all_that_is_said_has_words() -> None:
    said = set(IN_MARKUP.findall((PAGE / "index.html").read_text("utf-8")))
    for script in SCRIPTS:
        for is_counted, *keys in SAID.findall(script.read_text("utf-8")):
            said |= {
                f"{key}{end}" for key in filter(None, keys) for end in ((".one", ".many") if is_counted else ("",))
            }
    assert len(said) > 80
    assert said <= set(WORDS["languages"]["id"])


def test_an_answer_is_read_by_the_words_by_which_koki_reads_it() -> None:
    said = tomllib.loads(files("koki.answers").joinpath("said.toml").read_text("utf-8"))
    assert WORDS["reading"]["headings"] == said["headings"]


@pytest.mark.parametrize("names", [["tempe"], ["tempe", "ayam"], ["tempe", "ayam", "serai"]])
def test_names_are_joined_as_the_chef_is_asked(names: list[str]) -> None:
    joining = WORDS["reading"]["joining"]
    joined = joining["two"].join(names) if len(names) < 3 else ", ".join(names[:-1]) + joining["several"] + names[-1]
    assert joined == load_phrasebook().joining.join(names)


def test_the_chef_is_asked_in_forms_that_it_was_trained_on() -> None:
    questions, book = WORDS["reading"]["questions"], load_phrasebook()
    assert questions["recipe"] in [form.question for form in book.simple if not form.held_out]
    assert questions["several"] in [form.question for form in book.recommendation if not form.held_out]
    one = questions["one"].replace("{ingredients}", "{ingredient}")
    assert one in [form.question for form in book.inquiry if not form.held_out]


def test_what_is_kept_for_when_the_server_is_gone_is_the_whole_page() -> None:
    kept = set(re.findall(r'"([\w-]+\.\w+)"', (PAGE / "sw.js").read_text("utf-8")))
    assert kept | {"index.html", "sw.js"} == {path.name for path in PAGE.iterdir()}


@pytest.mark.parametrize(
    "path", [path for path in sorted(PAGE.iterdir()) if path.suffix != ".png"], ids=lambda it: it.name
)
def test_a_file_names_no_other_place(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "//" not in re.sub(r"(^|\s)//.*", "", text).replace("(?:", "")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda it: it.name)
def test_no_text_ever_becomes_markup(path: Path) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", path.read_text("utf-8")
    )


def test_the_page_lists_its_modules() -> None:
    listed = re.findall(r"^// ([\w-]+\.js)", (PAGE / "app.js").read_text("utf-8"), re.MULTILINE)
    assert listed == sorted(path.name for path in SCRIPTS if path.name != "app.js")
