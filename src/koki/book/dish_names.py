"""Which dishes of a book a question may mean: names compared word by word, the telling words more than the common ones."""

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from koki.book.question import Kind, Word, consonants, kind_of, once, weight_of, words_of_name

# How much it takes from a name's score that words of it are not said, and that words are said which it has not.
_NOT_SAID: Final = 0.35
_NOT_IN_NAME: Final[Mapping[Kind, float]] = {
    "dish": 1.0,
    "word": 1.0,
    "place": 0.8,
    "food": 0.6,
    "way": 0.5,
    "trait": 0.3,
    "mild": 0.0,
}
# A word that no list has is more likely part of a name where it is asked how something is made than elsewhere.
_UNKNOWN_ELSEWHERE: Final = 0.3
# A place that a name without a place has not: "gudeg jogja" may be the book's gudeg; "sayur asem jakarta" is its sayur asem.
_ANOTHER_PLACE: Final = 0.3
# Words beside a name that was said in full: "nasi kuning tumpeng".
_BESIDE_ALL: Final = 0.4

# Of a score that rests on a slip, where nobody asks how something is made.
_DOUBTFUL: Final = 0.8
_SLIP: Final = 0.9
_SHORT_FORM: Final = 0.85
_AFFIXED: Final = (
    ("di", ""),
    ("di", "in"),
    ("di", "kan"),
    ("", "an"),
    ("", "nya"),
    ("", "in"),
    ("meng", ""),
    ("ng", ""),
)


class Match(NamedTuple):
    """How well a name fits what was said.

    Attributes:
        score: 0 to 1.
        said: the places of the question's words that the name has.
        weight: what these say of the dish.
        full: whether all words of the name are said.
        left: the words beside them that the name has not.
    """

    id: str
    name: str
    score: float
    said: frozenset[int]
    weight: float
    full: bool
    left: tuple[Word, ...]


@lru_cache(maxsize=65536)
def likeness(said: str, written: str, claimed: bool = True) -> float:
    """From 0 to 1: 1 for the same word, less for one with a slip in it or shortened, 0 for another word.

    Args:
        claimed: whether a name is expected there, so that a slip is likelier than another word.
    """
    if said == written or any(f"{start}{written}{end}" == said for start, end in _AFFIXED):
        return 1.0
    if len(written) < 3 or (kind_of(said) != "word" and kind_of(written) != "word"):  # two known words are never one
        return 0.0
    bare = consonants(written)
    if once(said) == written or _is_slip(said, written, claimed):
        return _SLIP
    if said[0] == written[0] and said == bare:
        return _SHORT_FORM
    is_skeleton = len(bare) >= 4 and consonants(said) == bare
    return _SHORT_FORM if is_skeleton and OSA.distance(said, written, score_cutoff=2) == 2 else 0.0


def _is_slip(said: str, written: str, claimed: bool) -> bool:
    slips = OSA.distance(said, written, score_cutoff=2)
    if slips == 1 and sorted(said) == sorted(written):
        return True
    if slips == 1 and min(len(said), len(written)) >= 4:
        return (claimed and len(said) > 4) or (said[0] == written[0] and (claimed or len(said) > 4))
    return slips == 2 and min(len(said), len(written)) >= 8 and said[0] == written[0]


def _likeness(word: Word, part: str, claimed: bool) -> float:
    """A word that was put right may be no slip after all, where the book has the word as it was typed."""
    return max(likeness(word.text, part, claimed), likeness(word.said, part, claimed))


def match_name(id: str, name: str, words: Sequence[Word], usable: Iterable[int], claimed: frozenset[int]) -> Match:
    """Compares a name with the words of a question.

    Args:
        usable: places of the words that may name a dish.
        claimed: places of the words of which it is asked how they are made.
    """
    parts, places = words_of_name(name), list(usable)
    found: dict[str, tuple[float, tuple[int, ...]]] = {}
    for part in parts:
        best = max(((_likeness(words[at], part, at in claimed), -at) for at in places), default=(0.0, 0))
        if best[0]:
            found[part] = (best[0], (-best[1],))
    _find_glued(parts, words, places, found)
    weights = {part: weight_of(part) for part in parts}
    said = sum(weights[part] * like for part, (like, _) in found.items())
    missing = sum(weight for part, weight in weights.items() if part not in found)
    used = {at for _, at_places in found.values() for at in at_places}
    used |= {at for at in places if any(words[at].text == words[it].text for it in used)}  # "gado gado"
    full = _is_full(parts, found)
    left = [at for at in _beside(used, places) if at not in used]
    has_place = any(kind_of(part) == "place" for part in parts)
    all_said = sum(like for like, _ in found.values()) == len(parts)
    beside = sum(surplus(words[at], at in claimed, all_said, has_place) for at in left)
    total = said + _NOT_SAID * missing + beside
    if not full and not claimed.intersection(used) and any(like < 1 for like, _ in found.values()):
        said *= _DOUBTFUL
    return Match(id, name, said / total if said else 0.0, frozenset(used), said, full, tuple(words[at] for at in left))


def _is_full(parts: Sequence[str], found: Container[str]) -> bool:
    """Whether all is said that tells the dish: of "Sarden Rumahan Pedas" at least "sarden pedas", of "Urap Sayur" "urap"."""
    kinds = {part: kind_of(part) for part in parts if part in found}
    telling = [part for part in parts if kind_of(part) != "mild"]
    if len(kinds) == len(parts):
        return True
    return all(part in found for part in telling) and bool(set(kinds.values()) - {"food"})


def _find_glued(
    parts: Sequence[str], words: Sequence[Word], places: Sequence[int], found: dict[str, tuple[float, tuple[int, ...]]]
) -> None:
    """Words that are written in one, on either side: "sotoayam", "cap cay"."""
    for first, second in zip(parts, parts[1:], strict=False):
        for at in places:
            if words[at].text in (first + second, second + first):
                found[first] = found[second] = (1.0, (at,))
    for part in parts:
        found |= {part: (1.0, (at,)) for at in places if words[at].text == part + part}
    for first, second in zip(places, places[1:], strict=False):
        for part in parts:
            if part not in found and second == first + 1 and words[first].text + words[second].text == part:
                found[part] = (1.0, (first, second))


def _beside(used: set[int], places: Sequence[int]) -> list[int]:
    """The places of the runs in which there is a word of the name."""
    near: list[int] = []
    run: list[int] = []
    for at in [*places, -1]:
        if run and at != run[-1] + 1:
            near += run if used.intersection(run) else []
            run = []
        run.append(at)
    return near


def surplus(word: Word, claimed: bool = True, all_said: bool = False, has_place: bool = True) -> float:
    """What it takes from a name's score that a word beside it is not in it."""
    if word.kind == "place" and not has_place:
        return 0.0 if all_said else _NOT_IN_NAME["place"] * _ANOTHER_PLACE
    if word.kind == "way" and kind_of(word.text) == "word":  # something that is done: "dikukus"
        return 0.0
    if word.kind == "food":
        return min(_NOT_IN_NAME["food"], word.weight + 0.1)
    if word.kind == "word" and not claimed:
        return _UNKNOWN_ELSEWHERE
    return _NOT_IN_NAME[word.kind] * (_BESIDE_ALL if all_said else 1)
