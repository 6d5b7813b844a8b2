"""Contents: numbers that stand for what is computed."""

from __future__ import annotations

from loss_lint.symbolic.graph import FALSE, NONE, TRUE, ZERO, const, forget_contents


def test_literals_keep_their_content_between_files() -> None:
    before = const("mean").content
    forget_contents()
    assert [const(value).content for value in (None, True, False, 0)] == [
        kept.content for kept in (NONE, TRUE, FALSE, ZERO)
    ]
    assert const("mean").content != before
