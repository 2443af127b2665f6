"""The figures from memory of docs/results.md from a scorecard, with 95 % intervals.

koki evaluate runs/demo --compare base --questions-per-capability 60 --seed 7
python benchmarks/readme_table.py runs/demo
"""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from koki.evaluation.capabilities import registry
from koki.runs.names import SCORECARD

_ROWS: Final = (
    ("full recipe", "right_dish"),
    ("simple question", "right_dish"),
    ("simple question", "ingredients_f1"),
    ("recommendation", "uses_offered"),
    ("recommendation", "missing_exact"),
    ("inquiry", "dishes_right"),
    ("tip", "on_topic"),
    ("tip", "reason"),
    ("refusal", "declined"),
)
_GROUPS: Final = ("recall", "typing", "understanding")


def cell(groups: dict[str, Any], group: str, capability: str, measure: str) -> str:
    """A mean with its interval."""
    found = groups.get(group, {}).get(capability, {}).get(measure)
    return f"{found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]" if found else "-"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    scorecard = json.loads((parser.parse_args().run / SCORECARD).read_text("utf-8"))
    compared = scorecard.get("compared_with", {"groups": {}})
    print(f"| | base, recall | {' | '.join(_GROUPS)} |\n|---|---|---|---|---|")
    for capability, measure in _ROWS:
        label = registry.measures()[capability][measure].label.strip()
        base = cell(compared["groups"], "recall", capability, measure)
        cells = [cell(scorecard["groups"], group, capability, measure) for group in _GROUPS]
        print(f"| {capability}: {label} | {' | '.join([base, *cells])} |")


if __name__ == "__main__":
    main()
