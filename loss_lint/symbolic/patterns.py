"""`match` patterns: what has to hold for one to fit, and the names that it binds."""

from __future__ import annotations

import ast

from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import FALSE, TRUE, Argument, Leaf, Site, Value, const, external, leaf
from loss_lint.symbolic.guards import strip, truth
from loss_lint.symbolic.heap import Item


def condition(pattern: ast.pattern, subject: Value, act: Activation) -> Value:
    """Whether `subject` fits; binds the names in the pattern on the way."""
    match pattern:
        case ast.MatchValue(value=expression):
            return act.machine.equality(subject, act.machine.evaluate(expression, act), act)
        case ast.MatchSingleton(value=literal):
            return act.machine.identity(subject, const(literal), act)
        case ast.MatchAs(pattern=None, name=name):
            if name is not None:
                act.state.names[name] = subject
            return TRUE
        case ast.MatchAs(pattern=inner, name=name) if inner is not None:
            fits = condition(inner, subject, act)
            if name is not None:
                act.state.names[name] = subject
            return fits
        case ast.MatchOr(patterns=patterns):
            return _any([condition(one, subject, act) for one in patterns], pattern, act)
        case ast.MatchSequence(patterns=patterns):
            return _sequence(patterns, subject, pattern, act)
        case ast.MatchClass():
            return _instance(pattern, subject, act)
        case ast.MatchMapping():
            return _mapping(pattern, subject, act)
        case _:
            return _unknown(subject)


def _unknown(subject: Value) -> Leaf:
    return leaf("unknown", "case", None, (subject,), "a match pattern")


def _any(tests: list[Value], node: ast.pattern, act: Activation) -> Value:
    known = [truth(test) for test in tests]
    if True in known:
        return TRUE
    still_open = tuple(test for test, decided in zip(tests, known, strict=True) if decided is None)
    if len(still_open) <= 1:
        return still_open[0] if still_open else FALSE
    return act.machine.python_op("or", still_open, _site(node, act), act)


def _all(tests: list[Value], node: ast.pattern, act: Activation) -> Value:
    known = [truth(test) for test in tests]
    if False in known:
        return FALSE
    still_open = tuple(test for test, decided in zip(tests, known, strict=True) if decided is None)
    if len(still_open) <= 1:
        return still_open[0] if still_open else TRUE
    return act.machine.python_op("and", still_open, _site(node, act), act)


def _site(node: ast.pattern, act: Activation) -> Site:
    return Site(act.module.path, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def _sequence(patterns: list[ast.pattern], subject: Value, node: ast.pattern, act: Activation) -> Value:
    """`case (a, b)`, `case [first, *rest]`."""
    elements = act.machine.known_elements(subject, act)
    starred = [index for index, one in enumerate(patterns) if isinstance(one, ast.MatchStar)]
    star = starred[0] if starred else len(patterns)
    if elements is not None:
        short = len(elements) < len(patterns) - len(starred)
        if short or (not starred and len(elements) != len(patterns)):
            return FALSE
    tests: list[Value] = [] if elements is not None else [_unknown(subject)]
    for index, one in enumerate(patterns):
        if isinstance(one, ast.MatchStar):
            if one.name is not None:
                act.state.names[one.name] = _rest(elements, star, len(patterns), subject, node, act)
            continue
        position = const(index if index < star else index - len(patterns))
        tests.append(condition(one, act.machine.item(subject, position, _site(one, act), act), act))
    return _all(tests, node, act)


def _rest(
    elements: list[Value] | None, star: int, count: int, subject: Value, node: ast.pattern, act: Activation
) -> Value:
    if elements is None:
        return leaf("unknown", "rest", None, (subject,), "a starred pattern")
    middle = elements[star : len(elements) - (count - star - 1)]
    items = tuple(Item(None, element, frozenset()) for element in middle)
    return act.machine.new_object("builtins.list", _site(node, act), act, items)


def _instance(pattern: ast.MatchClass, subject: Value, act: Activation) -> Value:
    """`case Net(head=h)`: an instance whose attributes fit."""
    cls = act.machine.evaluate(pattern.cls, act)
    site = _site(pattern, act)
    arguments = (Argument(None, subject, site), Argument(None, cls, site))
    tests = [act.machine.call(external("builtins.isinstance"), arguments, site, act)]
    for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
        tests.append(condition(inner, act.machine.attribute(subject, name, site, site, act), act))
    if len(pattern.patterns) == 1 and strip(cls).content in _SELF_MATCHING:
        tests.append(condition(pattern.patterns[0], subject, act))
    else:
        for position, inner in enumerate(pattern.patterns):
            part = act.machine.item(subject, const(position), site, act)
            condition(inner, leaf("unknown", "", site, (part,), "a positional pattern"), act)
            tests.append(_unknown(subject))
    return _all(tests, pattern, act)


# Classes whose one positional pattern is the value itself.
_SELF_MATCHING = frozenset(
    external(f"builtins.{name}").content
    for name in ("bool", "bytes", "dict", "float", "int", "list", "set", "str", "tuple")
)


def _mapping(pattern: ast.MatchMapping, subject: Value, act: Activation) -> Value:
    """`case {"loss": name}`: a mapping that has these keys."""
    items = act.machine.items_of(subject, act)
    site = _site(pattern, act)
    tests: list[Value] = [] if items is not None else [_unknown(subject)]
    for expression, inner in zip(pattern.keys, pattern.patterns, strict=True):
        key = strip(act.machine.evaluate(expression, act))
        if items is not None:
            found = [item for item in items if item.key is not None and item.key.content == key.content]
            if not found:
                return FALSE
            if found[0].guards:
                tests.append(_unknown(subject))
        tests.append(condition(inner, act.machine.item(subject, key, site, act), act))
    if pattern.rest is not None:
        act.state.names[pattern.rest] = leaf(
            "unknown", pattern.rest, None, (subject,), "the rest of a mapping"
        )
    return _all(tests, pattern, act)
