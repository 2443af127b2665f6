"""Which dish a name that was said may be: names are compared word by word, and telling words count more than "ayam"."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from koki.book.question import Word, runs_of
from koki.book.wordlists import GENERIC, LISTS, Kind, consonants, kind_of, once, weight_of, words_of_name

# How much it takes from a name's score that words of it are not said, and that words are said which it has not.
_NOT_SAID: Final = 0.35
_NOT_IN_NAME: Final[Mapping[Kind, float]] = {
    "dish": 1.0,
    "word": 1.0,
    "place": 0.8,
    "food": 0.75,
    "way": 0.5,
    "trait": 0.3,
    "mild": 0.0,
}
# A word that no list has is more likely part of a name where it is asked how something is made than elsewhere.
_UNKNOWN_ELSEWHERE: Final = 0.3
# Of a place that a name without a place has not: "gudeg jogja" may be the book's gudeg.
_ANOTHER_PLACE: Final = 0.3
# Of what stands beside a name that was said in full: "nasi kuning tumpeng".
_BESIDE_ALL: Final = 0.4
# Of a food that says little: "empal daging".
_NOT_GENERIC: Final = 0.3
# Of "mie rebus" beside a "mie goreng".
_ANOTHER_WAY: Final = 0.9
# Of a score that rests on a slip, where nobody asks how something is made.
_DOUBTFUL: Final = 0.8

_SLIP: Final = 0.9
_SHORT_FORM: Final = 0.85
_AFFIXES: Final = (
    ("di", ""),
    ("di", "in"),
    ("di", "kan"),
    ("", "an"),
    ("", "nya"),
    ("", "in"),
    ("meng", ""),
    ("ng", ""),
)
# Two slips are only in long words.
_LONG_WORD: Final = 8
_SHORT_WORD: Final = 4


class Match(NamedTuple):
    """How well a name fits what was said.

    Attributes:
        score: 0 to 1.
        said: the places of the question's words that the name has.
        weight: what these say of the dish.
        missing: the words of the name that were not said.
        full: whether all words that tell the dish are said.
        left: the words beside them that the name has not.
    """

    id: str
    name: str
    score: float
    said: frozenset[int]
    weight: float
    missing: tuple[str, ...]
    full: bool
    left: tuple[Word, ...]


class _Found(NamedTuple):
    """A word of a name that was said: how alike, and where."""

    likeness: float
    places: tuple[int, ...]


def match_name(dish: tuple[str, str], words: Sequence[Word], usable: Sequence[int], claimed: frozenset[int]) -> Match:
    """Compares a dish's name with the words of a question.

    Args:
        dish: its id and name.
        usable: places of the words that may name a dish.
        claimed: places of the words of which a recipe is asked.
    """
    parts = words_of_name(dish[1])
    found = _find(parts, words, usable, claimed)
    weight = sum(weight_of(part) * it.likeness for part, it in found.items())
    said = {place for it in found.values() for place in it.places}
    said |= {at for at in usable if any(words[at].text == words[it].text for it in said)}  # "gado gado"
    beside = [at for run in runs_of(usable) if not said.isdisjoint(run) for at in run if at not in said]
    missing = tuple(part for part in parts if part not in found)
    all_said = GENERIC.issuperset(missing) and all(it.likeness == 1 for it in found.values())
    has_place = any(kind_of(part) == "place" for part in parts)
    total = weight + _NOT_SAID * sum(map(weight_of, missing))
    another_way = any(kind_of(part) == "way" for part in missing)
    for at in beside:
        is_said = all_said and not (missing and words[at].kind == "food")  # a "rendang paru" is no "rendang daging"
        total += surplus(words[at], at in claimed, is_said, has_place, another_way)
    is_full = _is_full(parts, found)
    if not is_full and claimed.isdisjoint(said) and any(it.likeness < 1 for it in found.values()):
        weight *= _DOUBTFUL
    score = weight / total if weight else 0.0
    return Match(*dish, score, frozenset(said), weight, missing, is_full, tuple(words[at] for at in beside))


def _find(
    parts: Sequence[str], words: Sequence[Word], usable: Sequence[int], claimed: frozenset[int]
) -> dict[str, _Found]:
    """The words of a name that are said, also those written in one on either side: "sotoayam", "cap cay"."""
    found: dict[str, _Found] = {}
    for part in parts:
        likeness, place = max(((_likeness(words[at], part, at in claimed), -at) for at in usable), default=(0.0, 0))
        if likeness:
            found[part] = _Found(likeness, (-place,))
    for at in usable:
        for first, second in (*pairwise(parts), *((part, part) for part in parts)):
            if words[at].text in (first + second, second + first):
                found[first] = found[second] = _Found(1.0, (at,))
    for first_at, second_at in pairwise(usable):
        glued = words[first_at].text + words[second_at].text
        if second_at == first_at + 1 and glued in parts and glued not in found:
            found[glued] = _Found(1.0, (first_at, second_at))
    return found


def _is_full(parts: Sequence[str], found: Iterable[str]) -> bool:
    """Whether all is said that tells the dish: of "Sarden Rumahan Pedas" "sarden pedas", of "Urap Sayur" "urap"."""
    said = set(found)
    if len(said) == len(parts):
        return True
    telling = {part for part in parts if kind_of(part) != "mild"}
    return said >= telling and any(kind_of(part) != "food" for part in said)


def surplus(
    word: Word, claimed: bool = True, all_said: bool = False, has_place: bool = True, another_way: bool = False
) -> float:
    """What it takes from a name's score that a word beside it is not in it.

    Args:
        claimed: whether it is among the words of which a recipe is asked.
        all_said: whether the name was said in full.
        has_place: whether the name has a place.
        another_way: whether the name has a way of cooking that was not said.
    """
    if word.is_done:
        return 0.0
    if word.kind == "place" and not has_place:
        return 0.0 if all_said else _NOT_IN_NAME["place"] * _ANOTHER_PLACE
    cost = _NOT_IN_NAME[word.kind]
    if word.text in GENERIC:
        cost = _NOT_GENERIC
    elif word.kind == "dish" and word.text in LISTS.foods:  # "tongkol sambal balado"
        cost = _NOT_IN_NAME["food"]
    elif word.kind == "word" and not claimed:
        cost = _UNKNOWN_ELSEWHERE
    elif word.kind == "way" and another_way:
        cost = _ANOTHER_WAY
    return cost * (_BESIDE_ALL if all_said else 1)


# ------------------------------------------------------------------------------------------------------------ likeness


def _likeness(word: Word, part: str, claimed: bool) -> float:
    """A word that was put right may be no slip after all, where the book has the word as it was typed."""
    return max(likeness(word.text, part, claimed), likeness(word.said, part, claimed))


@lru_cache(maxsize=65536)
def likeness(said: str, written: str, claimed: bool = True) -> float:
    """From 0 to 1: 1 for the same word, less for one with a slip in it or shortened, 0 for another word.

    Args:
        claimed: whether a name is expected there, so that a slip is likelier than another word.
    """
    if said == written or any(f"{start}{written}{end}" == said for start, end in _AFFIXES):
        return 1.0
    if len(written) < 3 or (kind_of(said) != "word" and kind_of(written) != "word"):  # two known words are never one
        return 0.0
    bare = consonants(written)
    if once(said) == written or _is_slip(said, written, claimed):
        return _SLIP
    if said[0] == written[0] and said == bare:
        return _SHORT_FORM
    is_skeleton = len(bare) >= _SHORT_WORD and consonants(said) == bare
    return _SHORT_FORM if is_skeleton and OSA.distance(said, written, score_cutoff=2) == 2 else 0.0


def _is_slip(said: str, written: str, claimed: bool) -> bool:
    """Whether one letter is wrong, in a long word two; the fewer letters, the less may be wrong."""
    slips, fewest = OSA.distance(said, written, score_cutoff=2), min(len(said), len(written))
    if slips == 1 and sorted(said) == sorted(written):
        return True
    begins_alike = said[0] == written[0]
    if slips == 1 and fewest >= _SHORT_WORD:
        if len(said) > _SHORT_WORD:
            return claimed or begins_alike
        return claimed and begins_alike
    return slips == 2 and fewest >= _LONG_WORD and begins_alike
