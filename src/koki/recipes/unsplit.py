"""Fields of a file in which the items were not told apart, and what may separate them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from koki.ingredients.parse import Ingredient
from koki.recipes.findings import Oddity

# Characters of a step that may be several.
_LONG: Final = 200
# Signs of a separator; not a point or comma within a number, nor what stands around words.
_MARK: Final = re.compile(r"(?<!\d)[.,/:-]+(?!\d)|(?<=\d)[.,/:-]+(?!\d)|[^\w\s().,/:\-\"'’%½¼¾]+| {2,}")


@dataclass(slots=True)
class _Unsplit:
    """The rows in which a field has one item, the marks that stand in their texts, and how many rows have the field."""

    rows: int = 0
    lines: list[int] = field(default_factory=list)
    marks: Counter[str] = field(default_factory=Counter)

    def add(self, line: int, text: str, has_one: bool) -> None:
        self.rows += 1
        if has_one:
            self.lines.append(line)
            self.marks.update({mark: 1 for mark, count in Counter(_MARK.findall(text)).items() if count > 1})

    def join(self, later: "_Unsplit") -> None:
        self.rows += later.rows
        self.lines += later.lines
        self.marks.update(later.marks)

    def separator(self) -> str:
        """What may separate the items: the mark that stands in most of the texts, and in half of them at least."""
        [(mark, rows)] = self.marks.most_common(1) or [("", 0)]
        return mark if 2 * rows >= len(self.lines) else ""


class Unsplit:
    """Looks at the rows of a file, one after the other."""

    def __init__(self) -> None:
        self._ingredients, self._steps = _Unsplit(), _Unsplit()

    def look_at(
        self, line: int, texts: tuple[str, str], ingredients: Sequence[Ingredient], steps: Sequence[str]
    ) -> None:
        """Count a row that has ingredients and steps; ``texts`` are these fields as the file has them."""
        named = 0
        for item in ingredients:
            named += not item.heading
            if named > 1:
                break
        self._ingredients.add(line, texts[0], named < 2)
        self._steps.add(line, texts[1], len(steps) == 1 and len(steps[0]) >= _LONG)

    def join(self, later: Self) -> None:
        """Take in what was seen of rows behind these."""
        self._ingredients.join(later._ingredients)
        self._steps.join(later._steps)

    def as_list(self) -> list[Any]:
        """JSON-ready; `of_list` makes the same of it."""
        return [(it.rows, it.lines, it.marks) for it in (self._ingredients, self._steps)]

    @classmethod
    def of_list(cls, kept: Sequence[Any]) -> Self:
        """What `as_list` gave this of."""
        unsplit = cls()
        unsplit._ingredients, unsplit._steps = (_Unsplit(rows, lines, Counter(marks)) for rows, lines, marks in kept)
        return unsplit

    def found(self) -> list[tuple[Oddity, list[int], str]]:
        """What most rows have: the oddity, the lines that have it, and the option that may mend it, if one may."""
        kinds = ((Oddity.ONE_INGREDIENT, self._ingredients, ""), (Oddity.ONE_STEP, self._steps, "steps="))
        return [
            (oddity, it.lines, f'--items "{prefix}{mark}"' if (mark := it.separator()) else "")
            for oddity, it, prefix in kinds
            if 2 * len(it.lines) > it.rows
        ]
