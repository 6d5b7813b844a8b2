"""Lints real packages, pinned by version, and says what changed against the findings that were read and judged.

    python tests/ecosystem/run.py                 # all packages: minutes
    python tests/ecosystem/run.py timm kornia     # some
    python tests/ecosystem/run.py --record        # write down what is new, to be judged by hand

`findings.json` holds, by package, every finding with a verdict: `true` (the code is wrong as said), `harmless` (it is
as said and changes nothing that matters there), `false` (the code is right). Exit status: 0 nothing changed, 1
something did.
Packages are downloaded once, below `--work` (default: `.ecosystem`), unpacked, and never imported.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORD = HERE / "findings.json"
PINNED = HERE / "packages.txt"
UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    """A finding in a package; `path` begins at the package's own folder."""

    path: str
    line: int
    code: str
    message: str
    verdict: str = UNJUDGED
    why: str = ""

    @property
    def key(self) -> tuple[str, int, str]:
        return self.path, self.line, self.code


def pinned() -> dict[str, str]:
    """The packages and their versions."""
    lines = (line.partition("#")[0].strip() for line in PINNED.read_text().splitlines())
    return dict(line.split("==") for line in lines if line)


def unpacked(package: str, version: str, work: Path) -> Path:
    """The folder with a package's source; raises CalledProcessError where it cannot be downloaded."""
    folder = work / f"{package}-{version}"
    if folder.exists():
        return folder
    downloads = work / "downloads" / package
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-d",
        str(downloads),
    ]
    subprocess.run([*command, f"{package}=={version}"], check=True, capture_output=True)
    (archive,) = downloads.iterdir()
    part = work / f"{package}.part"
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(part)
    else:
        with tarfile.open(archive) as source:
            source.extractall(part, filter="data")
    part.rename(folder)
    return folder


def linted(folder: Path) -> list[Seen]:
    """What `loss-lint check` says of a package, sorted."""
    command = [
        sys.executable,
        "-m",
        "loss_lint",
        "check",
        str(folder),
        "--isolated",
        "--no-cache",
        "--no-respect-gitignore",
    ]
    done = subprocess.run(
        [*command, "--output-format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{folder.name}: exit status {done.returncode}\n{done.stderr}")
    found = []
    for one in json.loads(done.stdout):
        path = Path(one["filename"]).relative_to(folder).as_posix()
        found.append(Seen(path, one["location"]["row"], one["code"], one["message"]))
    return sorted(found)


def recorded() -> dict[str, list[Seen]]:
    """The judged findings by package."""
    return {name: [Seen(**one) for one in found] for name, found in json.loads(RECORD.read_text()).items()}


def changes(before: Iterable[Seen], now: Iterable[Seen]) -> tuple[list[Seen], list[Seen]]:
    """What is new, and what is gone."""
    known = {one.key: one for one in before}
    current = {one.key: one for one in now}
    new = [one for key, one in current.items() if key not in known]
    gone = [one for key, one in known.items() if key not in current]
    return new, gone


def precision(found: Iterable[Seen]) -> Iterator[str]:
    """A table: how many findings of each rule are true, harmless, false, and the share that is not false."""
    counts: dict[str, Counter[str]] = {}
    for one in found:
        counts.setdefault(one.code, Counter())[one.verdict] += 1
    yield "| code | true | harmless | false | unjudged | precision |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for code, by in sorted(counts.items()):
        judged = by["true"] + by["harmless"] + by["false"]
        share = f"{1 - by['false'] / judged:.0%}" if judged else "-"
        yield f"| {code} | {by['true']} | {by['harmless']} | {by['false']} | {by[UNJUDGED]} | {share} |"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*", help="what to lint (default: all that are pinned)")
    parser.add_argument(
        "--record", action="store_true", help="write down what is found, keeping the verdicts"
    )
    parser.add_argument("--work", type=Path, default=HERE.parents[1] / ".ecosystem")
    options = parser.parse_args(arguments)
    known, changed = recorded(), False
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    versions = pinned()
    unknown = [one for one in options.packages if one not in versions]
    if unknown:
        parser.error(f"not among the pinned packages: {', '.join(unknown)}")
    for package in options.packages or versions:
        now = linted(unpacked(package, versions[package], work))
        before = known.get(package, [])
        new, gone = changes(before, now)
        changed = changed or bool(new or gone)
        print(
            f"{package} {versions[package]}: {len(now)} findings, {len(new)} new, {len(gone)} gone",
            flush=True,
        )
        for sign, those in (("+", new), ("-", gone)):
            for one in those:
                print(f"  {sign} {one.path}:{one.line}: {one.code} {one.message}")
        judged = {one.key: one for one in before}
        known[package] = [
            replace(one, verdict=judged[one.key].verdict, why=judged[one.key].why)
            if one.key in judged
            else one
            for one in now
        ]
    if options.record:
        text = json.dumps(
            {name: [asdict(one) for one in found] for name, found in sorted(known.items())}, indent=1
        )
        RECORD.write_text(text + "\n", encoding="utf-8")
    print("\n".join(precision(one for found in known.values() for one in found)))
    return int(changed and not options.record)


if __name__ == "__main__":
    sys.exit(main())
