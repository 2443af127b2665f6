"""Write the notebooks in examples/, in both languages, from the cells of ``notebooks.toml`` beside this script.

    python scripts/write_notebooks.py

The code of both is the same; only what stands between it is in two languages.
"""

import tomllib
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

FOLDER = Path(__file__).parents[1] / "examples"
FILES = {"en": FOLDER / "koki.ipynb", "id": FOLDER / "koki.id.ipynb"}
# What Colab asks for when it opens them, and what any Jupyter runs them with.
METADATA = {
    "accelerator": "GPU",
    "colab": {"gpuType": "T4", "provenance": []},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook(language: str) -> str:
    """The notebook in this language, as its file has it."""
    source = tomllib.loads(Path(__file__).with_name("notebooks.toml").read_text("utf-8"))
    cells = [_cell(number, cell, language) for number, cell in enumerate(source["cell"])]
    text: str = nbformat.writes(new_notebook(cells=cells, metadata=METADATA))
    return text + "\n"


def _cell(number: int, cell: dict[str, Any], language: str) -> Any:
    named = {"id": f"cell-{number}", "metadata": {"tags": cell["tags"]} if "tags" in cell else {}}
    if "code" in cell:
        return new_code_cell(cell["code"].strip(), **named)
    return new_markdown_cell(cell[language].strip(), **named)


if __name__ == "__main__":
    for language, file in FILES.items():
        file.write_text(notebook(language), "utf-8")
