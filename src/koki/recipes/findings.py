"""What the reader finds amiss: why a row gives no recipe, and what is odd about one that may.

The sentences are the terminal's. By them ``report/report.toml`` has those of the run report, in each of its languages.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a row gives no recipe."""

    DUPLICATE = "exact duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    NO_TITLE = "no title"
    NO_INGREDIENTS = "ingredients are empty"
    NO_STEPS = "steps are empty"
    MISSING_INGREDIENTS = "ingredients are 'nan' or the like"
    MISSING_STEPS = "steps are 'nan' or the like"
    FEW_INGREDIENTS = "too few ingredients"
    FEW_STEPS = "too few steps"
    FEW_FIELDS = "too few fields"
    LONG_FIELD = "a field is longer than 20,000 characters"
    LONG_LINE = "a line is longer than 1,000,000 characters"
    NO_JSON = "not a JSON object"
    TITLE_IS_NO_TEXT = "title: neither a text nor a list of texts"
    INGREDIENTS_ARE_NO_TEXT = "ingredients: neither a text nor a list of texts"
    STEPS_ARE_NO_TEXT = "steps: neither a text nor a list of texts"


class Oddity(StrEnum):
    """What is strange about a row's form."""

    UNCLOSED = "a quotation mark is opened and never closed; read to the end of its line"
    MORE_FIELDS = "more fields than the header; text may be in the wrong column"
    FEWER_FIELDS = "fewer fields than the header"
    UNREADABLE = "characters that cannot be read were left out"
    WRONG_ENCODING = "text saved in a wrong encoding was repaired"
    DATE = "a date, which Excel makes of 1/2 and of 1-2, was read as a fraction; check it"
    ITEM_A_ROW = "a recipe that stands in several rows was put together"
    TEXT_BETWEEN = "text between the recipes was left out"
    ONE_INGREDIENT = "most recipes have only one ingredient"
    ONE_STEP = "most recipes have only one long step"
