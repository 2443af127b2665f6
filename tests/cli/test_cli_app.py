"""The command itself: its help, and what it imports."""

import re
import subprocess
import sys

import pytest
from commands import koki


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, koki.cli.app;"
        "print([m for m in ('torch', 'transformers', 'numpy', 'pydantic') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("config",)], ids=" ".join)
def test_help_and_config_import_neither_torch_nor_transformers(arguments: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "koki", *arguments], capture_output=True, text=True, check=True
    )
    imported = set(re.findall(r"^import time: .*\| +(\S+)$", run.stderr, re.MULTILINE))
    assert "koki.cli.app" in imported
    assert not {"torch", "transformers"} & imported


def test_help_names_every_verb() -> None:
    text = koki("--help").stdout
    for verb in ("train", "ask", "chat", "evaluate", "check", "preview", "parse", "config", "demo"):
        assert f" {verb} " in text


def test_help_has_the_verbs_in_the_order_of_their_use() -> None:
    verbs = re.findall(r"^. ([a-z]+) ", koki("--help").stdout.partition(" Commands ")[2], re.MULTILINE)
    assert verbs == [
        *("train", "plan", "ask", "chat", "serve", "evaluate", "report", "push"),
        *("check", "preview", "parse", "config", "demo", "book", "feedback", "export", "data"),
    ]
