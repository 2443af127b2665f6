"""From `Recipe` objects to a book that is looked up in.

pantry.py     which recipes have an ingredient, what can be cooked with what is at hand; its words are in pantry.toml
"""
