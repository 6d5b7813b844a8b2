"""Writes what follows from the code into the documentation: `docs/rules/`, the outputs in the README and on other
pages, and the changelog's list of rules.

The numbers on the rules' pages are measured for it, which needs torch, and kept in the package beside the rules,
so that `loss-lint rule` shows the same page without torch.

Run from the repository's root: `python docs/build.py`. With `--check` nothing is written; the exit status is 1
where a file is stale. With `--agreement` the tables of all fixtures in `agreement.md` are made anew, too; the tests of
`watching/` tell where these are stale.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "docs" / "rules"
MEASURED = ROOT / "loss_lint" / "rules" / "measured"
README = ROOT / "README.md"
WATCH = ROOT / "docs" / "watch.md"
AGREEMENT = ROOT / "docs" / "agreement.md"
# Pages with outputs of commands, and nothing else that is generated.
PLAIN = (AGREEMENT, ROOT / "docs" / "check.md", ROOT / "docs" / "proof.md")
FIXTURES = ROOT / "fixtures"
BENCHMARKS = ROOT / "benchmarks"
CHANGELOG = ROOT / "CHANGELOG.md"


def pages() -> dict[Path, str]:
    """Every generated file with the text that it should have."""
    from loss_lint.harness.pages import measured
    from loss_lint.rules import all_rules, docstring
    from loss_lint.rules.page import encoded, page

    wanted = {}
    for rule in all_rules():
        numbers = measured(rule)
        if numbers is not None:
            wanted[MEASURED / f"{rule.name}.json"] = encoded(numbers)
        wanted[RULES / f"{rule.name}.md"] = page(rule, docstring(rule), numbers) + "\n"
    wanted[README] = _with_benchmarks(_with_outputs(README.read_text(encoding="utf-8")))
    wanted[RULES / "README.md"] = _with_rules((RULES / "README.md").read_text(encoding="utf-8"))
    wanted[WATCH] = _with_outputs(_with_watched(WATCH.read_text(encoding="utf-8")))
    for plain in PLAIN:
        wanted[plain] = _with_outputs(plain.read_text(encoding="utf-8"))
    wanted[CHANGELOG] = re.sub(
        r"(<!-- codes -->\n).*?(  <!-- /codes -->)",
        lambda match: match[1] + _codes() + match[2],
        CHANGELOG.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    return wanted


def _with_rules(text: str) -> str:
    """A text with the table of all rules."""
    return re.sub(
        r"(<!-- rules -->\n).*?(<!-- /rules -->)",
        lambda match: match[1] + rule_table() + match[2],
        text,
        flags=re.DOTALL,
    )


def _with_benchmarks(text: str) -> str:
    """A text with what `benchmarks/run.py` has measured last."""
    sys.path.insert(0, str(BENCHMARKS))
    from report import growth_line, table

    results = json.loads((BENCHMARKS / "results.json").read_text(encoding="utf-8"))
    shown = f"{table(results)}\n{growth_line(results['growth'])}\n\n![time by lines](benchmarks/growth.svg)\n"
    return re.sub(
        r"(<!-- benchmarks -->\n).*?(<!-- /benchmarks -->)",
        lambda match: match[1] + shown + match[2],
        text,
        flags=re.DOTALL,
    )


def _with_outputs(text: str) -> str:
    """A text with the outputs of its commands made anew."""
    return re.sub(
        r"(<!-- output: (.+?) -->\n```text\n).*?(```\n)",
        lambda match: match[1] + output_of(match[2]) + match[3],
        text,
        flags=re.DOTALL,
    )


def _with_watched(text: str) -> str:
    """The page on watching with its table of what a run can show."""
    from loss_lint.selection import known_codes
    from loss_lint.watching.kinds import SEEN

    names = {rule.code: rule.name for rule in known_codes()}
    rows = ["| code | name | what is seen |", "| --- | --- | --- |"]
    for code, seen in SEEN.items():
        name = names[code]
        rows.append(
            f"| {code} | {name if code.startswith('LOSW') else f'[{name}](rules/{name}.md)'} | {seen} |"
        )
    table = "\n".join(rows) + "\n"
    return re.sub(
        r"(<!-- watched -->\n).*?(<!-- /watched -->)",
        lambda match: match[1] + table + match[2],
        text,
        flags=re.DOTALL,
    )


def agreement(text: str) -> str:
    """The page on agreement with its tables of all fixtures made anew, which takes a minute or two."""
    folders = sorted(folder for folder in (FIXTURES / "rules").iterdir() if folder.is_dir())
    scripts = [
        path for kind in ("bad", "raising") for path in sorted((FIXTURES / "watch" / kind).glob("*.py"))
    ]
    tables = {
        "fixtures": (
            "| fixture | findings | harness confirms | watcher finds | watcher confirms | watcher is blind |",
            map(fixture_row, folders),
        ),
        "scripts": (
            "| program | code | static | harness | watcher |",
            (row for one in scripts for row in script_rows(one)),
        ),
    }
    for name, (head, rows) in tables.items():
        table = "\n".join([head, "| --- " * (head.count("|") - 1) + "|", *rows]) + "\n"
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda match, table=table: match[1] + table + match[2],
            text,
            flags=re.DOTALL,
        )
    return text


def fixture_row(folder: Path) -> str:
    """What the harness and the watcher say of the findings in a rule's bad programs; raises where they disagree."""
    from loss_lint.watching.cases import of_file

    found = list(of_file(str(folder / "bad.py")))
    assert all(case.agrees for case in found), [case for case in found if not case.agrees]
    flagged = [case for case in found if case.kind == "flagged"]
    confirmed = sum(case.harness.outcome == "confirms" for case in flagged)
    watched = Counter(case.watcher.outcome for case in flagged)
    why = Counter(case.watcher.detail for case in flagged if case.watcher.outcome == "blind")
    blind = "; ".join(f"{count}: {reason}" for reason, count in sorted(why.items())) or "0"
    cells = (folder.name, len(flagged), confirmed, watched["finds"], watched["confirms"], blind)
    return f"| {' | '.join(map(str, cells))} |"


def script_rows(path: Path) -> list[str]:
    """What all three say of a program that is run; raises where they disagree."""
    from loss_lint.watching.cases import of_script

    found = list(of_script(str(path)))
    assert all(case.agrees for case in found), [case for case in found if not case.agrees]
    return [
        f"| {path.parent.name}/{path.name}:{case.line} | {case.code} | "
        + " | ".join(f"{one.outcome}{f': {one.detail}' if one.detail else ''}" for one in case.answers)
        + " |"
        for case in found
    ]


def rule_table() -> str:
    from loss_lint.rules import all_rules

    rows = ["| code | name | what it flags | fix |", "| --- | --- | --- | --- |"]
    for rule in all_rules():
        link = f"[{rule.name}]({rule.name}.md)"
        rows.append(f"| {rule.code} | {link} | {rule.summary} | {'-' if rule.fix == 'none' else rule.fix} |")
    return "\n".join(rows) + "\n"


def _codes() -> str:
    """The codes of all rules, as the lines of an item in a list."""
    from loss_lint.rules import all_rules

    text = ", ".join(rule.code for rule in all_rules())
    return "".join(f"  {line}\n" for line in textwrap.wrap(text + ".", 110))


def output_of(command: str) -> str:
    """What a `loss-lint` command prints, run from the repository's root; `run` prints findings to standard error."""
    arguments = command.split()
    assert arguments[0] == "loss-lint"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "loss_lint",
            *arguments[1:],
            *(["--no-cache"] if arguments[1] == "check" else []),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    text = done.stdout + (done.stderr if arguments[1] == "run" else "")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def main(arguments: list[str]) -> int:
    wanted = pages()
    if "--agreement" in arguments:
        wanted[AGREEMENT] = agreement(wanted[AGREEMENT])
    stale = [
        path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    obsolete = sorted({*RULES.glob("*.md"), *MEASURED.glob("*.json")} - set(wanted))
    if "--check" in arguments:
        for path in [*stale, *obsolete]:
            print(f"stale: {path.relative_to(ROOT)}; run `python docs/build.py`")
        return 1 if stale or obsolete else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in obsolete:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
