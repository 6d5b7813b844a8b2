"""What was measured, as a page and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from growth import Point, line

Rows = dict[str, Any]


def written(results: Rows, folder: Path) -> None:
    """Write the page, and the picture where growth was measured."""
    (folder / "README.md").write_text(page(results), encoding="utf-8")
    if "growth" in results:
        drawn(results["growth"], folder / "growth.svg")


def page(results: Rows) -> str:
    """All tables, with what they were measured on."""
    parts = [HEAD, _machine(results["machine"]), "\n## Whole trees\n\n", table(results)]
    if "flake8" in results:
        parts += ["\n## flake8 with the plugin\n\n", _flake8(results["flake8"])]
    if "start" in results:
        parts += ["\n## Start\n\n", _start(results["start"])]
    if "growth" in results:
        parts += ["\n## Growth\n\n", growth_line(results["growth"]), "\n\n![time by lines](growth.svg)\n"]
    return "".join(parts)


HEAD = """# Benchmarks

Written by `python benchmarks/run.py`, which says what it needs. Medians of wall times; one tool at a time.

"""


def _machine(facts: Rows) -> str:
    where = (
        facts["processor"],
        f"{facts['cores']} cores",
        facts["memory"],
        facts["system"],
        f"Python {facts['python']}",
    )
    return f"Machine: {', '.join(where)}.\n"


def table(results: Rows) -> str:
    """Wall time and memory of each tool on each tree, and how many times loss-lint's time with one process it is."""
    rows = ["| tree | tool | wall | memory | times loss-lint's |", "| --- | --- | ---: | ---: | ---: |"]
    cold = results.get("cold", {})
    for tree, costs in cold.items():
        if tree == "versions":
            continue
        ours = costs["loss-lint, one process"]["wall"]
        measured = {tool: row for tool, row in costs.items() if tool != "lines"}
        for part in ("warm", "peers", "slow"):
            measured |= results.get(part, {}).get(tree, {})
        for tool, row in sorted(measured.items(), key=lambda item: item[1]["wall"]):
            named = f"{tool} {cold['versions'][tool]}" if tool in cold["versions"] else tool
            place = f"{tree}, {costs['lines']:,} lines"
            wall, memory = row["wall"], row["memory"]
            rows.append(f"| {place} | {named} | {seconds(wall)} | {memory:.0f} MB | {_ratio(wall / ours)} |")
    return "\n".join(rows) + "\n"


def _ratio(times: float) -> str:
    return f"{times:.0f}" if times >= 10 else f"{times:.2g}"


def _flake8(results: Rows) -> str:
    rows = ["| tree | flake8 | with loss-lint | more |", "| --- | ---: | ---: | ---: |"]
    for tree, costs in results.items():
        if tree != "versions":
            alone, ours = costs["flake8"]["wall"], costs["flake8 with loss-lint"]["wall"]
            rows.append(f"| {tree} | {seconds(alone)} | {seconds(ours)} | {ours / alone - 1:+.1%} |")
    return "\n".join(rows) + "\n"


def _start(results: Rows) -> str:
    bare = results["python -c pass"]["wall"]
    rows = ["| command | wall | bare interpreters |", "| --- | ---: | ---: |"]
    rows += [
        f"| `{command}` | {1000 * row['wall']:.0f} ms | {row['wall'] / bare:.1f} |"
        for command, row in results.items()
    ]
    return "\n".join(rows) + "\n"


def growth_line(growth: Rows) -> str:
    """The slope in words."""
    slope, start, explained = line(_points(growth))
    return (
        f"Parts of {growth['tree']}, one process, no cache: {1e6 * slope:.1f} µs a line and {start:.1f} s before the "
        f"first; a straight line explains {explained:.1%} of the variance."
    )


def _points(growth: Rows) -> list[Point]:
    return [Point(**point) for point in growth["points"]]


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def drawn(growth: Rows, path: Path) -> None:
    """Draw the points and the straight line through them; needs matplotlib (`pip install -e ".[plot]"`)."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    measured = _points(growth)
    slope, start, explained = line(measured)
    most = max(point.lines for point in measured)
    mpl.rcParams["svg.hashsalt"] = "loss-lint"  # so that equal figures are equal files
    figure = Figure(figsize=(7.5, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, most], [start, start + slope * most], "--", color="tab:red", label="straight line")
    axes.plot([point.lines for point in measured], [point.wall for point in measured], "o", label="measured")
    axes.set_title(
        f"loss-lint check on parts of {growth['tree']}: {1e6 * slope:.1f} µs a line (R² {explained:.3f})"
    )
    axes.set_xlabel("lines of Python")
    axes.set_ylabel("seconds, one process, no cache")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
