"""Koki turns a CSV of Indonesian recipes into a chef that answers in Indonesian."""

__version__ = "0.1.0"
