"""Which module of Koki imports which, as its source says."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import koki

SOURCE = Path(koki.__file__).parent


@cache
def modules() -> dict[str, Path]:
    """Every module of Koki with its file; a package goes by its own name."""
    files = {".".join(("koki", *file.relative_to(SOURCE).with_suffix("").parts)): file for file in SOURCE.rglob("*.py")}
    return {name.removesuffix(".__init__"): file for name, file in files.items()}


@cache
def imports_of(module: str) -> frozenset[str]:
    """The modules of Koki that a module imports, at its top or within a function, but not for type checking alone."""
    return frozenset(_imported(ast.parse(modules()[module].read_text("utf-8")).body))


def closure_of(roots: Iterable[str]) -> set[str]:
    """The modules, those that they import, those that these import, and so on."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += imports_of(module)
    return found


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "koki")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "koki":
            yield from (_module_of(str(node.module), alias.name) for alias in node.names)
        yield from _imported(ast.iter_child_nodes(node))


def _module_of(package: str, name: str) -> str:
    """A name that is imported may be a module itself."""
    inner = f"{package}.{name}"
    return inner if inner in modules() and find_spec(inner) else package
