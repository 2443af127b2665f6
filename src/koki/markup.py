"""Text as it was written for a browser or a program -> plain text: tags, entities and escapes."""

import html
import re
from typing import Final

_LINE_ENDS: Final = "article blockquote br dd div dl dt figure h1 h2 h3 h4 h5 h6 hr li ol p section table tr ul"
_SPACES: Final = "td th img"
_OTHERS: Final = (
    "a abbr b big body center cite code del em figcaption font footer form head header html i iframe input ins kbd "
    "label main mark nav noscript picture pre q s small span strike strong sub sup svg tbody thead time tt u var "
    "video wbr"
)
_BREAKS: Final = dict.fromkeys(_LINE_ENDS.split(), "\n") | dict.fromkeys(_SPACES.split(), " ")
_NAMES: Final = "|".join(sorted([*_BREAKS, *_OTHERS.split()], key=len, reverse=True))
_TAG: Final = re.compile(rf"</?({_NAMES})(?:[\s/][^<>]*)?>", re.IGNORECASE)  # "<3" and "< 100 gram" are none
# How often a text may have been encoded; a text made for it would take minutes if each level were looked for.
_MOST_LEVELS: Final = 4
_UNSEEN: Final = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
# "&amp;amp;lt;" is decoded at once: one level at a time, a long text of "amp;" would take minutes.
_ENTITY: Final = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});")
_ESCAPE: Final = re.compile(r"""(?<!\\)\\++(?:r\\+n|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrt"'/]))""")
_ESCAPED: Final = {"n": "\n", "r": "\n", "t": "\t"}


def has_markup(text: str) -> bool:
    """Whether there may be something for `without_markup` to do."""
    return "&" in text or "<" in text or "\\" in text


def without_markup(text: str) -> str:
    """The text with line ends where a browser shows them, other tags gone, and entities and escapes decoded.

    A text that was encoded twice is decoded twice, up to `_MOST_LEVELS` times.
    """
    for _ in range(_MOST_LEVELS):
        before = text
        if "\\" in text:
            text = _ESCAPE.sub(_unescaped, text)
        if "&" in text:
            text = _ENTITY.sub(lambda entity: html.unescape(f"&{entity[1]};"), text)
        if "<" in text:
            text = _TAG.sub(lambda tag: _BREAKS.get(tag[1].lower(), ""), _UNSEEN.sub("", text))
        if text == before:
            break
    return text


def _unescaped(escape: re.Match[str]) -> str:
    code, sign = escape[1] or escape[2], escape[3]
    if code:
        return chr(int(code, 16))
    return _ESCAPED.get(sign, sign) if sign else "\n"
