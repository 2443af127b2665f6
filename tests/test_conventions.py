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


@pytest.mark.parametrize("module", sorted(modules()))
def test_what_translates_is_not_hidden_where_it_is_called(module: str) -> None:
    """``_`` may be a value that nobody wants, but not in a function that calls it."""
    for function in ast.walk(ast.parse(modules()[module].read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = list(_within(function))
            calls = any(isinstance(it, ast.Call) and ast.unparse(it.func) == "_" for it in inside)
            assert not (calls and any(map(_binds, inside))), f"{module}, line {function.lineno}"


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """All below a node, without what has names of its own."""
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.comprehension):
            yield inner
            yield from _within(inner)


def _binds(node: ast.AST) -> bool:
    """Whether it makes a local name of ``_``."""
    named = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else getattr(node, "arg", None)
    return named == "_"
