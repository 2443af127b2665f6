"""The map in docs/design.md is true: its rooms are the folders, and imports point up it, never down."""

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from import_graph import SOURCE, imports_of, modules

MAP = Path(__file__).parents[1] / "docs" / "design.md"

# A line of the tree: "  recipes/   any file -> ...", "  config.py   ground floor: ...".
_ROOM = re.compile(r"^  (\w+(?:/|\.py)) +(ground floor: )?\S", re.MULTILINE)


def rooms() -> dict[str, int]:
    """Each room with its floor: those of the ground floor have 0, the others follow in the order of the map."""
    tree = MAP.read_text("utf-8").split("```")[1]
    found = _ROOM.findall(tree)
    upper = [name for name, ground in found if not ground]
    floors = {name: 0 if ground else 1 + upper.index(name) for name, ground in found}
    return {name.removesuffix("/").removesuffix(".py"): floor for name, floor in floors.items()}


def room_of(module: str) -> str:
    """``koki.recipes.table`` is in recipes; the package itself, its public face, is in no room."""
    return [*module.split("."), ""][1]


def test_the_map_lists_every_folder_and_module_and_no_others() -> None:
    found = {path.stem for path in SOURCE.iterdir() if (path / "__init__.py").is_file() or path.suffix == ".py"}
    assert set(rooms()) == found - {"__init__"}


def test_the_ground_floor_is_the_first_part_of_the_map() -> None:
    floors = list(rooms().values())
    assert all(before <= after for before, after in pairwise(floors))


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_imports_from_its_own_room_and_those_above_it_on_the_map(module: str) -> None:
    if module == "koki":  # the public face reaches for what is asked of it
        return
    floors = rooms()
    for imported in imports_of(module) - {"koki"}:
        assert floors[room_of(imported)] <= floors[room_of(module)], f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_name_is_imported_from_the_module_that_defines_it(module: str) -> None:
    for node in ast.walk(ast.parse(modules()[module].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module in modules():
            for alias in node.names:
                is_module = f"{node.module}.{alias.name}" in modules()
                assert is_module or alias.name in _defined_in(node.module), f"{module}: {node.module}.{alias.name}"


@cache
@pytest.mark.parametrize("package", sorted(path.parent for path in SOURCE.rglob("__init__.py")), ids=lambda it: it.name)
def test_the_docstring_of_a_package_has_a_line_for_each_of_its_modules(package: Path) -> None:
    if package == SOURCE:  # the map has those
        return
    listed = re.findall(r"^ *(\w+)\.py ", (package / "__init__.py").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(file.stem for file in package.glob("*.py") if file.stem != "__init__")


def _defined_in(module: str) -> set[str]:
    """The names that a module defines at its top, imported ones left out."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(modules()[module].read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names
