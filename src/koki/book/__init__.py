"""Recipes as they are looked up.

pantry.py   which recipes have an ingredient, what can be cooked with what is at hand; its words are in pantry.toml
reading.py  what a chef reads before it answers
"""
