"""The README tells the truth about settings and commands, and says the same in both of its languages."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_command

from koki.cli.app import app
from koki.config import RunConfig, flatten, load_config, read_assignments

FOLDER = Path(__file__).parents[1]
ENGLISH, INDONESIAN = ((FOLDER / name).read_text("utf-8") for name in ("README.md", "README.id.md"))

in_each_language = pytest.mark.parametrize("text", [ENGLISH, INDONESIAN], ids=["English", "Indonesian"])

_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) .+$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_SETTING = re.compile(r"^\| `([a-z_.]+)` \| `(.+?)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
# A question of the demo with two answers, each with a note in italics on how it ended.
_QUOTED = re.compile(r"^\| ([^`|]+ \| [^|]+ \*\(.+\)\* \| [^|]+ \*\(.+\)\*) \|$", re.MULTILINE)
_NUMBER = re.compile(r"(?<!\w)\d+(?:[.,]\d+)*½?")


@in_each_language
def test_the_table_of_settings_has_every_setting_with_its_default(text: str) -> None:
    assert {name: yaml.safe_load(value) for name, value, *_ in _SETTING.findall(text)} == {
        name: yaml.safe_load(yaml.safe_dump(value)) for name, value in flatten(RunConfig()).items()
    }


def test_the_table_of_settings_says_what_the_configuration_says() -> None:
    said = {name: f"{says} [{source}]" for name, _, says, source in _SETTING.findall(ENGLISH)}
    assert said == dict(_descriptions(RunConfig))


def test_settings_come_from_the_same_places_in_both_languages() -> None:
    def sources(text: str) -> dict[str, str]:
        return {name: source.partition(":")[0] for name, _, _, source in _SETTING.findall(text)}

    assert {name: {"misi": "mission"}.get(source, source) for name, source in sources(INDONESIAN).items()} == sources(
        ENGLISH
    )


@in_each_language
def test_every_setting_the_readme_sets_exists(text: str) -> None:
    settings = re.findall(r"`(?:--set )?([a-z]+\.[a-z_]+=\w+)`", text)
    assert settings
    for setting in settings:
        load_config(settings=read_assignments([setting]))


@in_each_language
def test_every_verb_is_explained_with_all_its_options_and_no_others(text: str) -> None:
    rows = re.findall(r"^\| `koki ((?:export |book |feedback )?[a-z]+)([^`]*`.*)$", text, flags=re.MULTILINE)
    assert {verb: set(re.findall(r"--[a-z-]+", says)) for verb, says in rows} == dict(_verbs(get_command(app)))


@in_each_language
def test_every_link_to_a_file_leads_to_one(text: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        assert (FOLDER / target).is_file(), target


def test_each_language_links_to_the_other_at_the_top() -> None:
    assert ENGLISH.startswith("# Koki\n\n[Bahasa Indonesia](README.id.md)\n")
    assert INDONESIAN.startswith("# Koki\n\n[English](README.md)\n")


def test_both_languages_have_the_same_headings_in_the_same_order_over_the_same_code() -> None:
    def sections(text: str) -> list[tuple[str, list[str]]]:
        return [(level, sorted(_inline_code(body))) for level, body in _sections(text)]

    assert sections(INDONESIAN) == sections(ENGLISH)


def test_both_languages_show_the_same_command_lines() -> None:
    assert _command_lines(INDONESIAN) == _command_lines(ENGLISH)


def test_both_languages_have_the_same_rows_in_their_tables() -> None:
    def rows(text: str) -> list[tuple[int, set[str]]]:
        return [(len(row.split(" | ")), _inline_code(row)) for row in re.findall(r"^\|.*\|$", text, re.MULTILINE)]

    assert rows(INDONESIAN) == rows(ENGLISH)


def test_both_languages_give_the_same_figures() -> None:
    def figures(text: str, decimal: str) -> list[list[str]]:
        return [sorted(_figures(_prose(body), decimal)) for _, body in _sections(text)]

    assert figures(INDONESIAN, decimal=",") == figures(ENGLISH, decimal=".")


def test_both_languages_quote_the_same_questions_and_answers_of_the_demo() -> None:
    def quoted(text: str) -> list[str]:
        return [re.sub(r"\*\(.+?\)\*", "*", row) for row in _QUOTED.findall(text)]

    assert quoted(ENGLISH)
    assert quoted(INDONESIAN) == quoted(ENGLISH)


def test_figures_are_compared_as_each_language_writes_them() -> None:
    assert _figures("6.5 M, 1,000 and 3½ of Qwen2, Python 3.11", ".") == ["6.5", "1000", "3½", "3.11"]
    assert _figures("6,5 juta, 1.000 dan 3½ dari Qwen2, Python 3.11", ",") == ["6.5", "1000", "3½", "3.11"]


def _sections(text: str) -> list[tuple[str, str]]:
    """Level of the heading ("##") and what stands under it, in order."""
    _, *parts = _HEADING.split(text)
    return list(zip(parts[::2], parts[1::2], strict=True))


def _command_lines(text: str) -> list[str]:
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    return [re.sub(r"\s+# .*", "", line) for line in lines]


def _inline_code(text: str) -> set[str]:
    return {" ".join(code.split()) for code in _CODE.findall(_BLOCK.sub("", text))}


def _prose(text: str) -> str:
    """What is written in one language or the other; of code, the comments alone."""
    text = _BLOCK.sub(lambda block: "\n".join(re.findall(r" # .*", block[1])), text)
    return _CODE.sub("", _QUOTED.sub("", text))


def _figures(text: str, decimal: str) -> list[str]:
    """The numbers in a text, without separators of thousands and with a decimal point.

    A point or comma before other than three digits is decimal in both languages: versions are written alike.
    """
    thousands = r",(?=\d{3}(?!\d))" if decimal == "." else r"\.(?=\d{3}(?!\d))"
    return [re.sub(thousands, "", number).replace(",", ".") for number in _NUMBER.findall(text)]


def _verbs(command: Any, before: str = "") -> Iterator[tuple[str, set[str]]]:
    """Each verb of a group of commands, as it is typed, with its options."""
    for name, verb in command.commands.items():
        if verb.hidden:
            continue
        if hasattr(verb, "commands"):
            yield from _verbs(verb, f"{name} ")
        else:
            options = (option for it in verb.params for option in (*it.opts, *it.secondary_opts))
            yield before + name, {option for option in options if option.startswith("--")}


def _descriptions(section: type[BaseModel], before: str = "") -> Iterator[tuple[str, str | None]]:
    """Each setting with its comment in ``koki config``."""
    for name, field in section.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from _descriptions(type(field.default), f"{name}.")
        else:
            yield before + name, field.description
