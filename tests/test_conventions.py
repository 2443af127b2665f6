"""Constants are written in one way."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from import_graph import modules

ROOT = Path(__file__).parents[1]
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")


def constants(file: Path) -> Iterator[tuple[str, str]]:
    """Each constant at the top of a module, with its annotation."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and CONSTANT.fullmatch(ast.unparse(node.target)):
            yield ast.unparse(node.target), ast.unparse(node.annotation)
        elif isinstance(node, ast.Assign):
            names = (
                name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            )
            yield from ((name, "") for name in names if CONSTANT.fullmatch(name))


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_constant_is_final(module: str) -> None:
    assert not [name for name, annotation in constants(modules()[module]) if not annotation.startswith("Final")]


def test_a_constant_without_an_underscore_is_used_by_another_module() -> None:
    folders = (ROOT / name for name in ("src", "tests", "benchmarks", "scripts"))
    texts = {file: file.read_text("utf-8") for folder in folders for file in folder.rglob("*.py")}
    words = {file: set(re.findall(r"\w+", text)) for file, text in texts.items()}
    for module, file in modules().items():
        for name, _ in constants(file):
            is_used = any(name in found for other, found in words.items() if other != file)
            assert is_used or name.startswith("_"), f"{module}: {name}"
