"""What a chef is required to reach, such as ``recall-book.full_recipe.right_dish>=0.95``, and whether it does."""

import difflib
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from koki.errors import ConfigError
from koki.evaluation.intervals import Mean
from koki.language import N_, _

Place = tuple[str, ...]
"""What a mean is of: group, capability and measure; of people's own questions, capability and measure."""

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM: Final = re.compile(r"([^<>=]+)(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*")
_HOW: Final = N_('Examples: "right_dish>=0.95", "recall-book.full_recipe.right_dish>=0.95", "invented<0.02".')


@dataclass(frozen=True, slots=True)
class Requirement:
    """A bound of a measure, wherever it was taken or in some of the places only.

    Attributes:
        text: as it was written.
        names: of the places: the measure, and before it a group, a capability or both.
    """

    text: str
    names: tuple[str, ...]
    sign: str
    bound: float

    @classmethod
    def read(cls, text: str, places: Collection[Place]) -> Self:
        """Read one.

        Args:
            places: all that there are.

        Raises:
            ConfigError: it is not of the form, or names what there is not.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ConfigError(_("The requirement {text!r} is not of the form MEASURE>=NUMBER.", text=text), _(_HOW))
        names = tuple(map(_folded, found[1].split(".")))
        requirement = cls(text.strip(), names, found[2], float(found[3]))
        no_measure = N_("There is no measure {name!r} to require something of.")
        _require_known(no_measure, names[-1], {place[-1] for place in places})
        no_place = N_("There is no group or capability {name!r} to require something of.")
        for name in names[:-1]:
            _require_known(no_place, name, {part for place in places for part in place[:-1]})
        if not requirement.among(places):
            having = {place[-2] for place in places if _folded(place[-1]) == names[-1]}
            raise ConfigError(
                _("There is no {text!r}.", text=text),
                _("{measure} is measured of: {having}.", measure=names[-1], having=_listed(sorted(having))),
            )
        if not -1 <= requirement.bound <= 1:
            raise ConfigError(
                _("No mean reaches the {bound} of {text!r}.", bound=found[3], text=text),
                _("Measures go from 0 to 1, order from -1."),
            )
        return requirement

    def among(self, places: Collection[Place]) -> list[Place]:
        """Those of the places that it is about, in their order."""
        *around, measure = self.names
        return [
            place
            for place in places
            if _folded(place[-1]) == measure and set(around) <= {_folded(part) for part in place[:-1]}
        ]

    def is_met_by(self, mean: float) -> bool:
        """Whether a mean is within the bound."""
        return _OPERATORS[self.sign](mean, self.bound)


@dataclass(frozen=True, slots=True)
class Reached:
    """What was reached of a requirement: the means that it is about, the worst first."""

    requirement: Requirement
    means: Mapping[Place, Mean]

    @classmethod
    def of(cls, requirement: Requirement, means: Mapping[Place, Mean]) -> Self:
        """Of all means, those that it is about."""
        worst = -1 if requirement.sign.startswith("<") else 1
        about = sorted(requirement.among(means), key=lambda place: worst * means[place].mean)
        return cls(requirement, {place: means[place] for place in about})

    @property
    def met(self) -> bool:
        """Whether each of the means is within the bound; where nothing was measured, nothing is shown."""
        return bool(self.means) and all(self.requirement.is_met_by(mean.mean) for mean in self.means.values())

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        means = [
            {"of": list(place), **mean.as_dict(), "met": self.requirement.is_met_by(mean.mean)}
            for place, mean in self.means.items()
        ]
        return {"requirement": self.requirement.text, "met": self.met, "reached": means}

    def __str__(self) -> str:
        """A line: the worst mean if it is met, else all that are not within the bound."""
        said = [
            f"{mean.as_text('g')} ({', '.join(place[:-1])})"
            for place, mean in self.means.items()
            if not self.requirement.is_met_by(mean.mean)
        ]
        if said:
            return _("not met: {requirement}: {means}", requirement=self.requirement.text, means=", ".join(said))
        if not self.means:
            return _("not met: {requirement}: no answer has a score of that", requirement=self.requirement.text)
        place, worst = next(iter(self.means.items()))
        of = ", ".join(place[:-1]) + (_(", the worst of {count}", count=len(self.means)) if len(self.means) > 1 else "")
        return _("met: {requirement}: {mean} ({of})", requirement=self.requirement.text, mean=worst.as_text("g"), of=of)


def require_asked(requirements: Collection[Requirement], asked: Collection[Place]) -> None:
    """Check that each requirement is about something that will be asked.

    Raises:
        ConfigError: one is not.
    """
    for requirement in requirements:
        if not requirement.among(asked):
            of_it = sorted({part for place in asked for part in place[:-1]})
            raise ConfigError(
                _("In this exam nothing is asked that {text!r} is about.", text=requirement.text),
                _("It asks: {names}.", names=_listed(of_it)),
            )


def _folded(name: str) -> str:
    """A name as it may be typed without quotes."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _require_known(otherwise: str, name: str, names: Collection[str]) -> None:
    known = {_folded(one): one for one in sorted(names)}
    if name not in known:
        near = [known[one] for one in difflib.get_close_matches(name, known, n=3, cutoff=0.5)]
        if near:
            how = _("Did you mean {name}?", name=_listed(near, _(" or ")))
        else:
            how = _("There are: {names}.", names=_listed(known.values()))
        raise ConfigError(_(otherwise, name=name), how)


def _listed(names: Iterable[str], between: str = ", ") -> str:
    return between.join(name.replace(" ", "_") for name in names)
