"""Training runs as a picture: loss and accuracy by step, as flagged and as fixed, on one page that explains itself."""

from __future__ import annotations

import difflib
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loss_lint import __version__

if TYPE_CHECKING:
    from loss_lint.harness.training import Course, Training

FORMATS = (".png", ".svg", ".pdf")
WIDTH, HEIGHT = 12.0, 6.75  # inches: a slide
FLAGGED, FIXED = "#c2410c", "#1d4ed8"
_GREY = "#52525b"
_SMOOTHED = 20  # steps that a line of losses is averaged over
_MAX_LINES = 4
_LEFT = 0.065, 0.555


@dataclass(frozen=True, slots=True)
class Panel:
    """A rule's training, with the source texts that differ."""

    code: str
    name: str
    bad: str
    good: str
    training: Training


def draw(panel: Panel, file: str) -> None:
    """Write the picture to `file`, whose name says in which format."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # The same bytes on every run: no time in them, no random ids.
    style: Any = {"svg.hashsalt": "loss-lint", "font.family": "DejaVu Sans", "font.size": 12}
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(file[-4:].lower())
    with rc_context(style):
        figure = Figure(figsize=(WIDTH, HEIGHT), facecolor="white")
        removed, added = _changed(panel.bad, panel.good)
        rows = max(len(removed), len(added), 1)
        bottom = 0.15 + 0.035 * rows
        axes = [figure.add_axes((left, bottom + 0.1, 0.33, 0.68 - bottom)) for left in _LEFT]
        _head(figure, panel)
        _losses(axes[0], panel.training)
        _accuracies(axes[1], panel.training)
        _source(figure, removed, added, bottom)
        figure.text(
            0.035, 0.025, f"{panel.training.setting}, loss-lint {__version__}", color=_GREY, fontsize=8.5
        )
        figure.savefig(file, dpi=120, metadata=metadata)


def _head(figure: Any, panel: Panel) -> None:
    training = panel.training
    steps = max(len(training.flagged.losses), len(training.fixed.losses))
    figure.text(0.035, 0.94, f"{panel.code}  {panel.name}", fontsize=20, fontweight="bold", va="center")
    figure.text(
        0.035,
        0.885,
        f"The same network, data, seed, optimizer and {steps} steps. Only the lines below differ.",
        color=_GREY,
        fontsize=13,
        va="center",
    )


def _losses(axes: Any, training: Training) -> None:
    _frame(axes, "training loss, as each program computes it", training)
    low, high = _window(training)
    axes.set_ylim(low, high)
    for course, colour, label in _courses(training):
        if course.losses:
            steps = range(1, len(course.losses) + 1)
            axes.plot(steps, course.losses, color=colour, alpha=0.2, linewidth=1)
            smooth = _smoothed(course.losses)
            axes.plot(steps, smooth, color=colour, linewidth=_width(colour))
            # A line that leaves the picture says where it goes, at the place where it leaves.
            left = [step for step, loss in zip(steps, smooth, strict=True) if not low <= loss <= high]
            if left and not low <= smooth[-1] <= high:
                edge = low if smooth[left[0] - 1] < low else high
                _label(
                    axes,
                    left[0],
                    edge,
                    f"{label}\nto {smooth[-1]:.2g}",
                    colour,
                    up=10 if edge == low else -10,
                )
            else:
                _label(axes, len(smooth), smooth[-1], f"{label}\n{smooth[-1]:.2g}", colour)
        elif course.error is not None:
            _refusal(axes, course, label, colour)
    _spread(axes)


def _accuracies(axes: Any, training: Training) -> None:
    _frame(axes, "accuracy on held-out images", training)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    for course, colour, label in _courses(training):
        if course.losses:
            steps, shares = zip(*course.accuracy, strict=True)
            axes.plot(steps, shares, color=colour, linewidth=_width(colour))
            _label(axes, steps[-1], shares[-1], f"{label}\n{100 * shares[-1]:.0f} %", colour)
        elif course.error is not None:
            _refusal(axes, course, label, colour)
    _spread(axes)


def _courses(training: Training) -> tuple[tuple[Course, str, str], ...]:
    return (training.flagged, FLAGGED, "as flagged"), (training.fixed, FIXED, "as fixed")


def _width(colour: str) -> float:
    """What is flagged lies below, and shows beside the other line where both are one."""
    return 4.5 if colour == FLAGGED else 2.2


def _frame(axes: Any, title: str, training: Training) -> None:
    axes.set_title(title, loc="left", fontsize=13)
    axes.set_xlabel("step", color=_GREY)
    axes.set_xlim(0, max(len(training.flagged.losses), len(training.fixed.losses), 1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e4e7")
    axes.set_axisbelow(True)
    axes.tick_params(colors=_GREY)


def _label(axes: Any, x: float, y: float, text: str, colour: str, up: float = 0) -> None:
    axes.annotate(
        text, (x, y), xytext=(8, up), textcoords="offset points", color=colour,
        va="center" if not up else ("bottom" if up > 0 else "top"), fontsize=12, fontweight="bold",
        annotation_clip=False,
    )  # fmt: skip


def _refusal(axes: Any, course: Course, label: str, colour: str) -> None:
    lines = textwrap.wrap(f"{label}, torch raises: {course.error}", 36, max_lines=4)
    axes.text(
        0.98, 0.5, "\n".join(lines), color=colour, ha="right", va="center", transform=axes.transAxes,
        fontsize=11, bbox={"facecolor": "white", "edgecolor": colour, "boxstyle": "round,pad=0.5"},
    )  # fmt: skip


def _spread(axes: Any) -> None:
    """Move the labels of lines that end at about the same height apart."""
    labels = [text for text in axes.texts if hasattr(text, "xy") and text.xy[0] >= axes.get_xlim()[1] - 1]
    if len(labels) == 2:
        labels.sort(key=lambda text: text.xy[1])
        low, high = axes.get_ylim()
        points = axes.get_position().height * HEIGHT * 72
        gap = (labels[1].xy[1] - labels[0].xy[1]) / (high - low) * points
        missing = max(0.0, 36 - gap) / 2
        # Neither of them is to leave the panel.
        over = max(0.0, (labels[1].xy[1] - high) / (high - low) * points + missing + 12)
        under = max(0.0, (low - labels[0].xy[1]) / (high - low) * points + missing + 12)
        for label, move in zip(labels, (-missing, missing), strict=True):
            label.set_position((8, move - over + under if missing else 0))


def _window(training: Training) -> tuple[float, float]:
    """What of the losses is shown: all, unless one of them runs away from the other."""
    kept = [loss for loss in training.fixed.losses if math.isfinite(loss)]
    low, high = (min(kept), max(kept)) if kept else (0.0, 1.0)
    span = max(high - low, 1e-3)
    others = [loss for loss in training.flagged.losses if math.isfinite(loss)]
    if others:
        low = max(min(low, *others), low - 1.5 * span)
        high = min(max(high, *others), high + 1.5 * span)
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _smoothed(losses: Sequence[float]) -> list[float]:
    """Each step as the mean of those around it."""
    half = _SMOOTHED // 2
    around = [losses[max(0, step - half) : step + half + 1] for step in range(len(losses))]
    return [sum(part) / len(part) for part in around]


def _source(figure: Any, removed: Sequence[str], added: Sequence[str], top: float) -> None:
    """The lines of both programs that differ, beside each other."""
    for left, lines, colour, title in (
        (_LEFT[0], removed, FLAGGED, "as flagged"),
        (_LEFT[1], added, FIXED, "as fixed"),
    ):
        figure.text(left, top - 0.015, title, color=colour, fontsize=11, fontweight="bold", va="top")
        text = "\n".join(_shortened(line, 56) for line in lines) or "(nothing in its place)"
        figure.text(
            left, top - 0.05, text, color=colour, fontsize=11, family="DejaVu Sans Mono", va="top",
            linespacing=1.4,
        )  # fmt: skip


def _changed(bad: str, good: str) -> tuple[list[str], list[str]]:
    """The lines that only one of the programs has."""
    lines = list(difflib.ndiff(bad.splitlines(), good.splitlines()))
    return tuple(  # type: ignore[return-value]
        [
            line[2:].strip()
            for line in lines
            if line.startswith(sign) and line[2:].strip() and not line[2:].startswith(("import ", "from "))
        ][:_MAX_LINES]
        for sign in ("- ", "+ ")
    )


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
