"""From a recipe file to `Recipe` objects and a report of what was found in it.

table.py          a file -> recipes: find the columns, validate, de-duplicate
    decoding.py     bytes -> text -> records
    cleaning.py     a field -> clean title, ingredient lines, steps; its words are in columns.toml
    report.py       what was read, what was dropped, and why
ingredients.py    a raw line -> Ingredient
    wording.py      the line -> plain words, headings off, cut into parts
    parts.py        a part -> quantity, unit, name, preparations, remarks
    amounts.py      figures -> numbers
    lexicon.py      what a word does; the words are in lexicon.toml
"""
