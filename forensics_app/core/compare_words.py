"""What a comparison found, in sentences: who is better, on how many pictures that rests, and what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence

from classifier.compare import ALPHA, Pair, Paired
from classifier.metrics import Figure
from forensics_app.core.compare_rows import Row, ranked
from forensics_app.core.comparison import Compared
from forensics_app.core.run_tables import told
from forensics_app.core.words import shown

FEWEST = 6
"""With fewer discordant pictures McNemar's p is above .05 however they fall: 2 × ½⁵ = .06."""
NAMED = 6
DIFFERENCES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auc": "ROC AUC",
    "log_loss": "log loss (less is better)",
}


def p_words(p: float) -> str:
    """Return a p-value as `p = 0.34`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2f}" if p >= 0.1 else f"p = {p:.3f}"


def signed(value: Figure | None) -> str:
    """Return a difference with its interval, as `+0.13 (−0.02 to +0.28)`; a dash where there is none."""
    if value is None:
        return "–"
    return f"{plus_minus(value.value)} ({plus_minus(value.low)} to {plus_minus(value.high)})"


def plus_minus(value: float) -> str:
    """Return a number with its sign, as `+0.13`; what rounds to nothing has none."""
    text = f"{value:+.2f}".replace("-", "−")
    return text if text.strip("+−0.") else "0.00"


def headline(found: Compared) -> str:
    """Return the finding in a sentence: who is better, if that can be told."""
    order = ranked(found.rows)
    best, names = found.rows[order[0]], [shown(found.rows[place].name) for place in order]
    if len(order) > 1 and not any(pair.p_holm < ALPHA for pair in found.pairs):
        those = f"{names[0]} and {names[1]}" if len(order) == 2 else f"the {len(order)} models"
        return f"No difference can be seen between {those} with n = {found.n:,}"
    if len(order) == 2:
        return f"{names[0]} is better than {names[1]} on these pictures"
    return f"Most accurate: {names[0]}, {told(best.accuracy)}, n = {found.n:,}"


def details(found: Compared) -> list[str]:
    """Return what the headline rests on: the two counts of two detectors, or what the best cannot be told from."""
    order = ranked(found.rows)
    if len(order) < 2:
        return ["There is nothing to compare it with: no other model was finished."]
    if len(order) == 2:
        return [f"{counted(found.pairs[0], found.rows)}.", *_too_few(found.pairs[0].found)]
    return list(_about_the_best(found, order))


def counted(pair: Pair, rows: Sequence[Row]) -> str:
    """Return the discordant counts of two detectors and what follows from them, as a clause without its full stop."""
    first, second, found = shown(rows[pair.first].name), shown(rows[pair.second].name), pair.found
    if not found.discordant:
        return f"{first} and {second} are right, and wrong, on the same pictures: no difference can be seen"
    corrected = f", {p_words(pair.p_holm)} after Holm's correction" if pair.p_holm != found.p else ""
    seen = "" if pair.p_holm < ALPHA else f", no difference can be seen with n = {found.n:,}"
    return (
        f"{first} is right on {_pictures(found.only_first)} where {second} is wrong, {second} on {found.only_second:,} "
        f"where {first} is wrong: {p_words(found.p)} (McNemar){corrected}{seen}"
    )


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"


def _too_few(found: Paired) -> list[str]:
    if not 0 < found.discordant < FEWEST:
        return []
    how_many = f"They differ on {_pictures(found.discordant)} only"
    return [f"{how_many}: whichever way so few fall, no test could see a difference. More pictures could tell."]


def _about_the_best(found: Compared, order: Sequence[int]) -> list[str]:
    best, by_pair = order[0], {frozenset((pair.first, pair.second)): pair for pair in found.pairs}
    alike = [place for place in order[1:] if by_pair[frozenset((best, place))].p_holm >= ALPHA]
    worse = [place for place in order[1:] if place not in alike]
    name, how = shown(found.rows[best].name), f"McNemar, with Holm's correction for {len(found.pairs)} pairs"
    if not any(pair.p_holm < ALPHA for pair in found.pairs):
        return [
            f"The most accurate is {name}, {told(found.rows[best].accuracy)}, but it cannot be told from any ({how})."
        ]
    sentences = [f"It is better than {_named(found.rows, worse)} ({how})."] if worse else []
    if alike:
        sentences.append(f"It cannot be told from {_named(found.rows, alike)}" + ("." if worse else f" ({how})."))
    return sentences


def _named(rows: Sequence[Row], places: Sequence[int]) -> str:
    names = [shown(rows[place].name) for place in places]
    if len(names) == 1:
        return names[0]
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def context(found: Compared) -> str:
    """Return on which pictures the figures rest."""
    listed = [f"{count:,} {shown(name)}" for name, count in found.counts.items()]
    which = ", ".join(listed) if len(listed) <= 12 else f"{len(listed)} classes"
    return f"All on the same {found.n:,} pictures ({which}); guessing would be right on {1 / len(listed):.2f} of them."
