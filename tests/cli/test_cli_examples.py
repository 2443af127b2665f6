"""The examples at the end of each verb's help: they are there, whole, and true."""

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner
from verbs import VERBS

from koki.cli.app import app

# Parameter, where need be with its verb -> how a file or folder is named that it reads or writes; - is standard input.
NAMES = {
    "run": "runs/*",
    "runs": "runs/*",
    "data": "*.csv",
    "added": "*.csv",
    "files": "*.csv",
    "file": "*.txt",
    "config": "*.yaml",
    "questions": "*.tsv",
    "train output": "runs/*",
    "demo output": "runs/*",
    "check output": "*.csv",
    "data build output": "bagian",
    "feedback export recipes": "*.jsonl",
    "export gguf output": "warung*",
    "export merged output": "warung*",
    "export conversations output": "*.jsonl",
}
# Verb -> how a file is named that is redirected to its input or from its output.
REDIRECTED = {"ask <": "*.txt", "config >": "*.yaml"}


EXAMPLES = {name: re.findall(r"`(.+?)`", verb.epilog or "") for name, verb in VERBS.items()}

of_each_verb = pytest.mark.parametrize("verb", VERBS)
each_example = pytest.mark.parametrize(
    ("verb", "example"), [(verb, example) for verb, examples in EXAMPLES.items() for example in examples]
)


def parts(example: str) -> list[list[str]]:
    """The words of a line of shell, parted where a pipe or redirection stands: that sign begins the next part."""
    words = shlex.shlex(example, posix=True, punctuation_chars="|<>")
    words.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in words:
        found += [[]] if word in "|<>" else []
        found[-1].append(word)
    return found


def arguments_of(verb: str, example: str) -> list[str]:
    """What follows the verb in the part of an example that runs it."""
    (words,) = (part[part.index("koki") + 1 :] for part in parts(example) if "koki" in part)
    assert words[: len(verb.split())] == verb.split()
    return words[len(verb.split()) :]


@of_each_verb
def test_each_verb_has_one_to_three_examples(verb: str) -> None:
    assert 1 <= len(EXAMPLES[verb]) <= 3


@of_each_verb
def test_the_help_of_each_verb_ends_with_its_examples_a_line_each_in_80_columns(verb: str) -> None:
    shown = CliRunner().invoke(app, [*verb.split(), "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    heading, *examples = [line.strip(" •") for line in shown.output.rpartition("╯")[2].splitlines() if line.strip(" •")]
    assert heading == "Examples"
    assert examples == EXAMPLES[verb]


@each_example
def test_each_example_has_only_arguments_and_options_that_its_verb_takes(verb: str, example: str) -> None:
    VERBS[verb].make_context(verb, arguments_of(verb, example))


@each_example
def test_each_example_names_files_and_folders_after_what_is_in_them(verb: str, example: str) -> None:
    given = VERBS[verb].make_context(verb, arguments_of(verb, example)).params
    for parameter, value in given.items():
        named = NAMES.get(parameter, NAMES.get(f"{verb} {parameter}"))
        for one in value if isinstance(value, list | tuple) else [value]:
            assert named or not isinstance(one, Path), parameter
            assert named is None or one in (None, "-") or fnmatch(str(one), named), one
    for part in parts(example):
        if part[0] in "<>":
            assert fnmatch(part[1], REDIRECTED[f"{verb} {part[0]}"])


def test_an_example_is_parted_as_a_shell_does_it() -> None:
    assert parts("echo 'a | b' | koki parse - > 'x y'") == [
        ["echo", "a | b"],
        ["|", "koki", "parse", "-"],
        [">", "x y"],
    ]
