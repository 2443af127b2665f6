"""The READMEs and the pages of docs/ tell the truth: settings, commands, links, figures; and are plain to read."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from verbs import VERBS

from koki.config import RunConfig, flatten, load_config, read_assignments

FOLDER = Path(__file__).parents[1]
READMES = ("README.md", "README.id.md")
PAGES = {
    str(file.relative_to(FOLDER)): file.read_text("utf-8")
    for file in sorted([*FOLDER.glob("*.md"), *FOLDER.glob("docs/*.md")])
}
ENGLISH, INDONESIAN = (PAGES[name] for name in READMES)
SETTINGS, COMMANDS, RESULTS = (PAGES[f"docs/{name}.md"] for name in ("settings", "commands", "results"))


each_page = pytest.mark.parametrize("name", PAGES)
each_readme = pytest.mark.parametrize("text", [ENGLISH, INDONESIAN], ids=["English", "Indonesian"])

_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")
_SETTING = re.compile(r"^\| `([a-z_.]+)` \| `(.+?)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
_NUMBER = re.compile(r"(?<!\w)\d+(?:[.,]\d+)*½?")
_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)

_MOST_LINES = 150
_LONGEST_SENTENCE, _MEAN_SENTENCE = 25, 14  # words


def test_the_table_of_settings_has_every_setting_with_its_default() -> None:
    assert {name: yaml.safe_load(value) for name, value, *_ in _SETTING.findall(SETTINGS)} == {
        name: yaml.safe_load(yaml.safe_dump(value)) for name, value in flatten(RunConfig()).items()
    }


def test_the_table_of_settings_says_what_the_configuration_says() -> None:
    said = {name: f"{says} [{source}]" for name, _, says, source in _SETTING.findall(SETTINGS)}
    assert said == dict(_descriptions(RunConfig))


@each_page
def test_every_setting_that_a_page_sets_exists(name: str) -> None:
    for setting in re.findall(r"(?:--set |`)([a-z]+\.[a-z_]+=[\w.-]+)", PAGES[name]):
        load_config(settings=read_assignments([setting]))


def test_every_verb_is_explained_with_all_its_options_and_no_others() -> None:
    rows = re.findall(r"^\| `koki ((?:export |book |data |feedback )?[a-z]+)([^`]*`.*)$", COMMANDS, flags=re.MULTILINE)
    assert {verb: set(re.findall(r"--[a-z-]+", says)) for verb, says in rows} == {
        verb: _options(command) for verb, command in VERBS.items()
    }


@each_page
def test_every_command_line_that_a_page_shows_can_be_typed(name: str) -> None:
    for verb, arguments in _calls(*_command_lines(PAGES[name])):
        VERBS[verb].make_context(verb, shlex.split(arguments))


@each_page
def test_every_command_that_a_page_names_has_the_options_that_it_names(name: str) -> None:
    for verb, arguments in _calls(*_inline_code(PAGES[name])):
        everywhere = {"--help", "--debug", "--language"}
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", arguments)) <= {*_options(VERBS[verb]), *everywhere}, verb


@each_page
def test_every_link_leads_to_a_file_and_a_heading_in_it(name: str) -> None:
    for path, heading in _LINK.findall(PAGES[name]):
        target = (FOLDER / name).parent / path if path else FOLDER / name
        assert target.is_file(), path
        if heading:
            assert heading[1:] in map(_anchor, _headings(target.read_text("utf-8"))), heading


@each_page
def test_every_picture_is_there_and_said_in_words(name: str) -> None:
    for source, words in re.findall(r'<img src="([^"]+)"[^>]*?alt="([^"]*)"', PAGES[name]):
        assert ((FOLDER / name).parent / source).is_file(), source
        assert words


def test_every_page_is_reached_from_the_readme() -> None:
    pages = {name for name in PAGES if name.startswith("docs/")}
    assert pages <= {path for path, _ in _LINK.findall(ENGLISH)}


@pytest.mark.slow
def test_the_pages_become_a_site_that_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "docs", tmp_path / "docs")
    shutil.copy(FOLDER / "zensical.toml", tmp_path)
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = [file.read_text("utf-8") for file in (tmp_path / "build" / "site").glob("*.html")]
    assert len(pages) > len(list(FOLDER.glob("docs/*.md")))  # one more says what is not found
    assert [
        it for page in pages for it in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)', page)
    ] == []


@each_readme
def test_a_readme_is_short_and_plain(text: str) -> None:
    lengths = [len(sentence.split()) for sentence in _sentences(text)]
    assert text.count("\n") <= _MOST_LINES
    assert [it for it in _sentences(text) if len(it.split()) > _LONGEST_SENTENCE] == []
    assert sum(lengths) / len(lengths) <= _MEAN_SENTENCE


def test_the_figures_of_the_readme_are_the_measured_ones() -> None:
    tables = [{row[0]: row[1:] for row in _cells(table)} for table in _tables(RESULTS)]
    mini, real = (next(it for it in tables if header in it.values()) for header in (_OF_MINI, _OF_REAL))
    said = [row for table in _tables(ENGLISH) for row in _cells(table) if row[0].strip("-") and row[0] in real]
    assert len(said) > 3
    for row, ours, added, larger in said:
        assert [ours, added] == [_mean(mini[row][_OF_MINI.index(it)]) for it in ("*understanding*", "*added*")]
        assert larger == _mean(real[row][0])


def test_each_language_links_to_the_other_at_the_top() -> None:
    assert ENGLISH.startswith("# Koki\n\n[Bahasa Indonesia](README.id.md)\n")
    assert INDONESIAN.startswith("# Koki\n\n[English](README.md)\n")


def test_both_languages_have_the_same_headings_in_the_same_order_over_the_same_code() -> None:
    def sections(text: str) -> list[tuple[str, list[str]]]:
        return [(level, sorted(_inline_code(body))) for level, body in _sections(text)]

    assert sections(INDONESIAN) == sections(ENGLISH)


def test_both_languages_show_the_same_command_lines() -> None:
    assert _command_lines(INDONESIAN) == _command_lines(ENGLISH)


def test_both_languages_have_the_same_rows_in_their_tables_and_link_to_the_same_pages() -> None:
    def rows(text: str) -> list[tuple[int, set[str]]]:
        return [(len(row.split(" | ")), _inline_code(row)) for row in _ROW.findall(text)]

    assert rows(INDONESIAN) == rows(ENGLISH)
    assert [path for path, _ in _LINK.findall(INDONESIAN)][1:] == [path for path, _ in _LINK.findall(ENGLISH)][1:]


def test_both_languages_give_the_same_figures() -> None:
    def figures(text: str, decimal: str) -> list[list[str]]:
        return [sorted(_figures(_prose(body), decimal)) for _, body in _sections(text)]

    assert figures(INDONESIAN, decimal=",") == figures(ENGLISH, decimal=".")


def test_figures_are_compared_as_each_language_writes_them() -> None:
    assert _figures("6.5 M, 1,000 and 3½ of Qwen2, Python 3.11", ".") == ["6.5", "1000", "3½", "3.11"]
    assert _figures("6,5 juta, 1.000 dan 3½ dari Qwen2, Python 3.11", ",") == ["6.5", "1000", "3½", "3.11"]


_OF_MINI = ["*understanding*, from memory", "*recall*", "*typing*", "*understanding*", "*added*"]
_OF_REAL = ["with its book open", "the base, never trained, with the same book", "from memory"]


def _sections(text: str) -> list[tuple[str, str]]:
    """Level of the heading ("##") and what stands under it, in order."""
    _, *parts = _HEADING.split(_BLOCK.sub(lambda block: block[0].replace("#", "\0"), text))
    bodies = (body.replace("\0", "#") for body in parts[2::3])
    return list(zip(parts[::3], bodies, strict=True))


def _headings(text: str) -> list[str]:
    return [heading for _, heading in _HEADING.findall(_BLOCK.sub("", text))]


def _anchor(heading: str) -> str:
    """The name of a heading in a link, as forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _command_lines(text: str) -> list[str]:
    lines = [line for block in _BLOCK.findall(text) for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    return [re.sub(r"\s+# .*", "", line) for line in lines]


def _calls(*lines: str) -> Iterator[tuple[str, str]]:
    """Each call of one of Koki's verbs, in a line alone or beside other commands: the verb, and what follows it."""
    for line in lines:
        for part in re.split(r" (?:\||&&|>) | &$", line):
            words = re.sub(r"^.*?\bkoki ", "", part) if re.match(r"(\$ )?(\S+=\S+ )*(.* -m )?koki [a-z]", part) else ""
            for verb in (it for it in VERBS if words and f"{words} ".startswith(f"{it} ")):
                yield verb, words[len(verb) :]


def _options(verb: Any) -> set[str]:
    return {option for it in verb.params for option in (*it.opts, *it.secondary_opts) if option.startswith("--")}


def _inline_code(text: str) -> set[str]:
    return {" ".join(code.split()) for code in _CODE.findall(_BLOCK.sub("", text))}


def _prose(text: str) -> str:
    """What is written in one language or the other; of code, the comments alone."""
    text = _BLOCK.sub(lambda block: "\n".join(re.findall(r" # .*", block[1])), text)
    return _CODE.sub("", _LINK.sub("]", text))


def _sentences(text: str) -> list[str]:
    """Each sentence outside tables and code; `code` and a [link](target) are what is read of them."""
    for pattern in (_BLOCK, _HEADING, _ROW, re.compile(r"<[^>]+>"), re.compile(r"^\[.*·(?:\n.*)*?\n$", re.MULTILINE)):
        text = pattern.sub("\n\n", text)
    text = _LINK.sub("]", text).replace("`", "").replace("*", "")
    parts = [
        part
        for paragraph in re.split(r"\n\s*\n|\n- ", text)
        for part in re.split(r"(?<=[.?!])\s+(?=[^a-z])", paragraph)
    ]
    return [" ".join(part.split()) for part in parts if len(part.split()) > 1]


def _figures(text: str, decimal: str) -> list[str]:
    """The numbers in a text, without separators of thousands and with a decimal point.

    A point or comma before other than three digits is decimal in both languages: versions are written alike.
    """
    thousands = r",(?=\d{3}(?!\d))" if decimal == "." else r"\.(?=\d{3}(?!\d))"
    return [re.sub(thousands, "", number).replace(",", ".") for number in _NUMBER.findall(text)]


def _tables(text: str) -> list[str]:
    return re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)


def _cells(table: str) -> list[list[str]]:
    return [re.split(r"\s*\|\s*", row)[1:-1] for row in table.splitlines()]


def _mean(cell: str) -> str:
    return cell.split(" [")[0]


def _descriptions(section: type[BaseModel], before: str = "") -> Iterator[tuple[str, str | None]]:
    """Each setting with its comment in ``koki config``."""
    for name, field in section.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from _descriptions(type(field.default), f"{name}.")
        else:
            yield before + name, field.description
