"""Koki as it is installed from a wheel, and what is said of how to install it."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from koki import extras

if TYPE_CHECKING:
    from koki.pipeline import TrainResult

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# Koki by its bare name, which an index would answer with a package of somebody else's.
FROM_AN_INDEX = re.compile(r"pip install [^\n`]*(?<![\w./@:-])koki(?![\w/.-])(?!(?:\[[\w,]*\])? @ )")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a network, and without leaving anything in the source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(folder)], check=True)
    (built,) = folder.glob("koki-*.whl")
    return built


@pytest.fixture
def program(wheel: Path, tmp_path: Path) -> Path:
    """The command of an environment that has nothing but the wheel; its dependencies are lent from this one."""
    folder = tmp_path / "env"
    builder = venv.EnvBuilder()
    builder.create(folder)
    context: SimpleNamespace = builder.ensure_directories(folder)
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        context.env_exe,
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
    ]
    subprocess.run([*install, str(wheel)], check=True)
    places = {"base": str(folder), "platbase": str(folder)}
    lent = Path(sysconfig.get_path("purelib", "venv", places), "lent.pth")
    lent.write_text(f"{sysconfig.get_path('purelib')}\n", "utf-8")
    return Path(context.bin_path, "koki")


@pytest.mark.slow
def test_a_wheel_has_every_file_of_the_source(wheel: Path) -> None:
    source = ROOT / "src"
    files = (file for file in (source / "koki").rglob("*") if file.is_file() and file.suffix != ".pyc")
    there = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("koki-")}
    assert there == {file.relative_to(source).as_posix() for file in files}


@pytest.mark.slow
def test_what_a_wheel_installs_answers_from_another_folder(
    program: Path, finished_run: "TrainResult", tmp_path: Path
) -> None:
    run = shutil.copytree(finished_run.folder, tmp_path / "jauh" / "warung")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def says(*command: str | Path) -> str:
        return subprocess.check_output(command, cwd=run.parent, env=environment, text=True, encoding="utf-8")

    installed = says(program.with_name(Path(sys.executable).name), "-c", "import koki; print(koki.__file__)")
    assert installed.startswith(str(tmp_path))
    assert "soto" in says(program, "ask", "warung", "Resep soto ayam dong!").lower()


def test_the_packages_of_an_extra_are_those_that_the_project_declares() -> None:
    for extra in ("parquet", "quantization", "serve"):
        declared = [re.split(r"[<>=;\[ ]", package)[0] for package in PROJECT["optional-dependencies"][extra]]
        assert extras.how_to_install(extra) == f"pip install {' '.join(declared)}"


def test_nobody_is_told_to_install_a_koki_that_is_on_no_index() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Dockerfile", ROOT / "Makefile"]
    pages += [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.toml"), *(ROOT / "src").rglob("*.jinja")]
    pages += [*(ROOT / "examples").rglob("*.ipynb")]
    told = {str(page): found for page in pages if (found := FROM_AN_INDEX.findall(page.read_text("utf-8")))}
    assert told == {}


@pytest.mark.parametrize("line", ["pip install koki", "pip install 'koki[serve]'", "python -m pip install -U koki"])
def test_a_line_that_would_fetch_a_strangers_package_is_found(line: str) -> None:
    assert FROM_AN_INDEX.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "pip install .",
        "pip install '.[serve]'",
        'pip install "koki[serve] @ git+https://example.org/dapur/koki"',
        "pip install git+https://example.org/dapur/koki",
        "pip install /tmp/koki-0.1.0-py3-none-any.whl",
        "pip install ./koki",
    ],
)
def test_a_line_that_says_where_koki_comes_from_is_not(line: str) -> None:
    assert not FROM_AN_INDEX.search(line)
