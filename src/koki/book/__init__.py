"""An index of recipes by their ingredients.

pantry.py  which recipes have an ingredient, what can be cooked with what is at hand; its words are in pantry.toml
"""
