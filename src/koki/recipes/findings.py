"""What the reader finds amiss: why a row gives no recipe, and what is odd about one that may.

The sentences are the terminal's. By them ``report/report.toml`` has those of the run report, in each of its languages.
"""

from enum import StrEnum

from koki.language import N_


class Reason(StrEnum):
    """Why a row gives no recipe."""

    DUPLICATE = N_("exact duplicate")
    NEAR_DUPLICATE = N_("near-duplicate")
    NO_TITLE = N_("no title")
    NO_INGREDIENTS = N_("ingredients are empty")
    NO_STEPS = N_("steps are empty")
    MISSING_INGREDIENTS = N_("ingredients are 'nan' or the like")
    MISSING_STEPS = N_("steps are 'nan' or the like")
    FEW_INGREDIENTS = N_("too few ingredients")
    FEW_STEPS = N_("too few steps")
    FEW_FIELDS = N_("too few fields")
    LONG_FIELD = N_("a field is longer than 20,000 characters")
    LONG_LINE = N_("a line is longer than 1,000,000 characters")
    NO_JSON = N_("not a JSON object")
    TITLE_IS_NO_TEXT = N_("title: neither a text nor a list of texts")
    INGREDIENTS_ARE_NO_TEXT = N_("ingredients: neither a text nor a list of texts")
    STEPS_ARE_NO_TEXT = N_("steps: neither a text nor a list of texts")


class Oddity(StrEnum):
    """What is strange about a row's form."""

    UNCLOSED = N_("a quotation mark is opened and never closed; read to the end of its line")
    MORE_FIELDS = N_("more fields than the header; text may be in the wrong column")
    FEWER_FIELDS = N_("fewer fields than the header")
    UNREADABLE = N_("characters that cannot be read were left out")
    WRONG_ENCODING = N_("text saved in a wrong encoding was repaired")
    DATE = N_("a date, which Excel makes of 1/2 and of 1-2, was read as a fraction; check it")
    ITEM_A_ROW = N_("a recipe that stands in several rows was put together")
    TEXT_BETWEEN = N_("text between the recipes was left out")
    ONE_INGREDIENT = N_("most recipes have only one ingredient")
    ONE_STEP = N_("most recipes have only one long step")
