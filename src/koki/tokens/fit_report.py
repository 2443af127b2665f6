"""What became of the conversations at the token limit, for a terminal, a run card and a preview."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from rich.console import Group
from rich.table import Table

from koki.language import _, number


@dataclass
class FitReport:
    """What became of the conversations at the token limit; none was cut in the middle."""

    max_length: int
    composed: Counter[str] = field(default_factory=Counter)
    shortened: Counter[str] = field(default_factory=Counter)
    without_recipe: Counter[str] = field(default_factory=Counter)  # answers that suggest a dish and offer its recipe
    left_out: Counter[str] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)  # recipes with too few ingredients for this kind
    groups_not_whole: int = 0  # recipes, tips or refusals of which at least one conversation does not fit as composed
    groups_too_long: int = 0  # recipes, tips or refusals of which at least one conversation is left out
    longest: int = 0  # tokens of the longest conversation as composed

    @classmethod
    def of_dict(cls, counts: Mapping[str, Any]) -> Self:
        """The report that has these attributes, as JSON gives them back."""
        fields: dict[str, Any] = {name: Counter(it) if isinstance(it, dict) else it for name, it in counts.items()}
        return cls(**fields)

    @classmethod
    def joined(cls, reports: Sequence[Self]) -> Self:
        """That of all groups, of the reports on some of them each.

        Args:
            reports: at least one, with the same limit.
        """
        joined = cls(reports[0].max_length)
        for report in reports:
            for name, count in vars(report).items():
                if isinstance(count, Counter):
                    getattr(joined, name).update(count)
            joined.groups_not_whole += report.groups_not_whole
            joined.groups_too_long += report.groups_too_long
            joined.longest = max(joined.longest, report.longest)
        return joined

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "max_length": self.max_length,
            "composed": dict(self.composed),
            "shortened": dict(self.shortened),
            "without_recipe": dict(self.without_recipe),
            "left_out": dict(self.left_out),
            "recipes_without": dict(self.unsupported),
            "recipes_with_conversations_not_whole": self.groups_not_whole,
            "recipes_with_conversations_left_out": self.groups_too_long,
            "longest": self.longest,
        }

    def render(self) -> Group:
        """For a terminal: a row for each kind of conversation."""
        table = Table(title=_("Conversations"), title_justify="left", box=None, pad_edge=False, title_style="bold")
        table.add_column(_("kind"))
        columns = {
            _("composed"): self.composed,
            _("shortened"): self.shortened,
            _("without recipe"): self.without_recipe,
            _("left out"): self.left_out,
        }
        for column in columns:
            table.add_column(column, justify="right")
        for kind in self.composed:
            table.add_row(kind, *(number(counts[kind]) for counts in columns.values()))
        return Group(table, *self._notes())

    def _notes(self) -> Iterator[str]:
        for kind, recipes in self.unsupported.items():
            yield _(
                "{recipes:,} recipes have too few ingredients for conversations of kind {kind}.",
                recipes=recipes,
                kind=kind,
            )
        if self.groups_not_whole:
            yield _(
                "{recipes:,} recipes have conversations of more than {max_length} tokens; "
                "--set tokens.max_length={longest} would keep all of them whole.",
                recipes=self.groups_not_whole,
                max_length=self.max_length,
                longest=self.longest,
            )
        if any(self.without_recipe.values()):
            yield _("Without recipe: the answer names the dish and offers its recipe, which would not fit.")
        if self.groups_too_long:
            yield _(
                "{recipes:,} recipes have conversations that do not fit even without courtesy and tips; "
                "these are left out, not cut.",
                recipes=self.groups_too_long,
            )
