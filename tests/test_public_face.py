"""`import koki` shows all there is to use, and imports nothing before it is used."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import koki
from koki import errors


def typed() -> dict[str, str]:
    """The names that a type checker or an editor sees in `koki`, each with the module that it is taken from."""
    source = ast.parse(Path(koki.__file__).read_text("utf-8"))
    (block,) = [it for it in source.body if isinstance(it, ast.If)]
    imports = [it for it in block.body if isinstance(it, ast.ImportFrom)]
    return {alias.name: str(it.module) for it in imports for alias in it.names}


def test_dir_shows_what_there_is_and_nothing_else() -> None:
    assert dir(koki) == sorted(koki.__all__)


def test_an_editor_sees_what_there_is() -> None:
    assert sorted([*typed(), "__version__"]) == sorted(koki.__all__)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(koki.__all__) - {"__version__"}))
def test_each_name_is_there_and_explained_and_is_what_an_editor_takes_it_for(name: str) -> None:
    thing = getattr(koki, name)
    assert inspect.getdoc(thing)
    assert (thing.__name__, thing.__module__) == (name, typed()[name])


def test_every_error_is_there() -> None:
    family = {name for name, it in vars(errors).items() if isinstance(it, type) and issubclass(it, errors.KokiError)}
    assert family <= set(koki.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'koki' has no attribute 'trian'"):
        koki.trian  # noqa: B018


def test_koki_alone_imports_nothing_but_python_itself() -> None:
    program = "import sys; before = set(sys.modules); import koki; print(*set(sys.modules) - before)"
    imported = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names} == {"koki"}


@pytest.mark.slow
def test_the_page_about_python_says_what_is_so_and_no_library_prints_meanwhile(tmp_path: Path) -> None:
    page = Path(__file__).parents[1] / "docs" / "python.md"
    runner = Path(__file__).with_name("doctest_of_page.py")
    run = subprocess.run([sys.executable, runner, page], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)
