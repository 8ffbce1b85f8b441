"""What an audit's figures mean: pass, warn or fail, with the reasons and the way to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from generator.leaks import Leaks
from generator.record import pictures
from generator.shortcuts import Finding, Told

Level = Literal["pass", "warn", "fail"]
LEVELS: tuple[Level, ...] = ("pass", "warn", "fail")

ALIKE_AUC = 0.6
"""An interval that ends below it passes: a detector that used it all would still be wrong two times in five."""
FAIL_AUC = 0.7
"""From here on a shortcut is cheaper to learn than most traces of a generator (if its interval is above ALIKE_AUC)."""
PICTURE_AUC = 0.9
"""Above it one cheap look of the pictures may be all that a detector learns; that is its right, so it never fails."""
FEW = 20
"""With fewer pictures in a class an interval is so wide that little can be told."""
NEAR_HELD = 0.05
"""Near-copies of so many held-out pictures lift measured accuracy by points, not by its last digit."""

HEADLINES: dict[Level, str] = {
    "pass": "Pass: nothing beside the pictures tells the classes apart.",
    "warn": "Warning: look at this before you train.",
    "fail": "Fail: a detector can be right without looking at the pictures.",
}
GROUPS = {
    "file": "the file alone",
    "history": "the picture's past alone",
    "together": "file and past together",
    "picture": "the picture's cheapest looks",
}


@dataclass(frozen=True)
class Reason:
    """One thing that was found: how bad it is, and a sentence."""

    level: Level
    text: str


@dataclass(frozen=True)
class Judgement:
    """The verdict, its reasons with the worst first, and the fact that gives the classes away (None where none)."""

    verdict: Level
    reasons: tuple[Reason, ...]
    worst: Told | None
    copies: bool
    """Whether copies or sources cross the splits, which no way of writing pictures mends."""


def judge(findings: Mapping[str, Finding], leaks: Leaks, classes: Mapping[str, int]) -> Judgement:
    """Return what to say of the findings by group (see `GROUPS`), of leaks, and of the number of pictures a class."""
    reasons = [*_shortcuts(findings), *_leaks(leaks), *_numbers(findings, classes)]
    reasons.sort(key=lambda reason: -LEVELS.index(reason.level))
    verdict = reasons[0].level if reasons else "pass"
    copies = bool(leaks.same_bytes or leaks.near or leaks.near_classes or leaks.sources)
    return Judgement(verdict, tuple(reasons), _worst(findings), copies)


def level_of(finding: Finding) -> Level:
    """Return how bad it is that the classes can be told apart by a group of facts that no detector should use."""
    low, high = finding.auc.low, finding.auc.high
    if low <= 0.5 or high < ALIKE_AUC:
        return "pass"
    return "fail" if finding.auc.value >= FAIL_AUC and low > ALIKE_AUC else "warn"


def _shortcuts(findings: Mapping[str, Finding]) -> list[Reason]:
    reasons = []
    for key in ("file", "history", "together"):
        if key not in findings or (level := level_of(findings[key])) == "pass":
            continue
        if key == "together" and any(level_of(findings[one]) == level for one in ("file", "history")):
            continue
        auc = findings[key].auc
        text = f"The classes can be told apart by {GROUPS[key]}: AUC {auc.value:.2f} ({auc.low:.2f}–{auc.high:.2f})"
        reasons.append(Reason(level, f"{text}{_most(findings[key].facts[0])}."))
    if not any(reason.level == "fail" for reason in reasons):  # a file's fault shows in its looks, too
        reasons.extend(_looks(findings))
    return reasons


def _looks(findings: Mapping[str, Finding]) -> list[Reason]:
    look = findings["picture"].facts[0] if "picture" in findings else None
    if look is None or look.auc <= PICTURE_AUC:
        return []
    text = f"The classes can be told apart by the {look.name} alone (AUC {look.auc:.2f}); a detector may learn no more."
    return [Reason("warn", text)]


def _most(fact: Told) -> str:
    return f", most of all by the {fact.name}" if fact.auc >= ALIKE_AUC else ", by no single fact but several together"


def _leaks(leaks: Leaks) -> list[Reason]:
    reasons = []
    if leaks.same_bytes:
        reasons.append(Reason("fail", f"{_copies(leaks.same_bytes, 'identical')} in two splits or two classes."))
    if leaks.near:
        level: Level = "fail" if leaks.near_held > NEAR_HELD else "warn"
        part = f" ({leaks.near_held:.0%} of the pictures outside train)"
        reasons.append(Reason(level, f"{_copies(leaks.near, 'nearly the same')} in two splits{part}."))
    if leaks.near_classes:
        reasons.append(Reason("warn", f"{_copies(leaks.near_classes, 'nearly the same')} in two classes."))
    if leaks.sources:
        reasons.append(Reason("warn", f"{len(leaks.sources)} sources of dataset.json are in more than one split, "
                                      f"the first is {leaks.sources[0]}."))  # fmt: skip
    return reasons


def _copies(groups: tuple[tuple[str, ...], ...], how: str) -> str:
    count = "One picture is" if len(groups) == 1 else f"{len(groups)} pictures are"
    return f"{count} {how} ({groups[0][0]} and {groups[0][1]}{', for one' if len(groups) > 1 else ''})"


def _numbers(findings: Mapping[str, Finding], classes: Mapping[str, int]) -> list[Reason]:
    name, fewest = min(classes.items(), key=lambda pair: pair[1])
    if not findings:
        return [Reason("warn", f"The class {name} has {pictures(fewest, 'readable')}: too few to tell anything.")]
    if fewest < FEW:
        return [Reason("warn", f"The class {name} has only {pictures(fewest)}: the intervals are wide, and this tells "
                               "little.")]  # fmt: skip
    return []


def _worst(findings: Mapping[str, Finding]) -> Told | None:
    """Return the most telling fact of the group that no detector should use and that tells most."""
    bad = [findings[key] for key in ("file", "history", "together") if key in findings]
    bad = [finding for finding in bad if level_of(finding) != "pass"]
    return max(bad, key=lambda finding: finding.facts[0].auc).facts[0] if bad else None
