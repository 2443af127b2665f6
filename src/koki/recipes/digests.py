"""Recipes as digests, short enough to be kept with a run, so that a later one can say which of its own are others."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from koki.files import file_name
from koki.language import _, ngettext
from koki.recipes.recipe import Recipe
from koki.recipes.report import some

Digests = Mapping[str, Sequence[str]]
"""The name of a file -> 16 hex digits of each of its recipes, in order: eight of the title, eight of all the rest."""

_HALF: Final = 8
_TITLES_SHOWN: Final = 3


def digests_of(recipes: Iterable[Recipe]) -> dict[str, list[str]]:
    """The digests of recipes; folders are left out, since what is kept with a run may be published."""
    digests: dict[str, list[str]] = {}
    for recipe in recipes:
        digests.setdefault(file_name(recipe.file), []).append(digest_of(recipe))
    return digests


def differences(there: Digests, now: Sequence[Recipe]) -> list[str]:
    """In which recipes those of now differ from those whose digests were kept.

    A recipe is a changed one where its title, or all the rest, is that of one that is not there any more.

    Returns:
        A text for each file, such as "resep.csv, 1 of 40 recipes changed (Soto Ayam)"; none where nothing differs.
    """
    gone, come = list(_flat(there)), list(_flat(digests_of(now)))
    if [one.digest for one in gone] == [one.digest for one in come]:
        return []
    gone, come = _paired(gone, come, lambda one: one.digest)[:2]
    gone, come, same_title = _paired(gone, come, lambda one: one.digest[:_HALF])
    gone, come, same_rest = _paired(gone, come, lambda one: one.digest[_HALF:])
    found = (("changed", same_title + same_rest), ("added", come), ("removed", gone))
    titles = {digest_of(recipe): recipe.title for recipe in now}
    were = {file: len(ones) for file, ones in there.items()}
    texts: dict[str, list[str]] = {}
    for verb, ones in found:
        for file in dict.fromkeys(one.file for one in ones):
            of = were.get(file, sum(were.values()))
            of_file = [one.digest for one in ones if one.file == file]
            texts.setdefault(file, [file]).append(_told(verb, of_file, of, titles))
    return [", ".join(text) for text in texts.values()] or [_("the same recipes in another order")]


class _One(NamedTuple):
    file: str
    digest: str


def digest_of(recipe: Recipe) -> str:
    """All of a recipe that shows in its conversations; its loves decide which of two that share a title has it."""
    title = " ".join(recipe.title.split())
    rest = "\x1e".join((*(item.raw for item in recipe.ingredients), "", *recipe.steps, str(recipe.loves or 0)))
    return "".join(hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:_HALF] for part in (title, rest))


def _flat(digests: Digests) -> Iterator[_One]:
    return (_One(file, digest) for file, ones in digests.items() for digest in ones)


def _paired(
    gone: Sequence[_One], come: Sequence[_One], key: Callable[[_One], str]
) -> tuple[list[_One], list[_One], list[_One]]:
    """Those of both sides without a partner of the same key on the other, and those of the second side with one."""
    gone_alone, _ = _parted(gone, Counter(map(key, come)), key)
    return gone_alone, *_parted(come, Counter(map(key, gone)), key)


def _parted(ones: Sequence[_One], partners: Counter[str], key: Callable[[_One], str]) -> tuple[list[_One], list[_One]]:
    alone: list[_One] = []
    paired: list[_One] = []
    for one in ones:
        (paired if partners[key(one)] > 0 else alone).append(one)
        partners[key(one)] -= 1
    return alone, paired


def _told(verb: str, digests: Sequence[str], of: int, titles: Mapping[str, str]) -> str:
    known = [titles[digest] for digest in digests if digest in titles]
    named = f" ({some(known, _TITLES_SHOWN)})" if known else ""
    count = len(digests)
    said = {
        "changed": _("{count:,} of {of:,} recipes changed", count=count, of=of),
        "removed": _("{count:,} of {of:,} recipes removed", count=count, of=of),
        "added": ngettext("{count:,} recipe added", "{count:,} recipes added", count),
    }
    return said[verb] + named
