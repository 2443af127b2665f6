"""An answer's text -> what it says, and whether that is what stands in the book.

said.py        an answer -> opening, ingredients, steps, further dishes; its words are in said.toml
filled.py      what a form of the phrasebook was filled with, read back from text
opening.py     what an opening in Koki's own words says: the dish, and what is missing for it
stated.py      the amounts and times that a sentence states, and of which food
comparison.py  ingredients and steps that are given against those of a recipe
check.py       an answer against what was read for it, and the line that tells of it; its words are in check.toml
"""
