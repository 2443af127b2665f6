"""What the page says, in a language: texts from ``report.toml``, numbers as they are written there."""

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from koki.formatting import gigabytes, in_its_unit
from koki.language import Language

_DIGITS: Final = 6  # of a setting: as many as anyone writes


@cache
def texts() -> dict[str, dict[str, dict[Language, str]]]:
    """Table -> name -> language -> text."""
    return tomllib.loads(files(__package__).joinpath("report.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Translation:
    """The page's texts, and numbers as they are written, in one language."""

    language: Language

    def say(self, key: str, **filled: object) -> str:
        """A text by ``table.name``, its slots filled.

        Raises:
            KeyError: there is no such text, or a slot is not filled.
        """
        table, _, name = key.partition(".")
        return texts()[table][name][self.language].format(**filled)

    def name(self, table: str, name: str, otherwise: str | None = None) -> str:
        """What something is called; where the table lacks it, ``otherwise``, or its own name if that is not given."""
        known = texts()[table].get(name)
        return known[self.language] if known else otherwise or name

    def note(self, note: str) -> str:
        """A note of the scorecard in the page's language; one that is not known stays in English."""
        known = (text for beginning, text in texts()["notes"].items() if note.startswith(beginning))
        return next((text[self.language] for text in known), note)

    def warning(self, warning: str | Mapping[str, Any]) -> str:
        """What a `koki.recipes.report.Warned` tells; earlier versions kept a text, which is shown as it is."""
        if isinstance(warning, str):
            return warning
        oddity, more = self.name("oddities", warning["oddity"]), warning["rows"] - len(warning["lines"])
        lines = ", ".join(map(str, warning["lines"]))
        if sheet := warning.get("sheet"):
            oddity = f"{sheet}: {oddity}"
        if more:
            said = self.say("data.at_more_lines", oddity=oddity, lines=lines, more=self.number(more))
        else:
            said = self.say("data.at_lines", oddity=oddity, lines=lines)
        option = warning.get("option")
        return self.say("data.perhaps", said=said, option=option) if option else said

    def device(self, described: str) -> str:
        """What `koki.model.device.Device.describe` said, which is in English."""
        for english, text in texts()["device"].items():
            described = described.replace(english, text[self.language])
        return described

    def number(self, value: float, digits: int = 0) -> str:
        """``1,234.5`` in English, ``1.234,5`` in Indonesian."""
        return self._marked(f"{value:,.{digits}f}")

    def signed(self, value: float) -> str:
        """A number with two decimals and always a sign; 0 has a plus."""
        return self._marked(f"{round(value, 2) or 0:+.2f}")

    def short(self, value: float, digits: int = 3) -> str:
        """A number with few significant digits, but every one before the point: ``0.00002``, ``1,250``."""
        before = math.floor(math.log10(abs(value))) + 1 if value else 1
        whole, point, decimals = f"{value:,.{max(0, digits - before)}f}".partition(".")
        return self._marked(whole + (point + decimals).rstrip(".0"))

    def setting(self, value: Any) -> str:
        """A setting as it is written in a configuration file, but for numbers, which are the page's."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return json.dumps(value, ensure_ascii=False)
        return self.number(value) if isinstance(value, int) else self.short(value, _DIGITS)

    def one_of(self, things: Sequence[str]) -> str:
        """``a``, ``a or b``, ``a, b or c``."""
        *others, last = things
        return self.say("page.or", others=", ".join(others), last=last) if others else last

    def _marked(self, english: str) -> str:
        return english if self.language == "en" else english.translate(str.maketrans(",.", ".,"))

    def date(self, iso: str) -> str:
        """A moment in ISO 8601, in words."""
        at = datetime.fromisoformat(iso).astimezone(UTC)
        month = self.say(f"months.{at.month}")
        return self.say("page.date", day=at.day, month=month, year=at.year, time=f"{at:%H:%M}")

    def duration(self, seconds: float) -> str:
        """A duration in the unit that suits it."""
        number, digits, unit = in_its_unit(seconds)
        return self.say(f"duration.{unit}", number=self.number(number, digits))

    def bytes(self, count: float) -> str:
        """A number of bytes as megabytes or gigabytes."""
        return self._marked(gigabytes(count))
