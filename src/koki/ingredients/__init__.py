"""From one raw ingredient line to an `Ingredient`.

parse.py      the parts of a line put together
wording.py    the line -> plain words, headings off, cut into parts
parts.py      a part -> quantity, unit, name, preparations, remarks
amounts.py    figures -> numbers
scaling.py    lines with their amounts multiplied
lexicon.py    what a word does, and its folded spelling; the words are in lexicon.toml
"""
