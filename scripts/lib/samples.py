# SPDX-License-Identifier: GPL-2.0-or-later
"""Samples of several programs taken in turn: medians, ratios of neighbours, and the table of both."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Samples:
    """Values by what was measured and of whom; the n-th of each were measured one after the other."""
    values: dict[tuple[str, str], list[float | None]] = field(default_factory=dict)

    def add(self, what: str, who: str, value: float | None) -> None:
        self.values.setdefault((what, who), []).append(value)

    def median(self, what: str, who: str) -> float | None:
        known = [v for v in self.values.get((what, who), []) if v is not None]
        return statistics.median(known) if known else None

    def ratio(self, what: str, who: str, other: str) -> float | None:
        """The median of the neighbours' ratios: what slows both for a while does not count."""
        pairs = zip(self.values.get((what, who), []), self.values.get((what, other), []))
        ratios = [a / b for a, b in pairs if a and b]
        return statistics.median(ratios) if ratios else None

    def medians(self) -> dict[str, float | None]:
        return {f"{what}/{who}": self.median(what, who) for what, who in self.values}


def text(value: float | None, form: str = "{:.3f}") -> str:
    return "-" if value is None else form.format(value)


def line(*cells: str) -> str:
    return f"{cells[0]:<26}" + "".join(f"{cell:>12}" for cell in cells[1:])
