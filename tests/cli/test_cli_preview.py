"""`koki preview`."""

import json
from pathlib import Path

from commands import koki_here


def test_preview_gives_json(recipe_csv: Path) -> None:
    shown = json.loads(koki_here("preview", "--data", str(recipe_csv), "--recipe", "3", "--json").stdout)
    assert shown["title"] == "Telur Dadar"
    assert {"kind", "before", "supervised", "after", "tokens"} <= set(shown["conversations"][0])
