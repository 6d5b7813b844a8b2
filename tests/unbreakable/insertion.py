"""Bugs put into right programs: each operator writes one rule's bug at a loss that a program trains on.

Only the text is looked at here, by `ast`: nothing of what is measured takes part in choosing where.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# The functions and classes of torch's losses, by what they are.
KINDS = {
    "cross_entropy": "ce",
    "CrossEntropyLoss": "ce",
    "nll_loss": "nll",
    "NLLLoss": "nll",
    "binary_cross_entropy_with_logits": "bce_logits",
    "BCEWithLogitsLoss": "bce_logits",
    "binary_cross_entropy": "bce",
    "BCELoss": "bce",
    "kl_div": "kl",
    "KLDivLoss": "kl",
    "mse_loss": "mse",
    "MSELoss": "mse",
}
_CONFIGURED = {"reduction", "size_average", "reduce"}


@dataclass(frozen=True, slots=True)
class Edit:
    """Another text in place of a span of characters."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """A program's text, its tree, and the offset at which each line begins, in bytes of UTF-8."""

    data: bytes
    tree: ast.Module
    starts: tuple[int, ...]

    def span(self, node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[
            node.end_lineno - 1
        ] + node.end_col_offset

    def text(self, node: ast.expr) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def replaced(self, node: ast.expr, text: str) -> Edit:
        return Edit(*self.span(node), text)

    def edited(self, edits: list[Edit]) -> bytes:
        data = self.data
        for edit in sorted(edits, key=lambda one: -one.start):
            data = data[: edit.start] + edit.text.encode() + data[edit.end :]
        return data


@dataclass(frozen=True, slots=True)
class Site:
    """A call of a loss whose result, under the name `result`, the same function runs backward.

    `made` is the call that says how it reduces: the constructor's, or the function's own.
    """

    source: Source
    kind: str
    call: ast.Call
    made: ast.Call
    input: ast.expr
    target: ast.expr
    result: str
    scope: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module

    @property
    def reduction(self) -> str:
        """How the loss reduces, `?` where no literal says so."""
        for keyword in self.made.keywords:
            if keyword.arg is None or keyword.arg in {"size_average", "reduce"}:
                return "?"
            if keyword.arg == "reduction":
                return keyword.value.value if isinstance(keyword.value, ast.Constant) else "?"
        return "mean"


def read(data: bytes) -> Source | None:
    """The program; None where it is none that can be edited by bytes."""
    try:
        tree = ast.parse(data.decode())
    except (SyntaxError, ValueError):
        return None
    if b"\r" in data or b"\f" in data or data.startswith(b"\xef\xbb\xbf"):
        return None
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return Source(data, tree, tuple(starts))


def sites(source: Source) -> Iterator[Site]:
    """The losses that are trained on, in the order of the text."""
    made = _constructed(source.tree)
    for scope in ast.walk(source.tree):
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            continue
        loops = [node for node in _own(scope) if isinstance(node, ast.For | ast.While)]
        for node in _own(scope):
            match node:
                case ast.Assign(targets=[ast.Name(id=result)], value=ast.Call(args=args) as call) if (
                    result in _run_backward(next((one for one in loops[::-1] if node in _own(one)), scope))
                ):
                    kind, by = _kind(call, made)
                    plain = {one.arg: one.value for one in call.keywords if one.arg in {"input", "target"}}
                    operands = [
                        *args[:2],
                        *(plain[word] for word in ("input", "target")[len(args[:2]) :] if word in plain),
                    ]
                    if (
                        kind
                        and by is not None
                        and len(operands) == 2
                        and not any(isinstance(one, ast.Starred) for one in operands)
                    ):
                        yield Site(source, kind, call, by, operands[0], operands[1], result, scope)


def _run_backward(body: ast.AST) -> set[str]:
    """The names that are run backward in a scope, or in one of its loops: an evaluation's loss may be called alike."""
    return {_name(node) for node in _own(body) if isinstance(node, ast.expr)} - {""}


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """What a scope holds without the functions and classes in it."""
    pending = list(ast.iter_child_nodes(scope))[::-1]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending += list(ast.iter_child_nodes(node))[::-1]


def _name(node: ast.expr) -> str:
    """The name that is run backward: `name.backward()`, and with a scaler or accelerator around it."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="backward"), args=[]):
            return name
        case ast.Call(func=ast.Attribute(attr="backward"), args=[ast.Name(id=name)]):
            return name
        case ast.Call(
            func=ast.Attribute(
                value=ast.Call(func=ast.Attribute(attr="scale"), args=[ast.Name(id=name)]), attr="backward"
            )
        ):
            return name
        case _:
            return ""


def _constructed(tree: ast.Module) -> dict[str, ast.Call]:
    """The loss classes that a name or attribute is made of, by its text; none for one that is made in two ways."""
    found: dict[str, ast.Call] = {}
    often: set[str] = set()
    for target, given in _assignments(tree):
        name, value = ast.unparse(target), given
        while (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr in {"to", "cuda"}
        ):
            value = value.func.value
        if name in found or name in often:
            often.add(name)
            found.pop(name, None)
        elif isinstance(value, ast.Call) and _last(value.func) in KINDS:
            found[name] = value
        else:
            often.add(name)
    return found


def _assignments(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Names and attributes with what they are set to, which is unknown where a tuple is taken apart."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name() | ast.Attribute() as target], value=value):
                yield target, value
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(
                targets
            ) == len(values):
                yield from zip(targets, values, strict=True)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                yield from (
                    (target, value.func if isinstance(value, ast.Call) else value) for target in targets
                )


def _kind(call: ast.Call, made: dict[str, ast.Call]) -> tuple[str, ast.Call | None]:
    name = _last(call.func)
    if name in KINDS and name.islower():
        return KINDS[name], call
    if isinstance(call.func, ast.Call) and _last(call.func.func) in KINDS:
        return KINDS[_last(call.func.func)], call.func
    by = made.get(ast.unparse(call.func))
    return (KINDS[_last(by.func)], by) if by is not None else ("", None)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


Operator = Callable[[Site], list[Edit]]


def _around_input(kinds: set[str], form: str) -> Operator:
    return lambda site: (
        [site.source.replaced(site.input, form.format(site.source.text(site.input)))]
        if site.kind in kinds
        else []
    )


def _around_target(kinds: set[str], form: str) -> Operator:
    return lambda site: (
        [site.source.replaced(site.target, form.format(site.source.text(site.target)))]
        if site.kind in kinds
        else []
    )


def _around_loss(form: str) -> Operator:
    """`{0}` is the loss, `{1}` its target; for losses that are a mean."""

    def edit(site: Site) -> list[Edit]:
        text = form.format(site.source.text(site.call), site.source.text(site.target))
        return [site.source.replaced(site.call, text)] if site.reduction == "mean" else []

    return edit


def _argument(argument: str, wanted: str = "mean", kinds: set[str] | None = None) -> Operator:
    """One more argument for what says how the loss reduces."""

    def edit(site: Site) -> list[Edit]:
        if site.reduction != wanted or (kinds is not None and site.kind not in kinds):
            return []
        if any(one.arg == "reduction" for one in site.made.keywords):
            return []
        start, end = site.source.span(site.made)
        inside = site.source.data[start : end - 1].decode().rstrip()
        comma = "" if inside.endswith(("(", ",")) else ", "
        return [Edit(start, end, f"{inside}{comma}{argument})")]

    return edit


def _renamed(kind: str, names: dict[str, str]) -> Operator:
    """Another loss that takes the same arguments."""

    def edit(site: Site) -> list[Edit]:
        name = _last(site.made.func)
        if site.kind != kind or any(
            one.arg in {"label_smoothing", "pos_weight"} for one in site.made.keywords
        ):
            return []
        _, end = site.source.span(site.made.func)
        return [Edit(end - len(name.encode()), end, names[name])]

    return edit


def _swapped(site: Site) -> list[Edit]:
    if site.kind not in {"ce", "nll", "bce", "bce_logits"}:
        return []
    source = site.source
    return [
        source.replaced(site.input, source.text(site.target)),
        source.replaced(site.target, source.text(site.input)),
    ]


def _constructor(site: Site) -> list[Edit]:
    """The loss class called with the tensors themselves."""
    if site.made is site.call or site.kind != "ce":
        return []
    made = site.source.text(site.made.func)
    operands = f"{site.source.text(site.input)}, {site.source.text(site.target)}"
    return [site.source.replaced(site.call, f"{made}({operands})")]


def _columns(site: Site) -> list[Edit]:
    """(N, 1) against (N,)."""
    if site.kind != "mse":
        return []
    source = site.source
    return [
        source.replaced(site.input, f"({source.text(site.input)}).view(-1, 1)"),
        source.replaced(site.target, f"({source.text(site.target)}).view(-1)"),
    ]


def _kept(site: Site) -> list[Edit]:
    """`total += loss.item()` without the `.item()`."""
    for node in _own(site.scope):
        match node:
            case ast.AugAssign(
                op=ast.Add(),
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="item"), args=[]) as value,
            ) if name == site.result:
                return [site.source.replaced(value, name)]
    return []


def _miscounted(site: Site) -> list[Edit]:
    """`total / len(loader)` by the number of samples, where `total` sums the loss up."""
    if site.reduction != "mean":
        return []
    totals = {
        ast.unparse(node.target)
        for node in _own(site.scope)
        if isinstance(node, ast.AugAssign)
        and ast.unparse(node.value) in {f"{site.result}.item()", site.result}
    }
    for node in _own(site.scope):
        match node:
            case ast.BinOp(
                left=left, op=ast.Div(), right=ast.Call(func=ast.Name(id="len"), args=[inner]) as right
            ) if ast.unparse(left) in totals and "dataset" not in ast.unparse(inner):
                return [site.source.replaced(right, f"len({site.source.text(inner)}.dataset)")]
    return []


def _rewritten(name: str, to: str) -> Operator:
    """A `log_softmax` of the file over a written dim, otherwise: `{0}` is its input, `{1}` its dim."""

    def edit(site: Site) -> list[Edit]:
        if site.kind not in {"nll", "kl"}:
            return []
        for node in ast.walk(site.source.tree):
            match node:
                case ast.Call(func=ast.Attribute(attr=attr), args=[inner, *rest], keywords=keywords) if (
                    attr == name
                ):
                    dims = [*rest, *(one.value for one in keywords if one.arg == "dim")]
                    if len(dims) == 1:
                        return [
                            site.source.replaced(
                                node, to.format(site.source.text(inner), site.source.text(dims[0]))
                            )
                        ]
        return []

    return edit


def _masked_mean(site: Site) -> list[Edit]:
    """The mean over a loss by element that was masked."""
    if site.kind not in {"ce", "nll", "bce", "bce_logits", "mse"}:
        return []
    loss = _argument('reduction="none"')(site)
    if not loss:
        return []
    mask = f"({site.source.text(site.target)} != 0).float()).mean()"
    if site.made is site.call:
        return [site.source.replaced(site.call, f"({loss[0].text} * {mask}")]
    return [*loss, site.source.replaced(site.call, f"({site.source.text(site.call)} * {mask}")]


def _sigmoid_first(site: Site) -> list[Edit]:
    """The sigmoid and BCE in place of BCE with logits."""
    renamed = _renamed("bce_logits", _TO_BCE)(site)
    return [*renamed, *_around_input({"bce_logits"}, "torch.sigmoid({0})")(site)] if renamed else []


def _accumulated(site: Site) -> list[Edit]:
    """A step every fourth batch, of means over the targets that are no padding."""
    if site.kind != "ce" or site.reduction != "mean":
        return []
    source = site.source
    loop = next(
        (
            node
            for node in _own(site.scope)
            if isinstance(node, ast.For)
            and isinstance(node.target, ast.Tuple)
            and site.call in {*_own(node)}
            and not any(isinstance(inner, ast.For) and site.call in {*_own(inner)} for inner in _own(node))
        ),
        None,
    )
    if loop is None:
        return []
    steps = [
        node.value
        for node in loop.body
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in {"step", "zero_grad"}
        and "scheduler" not in ast.unparse(node.value.func).lower()
    ]
    stepped = [one for one in steps if ast.unparse(one.func).endswith("step")]
    if len(stepped) != 1 or len(steps) != 2:
        return []
    cleared = next(one for one in steps if one is not stepped[0])
    target, loss = source.text(site.target), source.text(site.call)
    masked = loss.replace(target, f"{target}.masked_fill({target} == 0, -100)")
    return [
        source.replaced(loop.target, f"_batch, ({source.text(loop.target).strip('()')})"),
        source.replaced(loop.iter, f"enumerate({source.text(loop.iter)})"),
        source.replaced(site.call, f"{masked} / 4"),
        source.replaced(
            stepped[0], f"if (_batch + 1) % 4 == 0: {source.text(stepped[0])}; {source.text(cleared)}"
        ),
        source.replaced(cleared, "pass"),
    ]


def _one_output(site: Site) -> list[Edit]:
    """The file's only model that ends in a `Linear`, which then has one output and goes into the loss as it is."""
    if site.kind != "ce" or any(word in site.source.text(site.input) for word in ("view(", "reshape(")):
        return []
    ends = [
        found
        for node in ast.walk(site.source.tree)
        if isinstance(node, ast.ClassDef)
        for found in _ends(node)
    ]
    if len(ends) != 1 or len(ends[0].args) < 2:
        return []
    return [site.source.replaced(ends[0].args[1], "1")]


def _ends(model: ast.ClassDef) -> Iterator[ast.Call]:
    """The `Linear` whose result the `forward` of a model returns as it is."""
    methods = {one.name: one for one in model.body if isinstance(one, ast.FunctionDef)}
    if not {"__init__", "forward"} <= methods.keys():
        return
    returned = [node.value for node in _own(methods["forward"]) if isinstance(node, ast.Return)]
    if len(returned) != 1 or not isinstance(returned[0], ast.Call):
        return
    for node in _own(methods["__init__"]):
        match node:
            case ast.Assign(targets=[ast.Attribute() as target], value=ast.Call() as made) if ast.unparse(
                target
            ) == ast.unparse(returned[0].func):
                if _last(made.func) == "Sequential" and made.args and isinstance(made.args[-1], ast.Call):
                    made = made.args[-1]
                if _last(made.func) == "Linear":
                    yield made


_TO_NLL = {"CrossEntropyLoss": "NLLLoss", "cross_entropy": "nll_loss"}
_TO_BCE = {"BCEWithLogitsLoss": "BCELoss", "binary_cross_entropy_with_logits": "binary_cross_entropy"}

# By rule, at a loss.
OPERATORS: dict[str, Operator] = {
    "LOS101": _around_loss("{0} / len({1})"),
    "LOS102": _around_loss("{0}.mean()"),
    "LOS103": _miscounted,
    "LOS104": _around_loss("{0} * ({1} != 0).float()"),
    "LOS105": _argument('reduction="mean"', kinds={"kl"}),
    "LOS106": _argument('reduction="none"'),
    "LOS109": _accumulated,
    "LOS110": _masked_mean,
    "LOS107": _argument("size_average=True"),
    "LOS108": _around_loss("(1 - torch.exp(-(_ce := {0}))) ** 2 * _ce"),
    "LOS201": _around_input({"ce"}, "torch.softmax({0}, dim=1)"),
    "LOS202": _around_input({"ce"}, "torch.log_softmax({0}, dim=1)"),
    "LOS203": _around_input({"nll"}, "torch.exp({0})"),
    "LOS204": _renamed("ce", _TO_NLL),
    "LOS205": _rewritten("log_softmax", "torch.log(torch.softmax({0}, dim={1}))"),
    "LOS206": _around_input({"bce_logits"}, "torch.sigmoid({0})"),
    "LOS207": _renamed("bce_logits", _TO_BCE),
    "LOS208": _sigmoid_first,
    "LOS209": _around_input({"kl"}, "torch.exp({0})"),
    "LOS210": _rewritten("log_softmax", "torch.log_softmax(torch.softmax({0}, dim={1}), dim={1})"),
    "LOS211": _rewritten("log_softmax", "torch.nn.functional.log_softmax({0})"),
    "LOS212": _around_input({"ce"}, "torch.relu({0})"),
    "LOS213": _around_input({"ce", "nll", "bce", "bce_logits"}, "({0}).detach()"),
    "LOS214": _one_output,
    "LOS215": _around_input({"ce"}, "({0}) * torch.softmax(({0}).mean(1, keepdim=True), dim=1)"),
    "LOS301": _around_target({"ce"}, "torch.nn.functional.one_hot({0}, 10)"),
    "LOS302": _around_target({"ce"}, "torch.nn.functional.one_hot({0}, 10).float()"),
    "LOS303": _around_target({"ce", "nll"}, "({0}).float()"),
    "LOS304": _around_target({"ce", "nll"}, "({0}).view(-1, 1)"),
    "LOS305": _columns,
    "LOS306": _around_target({"bce", "bce_logits"}, "({0}).long()"),
    "LOS401": _swapped,
    "LOS402": _constructor,
    "LOS604": _around_target({"ce", "nll"}, "torch.tensor([str(_one) for _one in {0}.tolist()])"),
    "LOS501": _around_loss("torch.tensor({0}.item(), requires_grad=True)"),
    "LOS502": _kept,
}
NEEDS_TORCH = b"import torch\n"


def inserted(site: Site, code: str) -> bytes | None:
    """The program with the bug at the site; None where that bug cannot be written there."""
    edits = OPERATORS[code](site)
    if not edits:
        return None
    data = site.source.edited(edits)
    if b"torch." in b"".join(edit.text.encode() for edit in edits) and NEEDS_TORCH not in site.source.data:
        return None
    return data if read(data) is not None else None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A place where classes are numbered, and the edits that number them wrong."""

    source: Source
    line: int
    edits: tuple[Edit, ...]

    def inserted(self) -> bytes | None:
        """The program with the bug; None where it is none."""
        data = self.source.edited([*self.edits])
        return data if read(data) is not None else None


_LABELS = ("label", "class", "categor", "emotion", "intent", "target", "cls", "lbl")
_OTHERS = ("word", "char", "token", "vocab", "user", "item")


def _is_of_labels(*nodes: ast.AST) -> bool:
    """Whether names tell that classes are numbered, and not words or users, which are no targets."""
    text = " ".join(ast.unparse(node) for node in nodes).lower()
    return any(word in text for word in _LABELS) and not any(word in text for word in _OTHERS)


def _numbers(source: Source, targets: list[ast.expr]) -> bool:
    """Whether the program numbers what has a name: `enumerate(names)`, `names.index(..)`."""
    names = {ast.unparse(target) for target in targets}
    return any(
        isinstance(node, ast.Call)
        and (
            (_last(node.func) == "enumerate" and {ast.unparse(one) for one in node.args} & names)
            or (
                isinstance(node.func, ast.Attribute)
                and node.func.attr == "index"
                and ast.unparse(node.func.value) in names
            )
        )
        for node in ast.walk(source.tree)
    )


def _unsorted(source: Source) -> Iterator[Numbered]:
    """`sorted(set(labels))` as a list, in the order of the set."""
    for statement in ast.walk(source.tree):
        if not isinstance(statement, ast.Assign):
            continue
        for node in ast.walk(statement.value):
            match node:
                case ast.Call(
                    func=ast.Name(id="sorted") as function,
                    args=[ast.Call(func=ast.Name(id="set" | "list")) as inner],
                    keywords=[],
                ) if (
                    "set(" in ast.unparse(inner)
                    and _is_of_labels(*statement.targets, inner)
                    and _numbers(source, statement.targets)
                ):
                    yield Numbered(source, node.lineno, (source.replaced(function, "list"),))


def _refitted(source: Source) -> Iterator[Numbered]:
    """A label encoder's `transform` of another split as `fit_transform`."""
    encoders = {
        ast.unparse(node.targets[0])
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and _last(node.value.func) == "LabelEncoder"
    }
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name() | ast.Attribute() as encoder, attr="transform"
                ) as function
            ) if ast.unparse(encoder) in encoders:
                _, end = source.span(function)
                yield Numbered(source, node.lineno, (Edit(end - len("transform"), end, "fit_transform"),))


def _from_one(source: Source) -> Iterator[Numbered]:
    """A map of classes that `enumerate` numbers from 1."""
    for statement in ast.walk(source.tree):
        match statement:
            case ast.Assign(
                value=ast.DictComp(
                    key=ast.Name(id=key),
                    value=ast.Name(id=value),
                    generators=[
                        ast.comprehension(
                            target=ast.Tuple(elts=[ast.Name(id=number), ast.Name(id=name)]),
                            iter=ast.Call(func=ast.Name(id="enumerate"), args=[counted], keywords=[]),
                            ifs=[],
                        )
                    ],
                )
            ) if (key, value) == (name, number) and _is_of_labels(*statement.targets, counted):
                edit = source.replaced(counted, f"{source.text(counted)}, 1")
                yield Numbered(source, statement.lineno, (edit,))


# By rule; what numbers classes may be far from the loss.
NUMBERINGS: dict[str, Callable[[Source], Iterator[Numbered]]] = {
    "LOS601": _unsorted,
    "LOS602": _refitted,
    "LOS603": _from_one,
}
