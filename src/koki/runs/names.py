"""The names of the files in a run folder; they are Hugging Face's where it has some."""

from typing import Final

CONFIG: Final = "config.yaml"
RECIPES: Final = "recipes.json"
METADATA: Final = "training_metadata.json"
MODEL_CARD: Final = "README.md"
BOOK: Final = "book.sqlite"
GENERATION_CONFIG: Final = "generation_config.json"
TENSORBOARD: Final = "tensorboard"
GGUF: Final = "gguf"
CURVES: Final = "report/curves.png"
REPORT: Final = "report/report.html"
SCORECARD: Final = "report/scorecard.json"
SCORECARDS_OF_FILES: Final = "report/scorecard-*.json"
OWN_QUESTIONS: Final = "report/questions.json"
FEEDBACK: Final = "feedback.jsonl"
