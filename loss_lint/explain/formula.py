"""The formula of a loss: what is computed for one target, how that is reduced, in the letters of the field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.explain.explanation import spelling
from loss_lint.symbolic.walk import effect_of

if TYPE_CHECKING:
    from loss_lint.explain.explanation import Node

# An identifier or call longer than this gets a letter; so does what a formula would repeat.
MAX_NAME = 22
MAX_REPEATED = 16
MAX_TEXT = 220


_NUMBER = re.compile(r"\w[\w.]*(e-\d+)?")


class Term(NamedTuple):
    """A piece of formula and how tightly it binds."""

    text: str
    binds: int


_ADDS, _MULTIPLIES, _POWER, _ATOM = 1, 2, 3, 4
_INFIX = {
    "add": (" + ", _ADDS),
    "sub": (" - ", _ADDS),
    "mul": (" * ", _MULTIPLIES),
    "div": (" / ", _MULTIPLIES),
}
_FUNCTIONS = {"logsigmoid": "log sigmoid", "log_softmax": "log softmax"}
_LETTERS = {"input": "z", "target": "y", "": "x"}


@dataclass(slots=True)
class _Writer:
    symbols: dict[Node, str] = field(default_factory=dict)
    where: list[str] = field(default_factory=list)
    elided: str = ""

    def letter(self, node: Node, wanted: str) -> str:
        if self.elided:
            return self.elided
        known = self.symbols.get(node)
        if known is None:
            known = wanted
            number = 1
            while known in self.symbols.values():
                number += 1
                known = f"{wanted}{number}"
            self.symbols[node] = known
        return known


def formula(tree: Node) -> tuple[tuple[str, ...], Node]:
    """The formula's lines, and the tree with the symbols that they use."""
    writer = _Writer()
    lines = _loss_lines(tree, writer)
    text = next(iter(lines))
    if len(text) > MAX_TEXT or text == writer.symbols.get(tree):
        return (), tree
    return (text, *writer.where), _with_symbols(tree, writer.symbols)


def expression(tree: Node, elided: str = "") -> str:
    """The formula of a value in one line; "" where it is too long.

    What is not known is `elided`, or else there is no formula.
    """
    writer = _Writer(elided=elided)
    text = _term(tree, writer, "x").text
    return text if len(text) <= MAX_TEXT and not writer.symbols else ""


def _with_symbols(node: Node, symbols: dict[Node, str]) -> Node:
    children = tuple(replace(child, node=_with_symbols(child.node, symbols)) for child in node.children)
    return replace(node, children=children, symbol=symbols.get(node, ""))


def _loss_lines(tree: Node, writer: _Writer) -> list[str]:
    if effect_of(tree.name) != "loss" or len(tree.children) < 2:
        return [_term(tree, writer, "x").text]
    element = _element(tree, writer)
    words = _reduction(tree)
    if words is None:
        given = tree.parameter("reduction")
        how = f"reduced by {given}" if " or " in given else "reduced in a way that is not known"
        return [f"{element}, {how}"]
    return [f"{words}{element}"]


# Reductions


def _reduction(tree: Node) -> str | None:
    """`mean over all targets of `; None where the reduction is not known."""
    known = _reduction_name(tree)
    by_target = tree.name in ("cross_entropy", "nll_loss", "linear_cross_entropy")
    what = "targets" if by_target else "elements"
    left_out = _ignored(tree)
    weighted = tree.parameter("weight") not in ("", "None") and by_target
    match known:
        case "mean" if weighted:
            return f"mean over all {what}{left_out}, weighted by w[{{y}}], of ".replace("{y}", "target")
        case "mean":
            return f"mean over all {what}{left_out} of "
        case "batchmean":
            return "sum over all elements, divided by N, of "
        case "sum":
            return f"sum over all {what}{left_out} of "
        case "none":
            return f"for each {what[:-1]}{left_out}: "
        case _:
            return None


def _reduction_name(tree: Node) -> str:
    given = tree.parameter("reduction")
    if not given and tree.name == "adaptive_log_softmax_loss":
        return "mean"
    return given.strip("'") if given[:1] == "'" and given.count("'") == 2 else ""


def _ignored(tree: Node) -> str:
    ignored = tree.parameter("ignore_index")
    return f" but {ignored}" if ignored not in ("", "-100", "None") else ""


# One element


def _element(tree: Node, writer: _Writer) -> str:
    operands = {child.label: child.node for child in tree.children}
    first, second = tree.children[0], tree.children[1]
    build = _ELEMENTS.get(tree.name)
    if build is None:
        inside = ", ".join(
            _term(child.node, writer, _LETTERS.get(child.label, child.label[:1])).text
            for child in tree.children
        )
        return f"{tree.name}({inside})"
    del operands
    return build(tree, first.node, second.node, writer)


def _softmax_of(node: Node, writer: _Writer) -> str:
    return f"softmax({_term(node, writer, 'z').text})"


def _cross_entropy(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    inside = _softmax_of(given, writer)
    if effect_of(target.name) == "softmax" or _is_soft(target):
        return f"-sum over classes of {_factor(target, writer)} log {inside}"
    wanted = _term(target, writer, "y").text
    smoothing = tree.parameter("label_smoothing")
    if smoothing in ("", "0.0", "0"):
        return f"-log {inside}[{wanted}]"
    return f"-(1 - {smoothing}) log {inside}[{wanted}] - {smoothing} (mean over classes of log {inside})"


def _is_soft(target: Node) -> bool:
    """Whether a target is probabilities: a one-hot that has been cast or computed with."""
    return target.name in ("to_float", "mul", "add", "sub") and any(
        node.name == "one_hot" for node in target.walk()
    )


def _nll(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    term = _term(given, writer, "x")
    inside = term.text if term.binds == _ATOM else f"({term.text})"
    return f"-{inside}[{_term(target, writer, 'y').text}]"


def _bce(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    probability = _repeated(given, writer, "p").text
    return _binary(probability, target, writer, "")


def _bce_with_logits(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    probability = f"sigmoid({_repeated(given, writer, 'z').text})"
    weight = tree.parameter("pos_weight")
    return _binary(probability, target, writer, "pos_weight " if weight not in ("", "None") else "")


def _binary(probability: str, target: Node, writer: _Writer, weight: str) -> str:
    wanted = _bracketed(_repeated(target, writer, "y"), _MULTIPLIES)
    if wanted in _ONE:
        return f"-{weight}log {_called(probability)}"
    if wanted in _ZERO:
        return f"-log(1 - {probability})"
    return f"-({weight}{wanted} log {_called(probability)} + (1 - {wanted}) log(1 - {probability}))"


_ONE = frozenset({"1", "1.0"})
_ZERO = frozenset({"0", "0.0"})
_NEUTRAL = {("mul", text) for text in _ONE} | {("add", text) for text in _ZERO}
_FILLED = {"ones": "1", "ones_like": "1", "zeros": "0", "zeros_like": "0"}


def _called(text: str) -> str:
    return text if text.endswith(")") or text.isidentifier() else f"({text})"


def _difference(given: Node, target: Node, writer: _Writer) -> str:
    left = _bracketed(_term(given, writer, "x"), _ADDS)
    right = _bracketed(_term(target, writer, "y"), _MULTIPLIES)
    return f"{left} - {right}"


def _mse(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    return f"({_difference(given, target, writer)})^2"


def _l1(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    return f"|{_difference(given, target, writer)}|"


def _smooth_l1(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    bound = tree.parameter("beta") or "1.0"
    writer.where.append(f"with d = {_difference(given, target, writer)}")
    return f"d^2 / (2 * {bound}) where |d| < {bound}, else |d| - {bound} / 2"


def _huber(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    bound = tree.parameter("delta") or "1.0"
    writer.where.append(f"with d = {_difference(given, target, writer)}")
    return f"d^2 / 2 where |d| <= {bound}, else {bound} (|d| - {bound} / 2)"


def _kl_div(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    wanted = _repeated(target, writer, "q")
    right = _bracketed(_term(given, writer, "x"), _MULTIPLIES)
    if tree.parameter("log_target") == "True":
        return f"exp({wanted.text}) ({_bracketed(wanted, _ADDS)} - {right})"
    return f"{_bracketed(wanted, _POWER)} (log {_called(wanted.text)} - {right})"


def _poisson(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    rate, wanted = _repeated(given, writer, "x"), _bracketed(_term(target, writer, "y"), _MULTIPLIES)
    if tree.parameter("log_input") == "False":
        return f"{rate.text} - {wanted} log({rate.text} + eps)"
    return f"exp({rate.text}) - {wanted} {_bracketed(rate, _POWER)}"


def _soft_margin(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    left = _bracketed(_term(target, writer, "y"), _POWER)
    return f"log(1 + exp(-{left} {_bracketed(_term(given, writer, 'x'), _POWER)}))"


def _gaussian(tree: Node, given: Node, target: Node, writer: _Writer) -> str:
    variance = _repeated(tree.children[2].node, writer, "v").text if len(tree.children) > 2 else "var"
    return f"(log {_called(variance)} + ({_difference(given, target, writer)})^2 / {_called(variance)}) / 2"


def _ranking(tree: Node, given: Node, other: Node, writer: _Writer) -> str:
    wanted = _term(tree.children[2].node, writer, "y").text if len(tree.children) > 2 else "y"
    return f"max(0, -{_called(wanted)} ({_difference(given, other, writer)}) + {tree.parameter('margin') or '0'})"


def _triplet(tree: Node, given: Node, other: Node, writer: _Writer) -> str:
    anchor = _repeated(given, writer, "a").text
    positive = _term(other, writer, "p").text
    negative = _term(tree.children[2].node, writer, "n").text if len(tree.children) > 2 else "n"
    margin = tree.parameter("margin") or "1.0"
    return f"max(0, ||{anchor} - {positive}|| - ||{anchor} - {negative}|| + {margin})"


_ELEMENTS = {
    "cross_entropy": _cross_entropy,
    "nll_loss": _nll,
    "binary_cross_entropy": _bce,
    "binary_cross_entropy_with_logits": _bce_with_logits,
    "multilabel_soft_margin_loss": _bce_with_logits,
    "mse_loss": _mse,
    "l1_loss": _l1,
    "smooth_l1_loss": _smooth_l1,
    "huber_loss": _huber,
    "kl_div": _kl_div,
    "poisson_nll_loss": _poisson,
    "gaussian_nll_loss": _gaussian,
    "soft_margin_loss": _soft_margin,
    "margin_ranking_loss": _ranking,
    "triplet_margin_loss": _triplet,
}


# Terms


def _factor(node: Node, writer: _Writer) -> str:
    return _bracketed(_term(node, writer, "y"), _POWER)


def _bracketed(term: Term, binds: int) -> str:
    return term.text if term.binds >= binds else f"({term.text})"


def _repeated(node: Node, writer: _Writer, wanted: str) -> Term:
    """A term that a formula repeats: a long one gets a letter of its own."""
    term = _term(node, writer, wanted)
    if len(term.text) <= MAX_REPEATED:
        return term
    known = writer.symbols.get(node)
    letter = known or writer.letter(node, wanted)
    if known is None:
        writer.where.append(f"with {letter} = {term.text}")
    return Term(letter, _ATOM)


def _term(node: Node, writer: _Writer, wanted: str) -> Term:
    known = writer.symbols.get(node)
    if known is not None:
        return Term(known, _ATOM)
    if node.kind == "number":
        return Term(node.text, _ATOM if _NUMBER.fullmatch(node.text) or node.text.endswith(")") else _ADDS)
    if node.kind == "sum":
        terms = [child.node for child in node.children if child.label == "plus"]
        inside = " + ".join(_term(term, writer, wanted).text for term in terms)
        started = [
            _term(child.node, writer, wanted).text for child in node.children if child.label == "start"
        ]
        summed = f"sum over the loop of {inside}"
        return Term(f"{started[0]} + ({summed})" if started else summed, _ADDS)
    if node.kind == "operation" and node.name in _FILLED:
        return Term(_FILLED[node.name], _ATOM)
    if node.kind == "operation" and node.name in ("full", "full_like") and _is_number(node):
        value = node.parameter("fill_value")
        return Term(value, _ADDS if value.startswith("-") else _ATOM)
    if node.kind != "operation" or not node.children:
        return _atom(node, writer, wanted)
    operand = node.children[0].node
    kind = effect_of(node.name)
    if node.name in ("getitem", "getattr"):
        inner = _bracketed(_term(operand, writer, wanted), _ATOM)
        return Term(f"{inner}{node.text}", _ATOM)
    if node.name == "gather" and len(node.children) > 1:
        inner = _bracketed(_term(operand, writer, wanted), _ATOM)
        return Term(f"{inner}[{_term(node.children[-1].node, writer, 'y').text}]", _ATOM)
    if kind in ("keep", "cast") or node.name == "item":
        return _term(operand, writer, wanted)
    if node.name in _INFIX and len(node.children) == 2:
        sign, binds = _INFIX[node.name]
        first, second = _term(operand, writer, wanted), _term(node.children[1].node, writer, "x")
        if (node.name, first.text) in _NEUTRAL:
            return second
        if (node.name, second.text) in _NEUTRAL:
            return first
        left = _bracketed(first, binds)
        right = _bracketed(second, binds + (node.name in ("sub", "div")))
        return Term(f"{left}{sign}{right}", binds)
    if node.name == "pow" and len(node.children) == 2:
        exponent = _bracketed(_term(node.children[1].node, writer, "k"), _ATOM)
        return Term(f"{_bracketed(_term(operand, writer, wanted), _ATOM)}^{exponent}", _POWER)
    if node.name == "neg":
        return Term(f"-{_bracketed(_term(operand, writer, wanted), _MULTIPLIES)}", _ADDS)
    if node.name in ("sum", "mean") and node.kind == "operation":
        dim = node.parameter("dim")
        over = f" over dim {dim}" if dim not in ("", "None") else ""
        return Term(f"{node.name}{over} of {_bracketed(_term(operand, writer, wanted), _MULTIPLIES)}", _ADDS)
    if kind == "loss":
        words = _reduction(node)
        return Term(f"{words or node.name + ' of '}{_element(node, writer)}", _ADDS)
    spelled = _FUNCTIONS.get(node.name, spelling(node.name))
    inside = ", ".join(
        _term(child.node, writer, wanted).text
        for child in node.children
        if child.node.kind != "number" or len(node.children) < 3
    )
    return Term(f"{spelled}({inside})", _ATOM)


def _is_number(node: Node) -> bool:
    return bool(_NUMBER.fullmatch(node.parameter("fill_value").removeprefix("-")))


def _atom(node: Node, writer: _Writer, wanted: str) -> Term:
    """What is not looked into: by its own name if that is short, else by a letter."""
    plain = node.text.replace("self.", "")
    if (
        node.kind == "unknown"
        and plain
        and len(plain) <= MAX_NAME
        and "..." not in plain
        and plain[0].isalpha()
        and not plain.startswith(("a ", "an "))
    ):
        simple = plain.replace("_", "").isalnum() or plain.endswith((")", "]"))
        return Term(plain, _ATOM if simple else _ADDS)
    return Term(writer.letter(node, wanted), _ATOM)
