"""From values of the graph to trees of steps that people read."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from loss_lint import catalogue
from loss_lint.explain.conditions import conditions, stated
from loss_lint.explain.explanation import Child, Node, spelling
from loss_lint.explain.reasons import Context, source, why
from loss_lint.symbolic.describe import QUIET, reveal
from loss_lint.symbolic.graph import (
    Accumulated,
    Alternatives,
    Class,
    Const,
    External,
    Guards,
    Lazy,
    Leaf,
    Object,
    Op,
    Phi,
    Tuple,
    Value,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.reductions import legacy_strings
from loss_lint.symbolic.walk import KEEPING, Walk, effect, views
from loss_lint.syntax.site import short

if TYPE_CHECKING:
    from loss_lint.findings import Place
    from loss_lint.symbolic.graph import Frame, Site

# Limits on one tree: what lies past them is not shown.
MAX_NODES = 60
MAX_DEPTH = 12
# How far what goes into a product of tensors is shown.
MAX_PRODUCT_DEPTH = 2
MAX_READINGS = 6
MAX_PARTS = 6
_MAX_TEXT = 40
_MAX_CALL = 60

# Where to and how a tensor is laid out says nothing of its numbers.
_MOVES = frozenset({"to", "cpu", "cuda", "contiguous", "clone", "identity", "pin_memory"})
_TELLING = frozenset(
    {
        "softmax",
        "log_softmax",
        "sigmoid",
        "logsigmoid",
        "squash",
        "reduce",
        "argmax",
        "one_hot",
        "arithmetic",
        "unary",
        "loss",
    }
)
_SHAPES = frozenset({"size", "sizes", "shape", "dims"})
# Where the numbers of different features meet: what comes out is as good as unknown numbers.
_MIXING = frozenset(
    {"linear", "bilinear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
     "embedding", "embedding_bag", "rnn", "lstm", "gru", "rnn_cell", "lstm_cell", "gru_cell",
     "scaled_dot_product_attention", "multi_head_attention", "transformer", "transformer_encoder",
     "transformer_decoder", "transformer_encoder_layer", "transformer_decoder_layer"}
)  # fmt: skip
_PRODUCTS = frozenset(
    {"matmul", "mm", "bmm", "mv", "einsum", "tensordot", "addmm", "baddbmm", "outer", "dot"}
)
_PYTHON = frozenset(
    {"lookup", "map_entry", "zip", "enumerate", "range", "items", "keys", "values", "list",
     "set", "dict", "setitem"}
)  # fmt: skip
INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@"}
# What stands for a loss in the formula of what is made of it.
LOSS_SYMBOL = "L"
# Of a layer's configuration, what tells it from others of its kind.
_LAYER_PARAMETERS = (
    "in_features",
    "in_channels",
    "num_embeddings",
    "input_size",
    "out_features",
    "out_channels",
    "embedding_dim",
    "hidden_size",
    "num_features",
)


class TreeBuilder:
    """Builds the trees of one loss; all of them share a budget."""

    def __init__(self, context: Context, loss: Op | None = None) -> None:
        self._context = context
        self._remaining = MAX_NODES
        # Where a loss is part of something larger, losses are not looked into.
        self._loss = loss
        self.others: list[tuple[Op, str]] = []
        # The function that computes the loss, and all that called it.
        self._home: tuple[Frame, ...] = ()

    def of_op(self, op: Op) -> Node:
        """The tree under an operation."""
        self._home = _callers(op.frame)
        return self._operation(op, op.guards, MAX_DEPTH)

    def of_operand(self, op: Op, position: int) -> Node:
        """The tree of what goes into an operation."""
        self._home = _callers(op.frame)
        return self.of(op.operands[position], op.guards)

    def of(self, value: Value, guards: Guards) -> Node:
        """The tree of a value as it is under `guards`."""
        return self._value(value, guards, MAX_DEPTH)

    def aside(self, value: Value, guards: Guards) -> Node:
        """The tree of a value that is only mentioned."""
        return TreeBuilder(self._context).of(value, guards)

    def conditions(self, guards: Guards) -> tuple[str, ...]:
        return stated(guards, self._context.places)

    def place(self, site: Site | None) -> Place | None:
        return self._context.places.place(site) if site is not None and site.line else None

    def written(self, site: Site, longest: int = _MAX_TEXT) -> str:
        """The source of a site, if it is short."""
        text = " ".join(self._context.places.text(site).split())
        return text if len(text) <= longest else ""

    def inline(self, value: Value) -> str:
        """A value in few characters, as an argument of an operation's text."""
        plain = strip(value)
        match plain:
            case Const(value=literal):
                return repr(literal)
            case Tuple(items=items) if len(items) <= MAX_PARTS:
                inside = ", ".join(self.inline(item) for item in items)
                return f"({inside},)" if len(items) == 1 else f"({inside})"
            case Op(name="slice"):
                return source(plain, self._context) or ":"
            case Op(name="legacy_reduction"):
                return " or ".join(repr(one) for one in legacy_strings(plain))
            case Leaf(default=Const(value=literal)):
                return plain.name or repr(literal)
            case Alternatives(branches=branches):
                each = (self.inline(branch).split(" or ") for _, branch in branches)
                texts = dict.fromkeys(text for texts in each for text in texts)
                joined = " or ".join(texts)
                return joined if len(joined) <= _MAX_TEXT else "..."
            case External(name=name):
                return name
            case _:
                text = source(plain, self._context)
                if not text:
                    text = plain.role if isinstance(plain, Leaf) else self._infixed(plain)
                return text if len(text) <= _MAX_TEXT else "..."

    def _infixed(self, value: Value) -> str:
        if isinstance(value, Op) and value.name in INFIX and len(value.operands) == 2:
            return infixed(value.name, *(self.inline(operand) for operand in value.operands))
        return reveal(value, 2)

    def _value(self, value: Value, guards: Guards, depth: int) -> Node:
        self._remaining -= 1
        if self._remaining < 0 or depth == 0:
            return self._cut(value)
        walk = Walk(every=True)
        found = []
        for view in views(value, guards, walk):
            found.append(view)
            if len(found) > MAX_READINGS:
                break
        distinct = {(view.node.content, view.guards - guards): view for view in found}
        if not distinct:
            return Node("unknown", "", "?", note="nothing that can be under these conditions")
        if len({content for content, _ in distinct}) == 1:
            view = found[0]
            return self._node(view.node, guards, depth)
        children = [
            Child(
                self._node(view.node, view.guards, depth - 1),
                when=conditions(view.guards - guards, self._context.places),
            )
            for view in list(distinct.values())[:MAX_READINGS]
        ]
        merged = _merged(children)
        if len(merged) == 1:
            return merged[0].node
        more = "and more" if len(distinct) > MAX_READINGS or walk.exhausted else ""
        return Node("choice", "", "one of", note=more, children=merged)

    def _cut(self, value: Value) -> Node:
        """What is not shown any more."""
        plain = strip(value)
        if isinstance(plain, Const):
            return Node("number", "", repr(plain.value))
        name = plain.name if isinstance(plain, Op) else ""
        site = plain.site if isinstance(plain, Op | Leaf) else None
        text = source(plain, self._context) or (f"{name}(...)" if name else "...")
        return Node("unknown", text, text, self.place(site), None, "not shown further")

    def _node(self, value: Value, guards: Guards, depth: int) -> Node:
        match value:
            case Const(value=literal):
                return Node("number", "", repr(literal))
            case Op():
                return self._operation(value, guards, depth)
            case Leaf():
                return self._leaf(value, guards, depth)
            case Accumulated(init=init, terms=terms, loop=loop):
                children = tuple(
                    Child(self._value(term, guards, depth - 1), "plus") for term in terms[:MAX_PARTS]
                )
                if not (isinstance(strip(init), Const)):
                    children = (Child(self._value(init, guards, depth - 1), "start"), *children)
                return Node(
                    "sum",
                    "sum",
                    f"sum over the loop at {short(loop.site)}",
                    self.place(loop.site),
                    None,
                    "",
                    children,
                )
            case Tuple(items=items):
                children = tuple(Child(self._value(item, guards, depth - 1)) for item in items[:MAX_PARTS])
                more = f"{len(items)} items" if len(items) > MAX_PARTS else ""
                return Node("sequence", "", f"a tuple of {len(items)}", note=more, children=children)
            case Object(cls=cls, site=site):
                name = cls.name.rpartition(".")[2]
                article = "an" if name[:1] in "AEIOUaeiou" else "a"
                return Node("unknown", name, f"{article} {name}", self.place(site))
            case Phi(name=name, loop=loop):
                note = f"what an earlier iteration of the loop at {short(loop.site)} left"
                return Node("unknown", name, name, note=note)
            case Class(name=name) | External(name=name):
                return Node("number", name, name)
            case Lazy(function=function):
                return Node("unknown", function.name, f"{function.name}(...)")
            case _:
                return Node("number", "", reveal(value, 2))

    def _operation(self, op: Op, guards: Guards, depth: int) -> Node:
        kind = effect(op)
        place, made = self.place(op.site), self.place(op.made)
        if self._loss is not None and kind == "loss":
            name = self._symbol_of(op)
            return Node("unknown", name, name, place)
        if kind in ("size", "backward") and op.operands:
            return Node("number", op.name, self._spelled(op), place)
        if op.name == "learned":
            return Node("unknown", "parameter", self._spelled(op), place, None, "learned")
        if op.operands and (op.name in _MOVES or _only_gathers(op)):
            return self._value(op.operands[0], guards, depth)
        if op.name in ("getitem", "getattr"):
            return self._part(op, guards, depth)
        if op.name == "comprehension" and op.operands:
            return self._comprehension(op, guards, depth)
        if op.name in _PYTHON:
            return Node("unknown", op.name, self._spelled(op), place)
        if op.name in _MIXING:
            return Node("layer", op.name, self._layer_text(op), place, made, self._entered(op))
        if kind == "create":
            parameters = tuple((name, self.inline(value)) for name, value in op.parameters)
            spelled = self.written(op.site, _MAX_CALL) or self._spelled(op)
            return Node("operation", op.name, spelled, place, parameters=parameters)
        if op.name in _PRODUCTS:
            depth = min(depth, MAX_PRODUCT_DEPTH + 1)
        children, inline = self._children(op, guards, depth)
        parameters = tuple((name, self.inline(value)) for name, value in op.parameters)
        text = _infix(op.name, children)
        if text is None:
            given = (self._parameter(name, value) for name, value in op.parameters)
            shown = [*inline, *given]
            configuration = ", ".join(part for part in shown if part)
            name = op.alias.rpartition(".")[2] or spelling(op.name)
            text = f"{name}({configuration})" if configuration else name
        return Node("operation", op.name, text, place, made, "", children, parameters)

    def _symbol_of(self, loss: Op) -> str:
        """`L` for the loss that this is about, `L2` and so on for others."""
        if loss is self._loss:
            return LOSS_SYMBOL
        for other, name in self.others:
            if other is loss:
                return name
        self.others.append((loss, f"{LOSS_SYMBOL}{len(self.others) + 2}"))
        return self.others[-1][1]

    def _entered(self, op: Op) -> str:
        """The call through which the loss's own function reached an operation: which model, and of what."""
        entry: Frame | None = None
        frame: Frame | None = op.frame
        while frame is not None and frame.call is not None and frame not in self._home:
            entry, frame = frame, frame.parent
        if entry is None or entry.call is None:
            return ""
        written = self.written(entry.call, _MAX_CALL)
        return f"in `{written}` at {short(entry.call)}" if written else f"in the call at {short(entry.call)}"

    def _parameter(self, name: str, value: Value) -> str:
        plain = strip(value)
        if isinstance(plain, Const) and plain.value in QUIET.get(name, ()):
            return ""
        text = self.inline(value)
        if isinstance(plain, Tuple) and (name in _SHAPES or len(plain.items) == 1):
            text = text.removeprefix("(").removesuffix(")").removesuffix(",")
        return text if name in _SHAPES else f"{name}={text}"

    def _children(self, op: Op, guards: Guards, depth: int) -> tuple[tuple[Child, ...], list[str]]:
        loss = catalogue.loss(op.name)
        labels = loss.operands if loss is not None else ()
        children, inline = [], []
        for position, operand in enumerate(op.operands[:MAX_PARTS]):
            if labels:  # each operand of a loss has a budget of its own
                self._remaining = MAX_NODES // len(op.operands)
            node = self._value(operand, guards, depth - 1)
            label = labels[position] if position < len(labels) else ""
            if label:
                node = _without_items(node)
            children.append(Child(node, label))
            if node.kind == "number" and not label:
                inline.append(spelled(node))
        if len(op.operands) > MAX_PARTS:
            more = f"{len(op.operands) - MAX_PARTS} more"
            children.append(Child(Node("unknown", "", more, note="parts that are not shown")))
        return tuple(children), inline

    def _part(self, op: Op, guards: Guards, depth: int) -> Node:
        """An item or an attribute of something that is not known as a whole."""
        key = op.parameter("index" if op.name == "getitem" else "name")
        written = self.inline(key) if key is not None else self._indices(op)
        if key is not None and isinstance(strip(key), Tuple) and written.startswith("("):
            written = written[1:-1].removesuffix(",")
        base = op.operands[0]
        inner = self._value(base, guards, depth - 1)
        access = f"[{written}]" if op.name == "getitem" else f".{written.strip(chr(39))}"
        place = self.place(op.site)
        if inner.kind in ("unknown", "number"):
            text = source(op, self._context) or f"{inner.text}{access}"
            is_named = inner.kind == "unknown" and inner.text[:2] not in ("", "a ", "an")
            whole = f"`{inner.text}`" if is_named else inner.text
            collection = strip(base)
            if isinstance(collection, Op) and collection.name == "comprehension":
                whole += f" that is made at {short(collection.site)}"
            note = (
                inner.note
                if text.startswith(inner.text)
                else f"{access} of {whole}: {inner.note}".rstrip(": ")
            )
            if isinstance(strip(base), Leaf) and inner.note.startswith("an element of "):
                note = f"{access} of {inner.note}"
            return Node("unknown", text, text, place, None, note)
        return Node("operation", op.name, access, place, None, "", (Child(inner),), (("index", written),))

    def _indices(self, op: Op) -> str:
        texts = (self.inline(operand) for operand in op.operands[1:])
        is_tuple = len(op.operands) == 2 and isinstance(strip(op.operands[1]), Tuple)
        joined = ", ".join(texts)
        return joined[1:-1].removesuffix(",") if is_tuple and joined.startswith("(") else joined

    def _leaf(self, leaf: Leaf, guards: Guards, depth: int) -> Node:
        text = source(leaf, self._context) or leaf.name or leaf.role
        note = why(leaf, self._context)
        if leaf.default is not None and isinstance(leaf.default.value, int | float):
            return Node("number", leaf.name, leaf.name, self.place(leaf.site), None, note)
        children: tuple[Child, ...] = ()
        if leaf.role == "call":
            arguments = [operand for operand in leaf.operands[1:] if _is_telling(operand, guards)]
            children = tuple(
                Child(self._value(operand, guards, depth - 1), "of") for operand in arguments[:MAX_PARTS]
            )
        return Node("unknown", text, text, self.place(leaf.site), None, note, children)

    def _spelled(self, op: Op) -> str:
        return source(op, self._context) or f"{op.name}(...)"

    def _comprehension(self, op: Op, guards: Guards, depth: int) -> Node:
        """A collection of which every item is made in the same way."""
        kind = op.parameter("kind")
        name = str(kind.value) if isinstance(kind, Const) else "collection"
        each = Child(self._value(op.operands[0], guards, depth - 1), "each")
        return Node("unknown", op.name, f"a {name}", self.place(op.site), children=(each,))

    def _layer_text(self, op: Op) -> str:
        shown = []
        for name in _LAYER_PARAMETERS:
            value = op.parameter(name)
            if value is not None:
                shown.append(self.inline(value))
        return f"{op.name}({', '.join(shown)})" if shown else op.name


def _callers(frame: Frame | None) -> tuple[Frame, ...]:
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.parent
    return tuple(frames)


def _without_items(node: Node) -> Node:
    """What is given to a loss; that takes no tuples, so what one holds tells nothing of it."""
    if node.kind == "sequence":
        return replace(node, note="which the loss does not take", children=())
    if node.kind == "choice":
        children = tuple(replace(child, node=_without_items(child.node)) for child in node.children)
        return replace(node, children=children)
    return node


def _only_gathers(op: Op) -> bool:
    """Whether `DataParallel` gathers what its replicas put out as one output would be; losses become a vector."""
    inner = strip(op.operands[0])
    return op.name == "data_parallel" and not (isinstance(inner, Op) and effect(inner) == "loss")


def spelled(number: Node) -> str:
    """A number as an argument; what it is by default stands beside it."""
    _, is_optional, default = number.note.rpartition(", ")
    return f"{number.text} ({default})" if is_optional and default.endswith(" by default") else number.text


def _infix(name: str, children: tuple[Child, ...]) -> str | None:
    """An operator as it is written: `/ T`, `1 - it`; None for what is none."""
    sign = INFIX.get(name)
    if sign is None or len(children) != 2:
        return None
    left, right = children[0].node, children[1].node
    if right.kind == "number":
        return f"{sign} {spelled(right)}"
    return f"{spelled(left)} {sign} it" if left.kind == "number" else sign


def infixed(name: str, left: str, right: str) -> str:
    """An operation of two texts, in parentheses where they bind less tightly than it does."""
    sign = INFIX[name]
    binds = _BINDS[sign]
    needs_more = sign in ("-", "/", "@")
    left = left if _binds(left) >= binds else f"({left})"
    return f"{left} {sign} {right if _binds(right) >= binds + needs_more else f'({right})'}"


_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 3}
_BINDS_OF: dict[type[ast.operator], int] = {
    ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.FloorDiv: 2, ast.Mod: 2, ast.MatMult: 2, ast.Pow: 3
}  # fmt: skip


def _binds(text: str) -> int:
    """How tightly an expression's text holds together; 0 where any operator beside it would tear it apart."""
    try:
        node = ast.parse(text.replace("?", "").replace("(...)", "()"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0 if " " in text else 4
    match node:
        case ast.BinOp(op=operator):
            return _BINDS_OF.get(type(operator), 0)
        case ast.UnaryOp():
            return 2
        case ast.BoolOp() | ast.Compare() | ast.IfExp() | ast.Lambda() | ast.NamedExpr():
            return 0
        case _:
            return 4


def _merged(children: list[Child]) -> tuple[Child, ...]:
    """Equal values once; with several conditions that lead to one, none is named but what they share."""
    by_node: dict[Node, tuple[str, ...]] = {}
    for child in children:
        known = by_node.get(child.node)
        by_node[child.node] = (
            child.when if known is None else tuple(text for text in known if text in child.when)
        )
    merged = [Child(node, when=when) for node, when in by_node.items()]
    return tuple(sorted(merged, key=lambda child: not child.when))  # what is left comes last


def _is_telling(value: Value, guards: Guards) -> bool:
    """Whether an argument of an unknown call has been computed in a way worth showing."""
    plain = strip(value)
    for _ in range(MAX_DEPTH):
        if not (isinstance(plain, Op) and plain.operands and effect(plain) in KEEPING):
            break
        plain = strip(plain.operands[0])
    return isinstance(plain, Op) and effect(plain) in _TELLING
