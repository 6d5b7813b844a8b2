"""# unreadable-file (LOS000)

## What it does

Reports files that cannot be read, decoded or parsed by the running Python. Each cell of a notebook that cannot be
parsed is reported by itself, and the others are checked without it.

## Why is this bad?

Nothing in such a file was checked, so silence about it would mean nothing. Files that do not hold the bytes
`torch` are not parsed at all.

## Not flagged

Files without torch; notebooks in other languages, and cells that a magic such as `%%bash` gives to another one.

## Fix safety

There is no fix.

## References

- [ast.parse](https://docs.python.org/3/library/ast.html#ast.parse)
"""

from loss_lint.rules.rule import Rule

RULE = Rule(
    code="LOS000",
    name="unreadable-file",
    summary="a file that cannot be read or parsed",
    claim=(),
    fix="none",
)
