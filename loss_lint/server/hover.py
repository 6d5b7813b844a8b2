"""What an editor shows of a place: the findings there, and what its losses compute."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from loss_lint.report.palette import Palette
from loss_lint.report.tree import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loss_lint.explain.explanation import Explanation, Loss
    from loss_lint.findings import Finding, Place
    from loss_lint.server.messages import Hover

# As many losses are shown; a function that many of them pass through is better looked at with `show`.
_MAX_LOSSES = 3
_WIDTH = 76
_SECTION = re.compile(r"^## ", re.MULTILINE)


def shown_at(
    asked: Hover, explanation: Explanation | None, findings: Iterable[Finding]
) -> tuple[str, Place] | None:
    """Markdown for a place, and the place that it is about; None where there is nothing to say."""
    parts: list[str] = []
    places: list[Place] = []
    for finding in findings:
        place = next((one for one in (finding.place, *finding.also) if _holds(one, asked)), None)
        if place is not None:
            parts.append(_lead(finding))
            places.append(place)
    if explanation is not None:
        here = [loss for loss in explanation.losses if any(_holds(one, asked) for one in _places(loss))]
        elsewhere = [
            loss for loss in explanation.elsewhere if any(_holds(one, asked) for one in _places(loss))
        ]
        elsewhere = elsewhere[: max(0, _MAX_LOSSES - len(here))]
        chosen = replace(
            explanation, losses=tuple(here[:_MAX_LOSSES]), elsewhere=tuple(elsewhere), limits=(), others=()
        )
        if here or elsewhere:
            parts.append(_trees(chosen, asked))
            held = [one for loss in (*here, *elsewhere) for one in _places(loss) if _holds(one, asked)]
            places.append(min(held, key=_size))
    if not parts:
        return None
    return "\n\n---\n\n".join(parts), min(places, key=_size)


def _places(loss: Loss) -> Iterator[Place]:
    yield loss.place
    for reading in loss.readings:
        yield from reading.places()


def _holds(place: Place, asked: Hover) -> bool:
    at = (asked.line, asked.column)
    return (
        place.path == asked.path
        and (place.line, place.column) <= at
        and at < (place.end_line, max(place.end_column, place.column + 1))
    )


def _size(place: Place) -> tuple[int, int]:
    return (place.end_line - place.line, place.end_column - place.column)


def _trees(explanation: Explanation, asked: Hover) -> str:
    folder = os.path.dirname(asked.path)
    text = "".join(render(explanation, asked.line, Palette(), folder, _WIDTH)).rstrip("\n")
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _lead(finding: Finding) -> str:
    """A finding's message, and how its rule's page begins."""
    from loss_lint.rules import all_rules, documentation

    text = f"**{finding.code}** {finding.name}: {_plain(finding.message)}"
    rule = next((rule for rule in all_rules() if rule.code == finding.code), None)
    if rule is None:
        return text
    sections = {title: body.strip() for title, body in _sections(documentation(rule))}
    body = [sections[title] for title in ("What it does", "Why is this bad?") if title in sections]
    return "\n\n".join([text, *body])


def _sections(page: str) -> Iterator[tuple[str, str]]:
    for part in _SECTION.split(page)[1:]:
        title, _, body = part.partition("\n")
        yield title.strip(), body


def _plain(text: str) -> str:
    """Text in which Markdown sees no markup of its own."""
    return re.sub(r"([\\*_\[\]<>#])", r"\\\1", text)
