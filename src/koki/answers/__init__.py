"""An answer's text -> what it says, and whether that is what stands in the book.

said.py        an answer -> opening, ingredients, steps, further dishes; its words are in said.toml
comparison.py  ingredients and steps that are given against those of a recipe
"""
