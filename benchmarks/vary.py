"""As many recipes as wanted, made from real ones: what a large collection would be like.

    python benchmarks/vary.py --rows 1000000 --seed 1 --output build/million.csv recipes/*.csv

A row mixes the ingredient lines of three recipes that share a file or a category, with other quantities. Its steps come
from as many recipes of these as it has steps, in other words and with a slip of the finger now and then. Titles get a
person, a region, a way, an ingredient or nothing. Some rows repeat an earlier one, word for word or nearly, and a few
are damaged. A row is a function of the files, the seed and its number: the first 10,000 of a million are the 10,000.
A million take two minutes and 100 MB of memory.

What `koki check` finds, and what its comparison of texts and a tokenizer would see:

                                              real  10,000 varied  100,000 varied
    rows                                    11,751         10,000         100,000
    kept                                    95.1 %         95.1 %          95.1 %
    exact duplicates                        4.35 %         4.32 %          4.25 %
    near-duplicates                         0.20 %         0.21 %          0.21 %
    pairs compared, of 10,000                 0.99           1.10            0.46
    ingredients, steps, characters  11.4, 5.4, 712 11.4, 5.3, 737  11.4, 5.4, 737
    titles that another recipe has            28 %           28 %            56 %
    distinct words                          16,042         17,766          50,066
    distinct ingredient lines                 36 %           41 %            18 %
    distinct steps                            96 %           97 %            92 %

Of a passage that more than fifty recipes share neighbours alone are compared, so their share falls.

Without files the recipes that ship are varied: 128, too few to make a large collection that behaves like a real one.
"""

import argparse
import csv
import hashlib
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from koki.data.recipes import shipped_recipes

HEADER: Final = ("Title", "Ingredients", "Steps", "Loves")

Row = tuple[str, str, str, str]

# Shares of rows. Of 11,751 real ones 36 are damaged, 511 repeat an earlier one and 24 do so nearly.
_DAMAGED: Final = 36 / 11_751
_REPEATED: Final = 511 / 11_751
_NEARLY_REPEATED: Final = 24 / 11_751

_PLAIN_TITLES: Final = 0.54
_SLIPS: Final = 0.1  # of steps that have one
_BRANDS: Final = 0.02  # of ingredient lines that name one
_NOTES: Final = 0.1  # of ingredient lines that have one more
_CHANGES: Final = 0.12  # of words that are left out, or followed by one more

_SEPARATOR: Final = "--"
_MISSING: Final = "nan"
_WHOLE_NUMBER: Final = re.compile(r"(?<![\d/.,])[1-9]\d{0,3}(?![\d/.,])")

_WORDS: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_ALIKE: Final = {word: line for line in _WORDS["alike"] for word in line}


class _Recipe(NamedTuple):
    """A real recipe that rows are made from, and the group it belongs to."""

    title: str
    lines: list[str]
    steps: list[str]
    loves: str
    group: str


class _Group(NamedTuple):
    """Recipes of a main ingredient, and the steps of all of them, first steps first, last steps last."""

    recipes: list[_Recipe]
    steps: list[str]


class Collection:
    """Rows without end.

    Args:
        files: CSV files of recipes with the columns of ``HEADER`` (``Loves`` may be missing) and perhaps ``Category``.
        seed: another one gives other rows.
    """

    def __init__(self, files: Sequence[Path], seed: int) -> None:
        self._seed = seed
        self._recipes = [recipe for file in files for recipe in _read(file)]
        groups: dict[str, list[_Recipe]] = defaultdict(list)
        for recipe in self._recipes:
            groups[recipe.group].append(recipe)
        self._groups = {name: _Group(recipes, _by_place(recipes)) for name, recipes in groups.items()}

    def rows(self, count: int) -> Iterator[Row]:
        """The first rows."""
        return map(self.row, range(count))

    def row(self, number: int) -> Row:
        """The row of this number, counted from 0."""
        chance = Random(f"{self._seed}:{number}")
        kind = chance.random()
        if kind < _DAMAGED:
            title = "[Notitle]" if chance.random() < 0.9 else chance.choice(self._recipes).title
            return title, _MISSING, _MISSING, "0"
        if number and kind < _DAMAGED + _REPEATED:
            return self.row(chance.randrange(number))
        if number and kind < _DAMAGED + _REPEATED + _NEARLY_REPEATED:
            return _nearly(self.row(chance.randrange(number)), chance)
        return self._fresh(chance)

    def _fresh(self, chance: Random) -> Row:
        first = chance.choice(self._recipes)
        group = self._groups[first.group]
        lines = _mixed([first, *chance.choices(group.recipes, k=2)], chance)
        share = len(group.steps) / len(first.steps)
        steps = [
            _reworded(group.steps[int((place + chance.random()) * share)], chance) for place in range(len(first.steps))
        ]
        return _title(first.title, chance), _SEPARATOR.join(lines), _SEPARATOR.join(steps), first.loves


def _read(file: Path) -> Iterator[_Recipe]:
    """The recipes of a file that are whole."""
    with file.open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            lines, steps = ([item for item in row[name].split(_SEPARATOR) if item.strip()] for name in HEADER[1:3])
            if len(lines) > 1 and steps != [_MISSING]:
                yield _Recipe(row["Title"], lines, steps, row.get("Loves") or "", f"{file}:{row.get('Category')}")


def _by_place(recipes: Sequence[_Recipe]) -> list[str]:
    placed = [(place / len(recipe.steps), step) for recipe in recipes for place, step in enumerate(recipe.steps, 1)]
    return [step for _, step in sorted(placed)]


def _mixed(recipes: Sequence[_Recipe], chance: Random) -> list[str]:
    """As many ingredient lines as the first has, half of them its own; none twice, whatever its quantity."""
    first, *others = recipes
    further = [line for other in others for line in other.lines]
    chance.shuffle(further)
    lines: dict[str, str] = {}
    for line in (*(line for line in first.lines if chance.random() < 0.5), *further):
        if len(lines) == len(first.lines):
            break
        lines.setdefault(_without_figures(line), line)
    return [_altered(line, chance) for line in lines.values()]


def _without_figures(line: str) -> str:
    return "".join(filter(str.isalpha, line.lower()))


def _altered(line: str, chance: Random) -> str:
    """The line with other quantities, and perhaps a brand or a note."""
    line = _WHOLE_NUMBER.sub(lambda found: _another(int(found[0]), chance), line)
    more = chance.random()
    if more < _BRANDS:
        return f"{line} merk {_name(chance)}"
    return f"{line} ({chance.choice(_WORDS['notes'])})" if more < _BRANDS + _NOTES else line


def _another(quantity: int, chance: Random) -> str:
    """A quantity that a cook might take instead."""
    if quantity < 20:
        return str(max(1, quantity + chance.choice((-1, 0, 0, 1, 2))))
    return str(round(quantity * chance.choice((0.5, 1, 1, 1.5, 2))))


def _reworded(step: str, chance: Random) -> str:
    """The step in other words, and perhaps with a slip in one of them."""
    words = []
    for word in step.split(" "):
        alike, change = _ALIKE.get(word.lower()), chance.random()
        if change > _CHANGES / 2:
            words.append(chance.choice(alike) if alike else word)
        if change > 1 - _CHANGES / 2:
            words.append(chance.choice(_WORDS["fillers"]))
    words = words or [step]
    if chance.random() < _SLIPS:
        place = chance.randrange(len(words))
        words[place] = _with_a_slip(words[place], chance)
    return " ".join(words)


def _with_a_slip(word: str, chance: Random) -> str:
    """A letter left out, doubled, or changed places with the next one."""
    at = chance.randrange(len(word)) if word else 0
    head, here, tail = word[:at], word[at : at + 1], word[at + 1 :]
    return head + chance.choice((tail, here + here + tail, tail[:1] + here + tail[1:]))


def _title(title: str, chance: Random) -> str:
    """The title, or its first words with whose dish it is, where it comes from, what is in it or how it is made."""
    if chance.random() < _PLAIN_TITLES:
        return title
    person = f"{chance.choice(_WORDS['persons'])} {_name(chance)}"
    ends = (
        person,
        f"ala {person}",
        f"Khas {chance.choice(_WORDS['regions'])}",
        chance.choice(_WORDS["ingredients"]),
        chance.choice(_WORDS["ways"]),
    )
    return f"{' '.join(title.split()[:4])} {chance.choice(ends)}"


def _name(chance: Random) -> str:
    return "".join(chance.choices(_WORDS["syllables"], k=chance.choice((2, 3, 4)))).capitalize()


def _nearly(row: Row, chance: Random) -> Row:
    """The row as somebody else might post it: a word or two changed, a remark more."""
    title, lines, steps, loves = row
    words = steps.split(" ")
    words[chance.randrange(len(words))] = "lalu"
    return title, lines, f"{' '.join(words)}{_SEPARATOR}{chance.choice(_WORDS['endings'])}", loves


def write(file: Path, files: Sequence[Path], rows: int, seed: int) -> None:
    """Write a CSV file of varied rows."""
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(HEADER)
        writer.writerows(Collection(files, seed).rows(rows))


def kept(folder: Path, files: Sequence[Path], rows: int, seed: int) -> Path:
    """The CSV file of these varied rows in a folder; written unless it is there."""
    sources = (*files, Path(__file__), Path(__file__).with_suffix(".toml"))
    made_of = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in sources)).hexdigest()
    file = folder / f"varied-{made_of[:8]}-{seed}-{rows}.csv"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(".writing")
        write(half, files, rows, seed)
        half.rename(file)
    return file


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=[shipped_recipes()], help="CSV files of recipes")
    parser.add_argument("--rows", type=int, required=True, help="how many to make")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="the CSV file to write")
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write(options.output, options.files, options.rows, options.seed)


if __name__ == "__main__":
    main()
