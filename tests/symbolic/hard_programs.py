"""Programs that once took minutes, or that meet a limit of the evaluator's, as functions of their size."""

from __future__ import annotations

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def _indented(count: int, line: str) -> str:
    """`count` blocks, each inside the one before; `{i}` in `line` is the block's number."""
    return "".join(f"{'    ' * (i + 1)}{line.format(i=i)}\n" for i in range(count))


def losses_under_conditions(count: int) -> str:
    body = "".join(f"    if flag{i}:\n        loss = F.cross_entropy(out, y) + loss\n" for i in range(count))
    return f"{HEAD}def f(model, x, y):\n    loss, out = 0, model(x)\n{body}    loss.backward()\n"


def wrong_losses_by_kind(count: int) -> str:
    body = "".join(
        f"    {'el' if i else ''}if kind == {i}:\n        loss = F.cross_entropy(out.softmax(1), y)\n"
        for i in range(count)
    )
    return f"{HEAD}def f(model, x, y, kind):\n    out = model(x)\n{body}    loss.backward()\n"


def wrong_losses_in_a_row(count: int) -> str:
    line = "    t = t + F.cross_entropy(x.softmax(1), y) / x.size(0)\n"
    return f"{HEAD}def f(x, y):\n    t = 0\n{line * count}    t.backward()\n"


def written_attributes(count: int) -> str:
    body = "".join(
        f"        if flag{i}:\n            self.l{i} = nn.Linear(3, 4)\n"
        f"        else:\n            self.l{i} = nn.ReLU()\n"
        for i in range(count)
    )
    used = "".join(f"        x = self.l{i}(x)\n" for i in range(count))
    return (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{body}"
        f"    def forward(self, x, y):\n{used}        return F.cross_entropy(x, y)\n"
    )


def functions_in_front(count: int) -> str:
    """Each function calls the one behind it."""
    body = "".join(f"def f{i}(x, y):\n    return f{i + 1}(x, y) * 2\n" for i in range(count))
    return f"{HEAD}{body}def f{count}(x, y):\n    return F.mse_loss(x, y)\n"


def methods_in_front(count: int) -> str:
    body = "".join(f"    def m{i}(self, x, y):\n        return self.m{i + 1}(x, y)\n" for i in range(count))
    return f"{HEAD}class A:\n{body}    def m{count}(self, x, y):\n        return F.mse_loss(x, y)\n"


def classes_around_classes(count: int) -> str:
    body = "".join(
        f"class C{i}(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.inner = C{i - 1}()\n    def forward(self, x):\n        return self.inner(x)\n"
        for i in range(1, count)
    )
    return (
        f"{HEAD}class C0(nn.Module):\n    def forward(self, x):\n        return x.softmax(1)\n{body}"
        f"def f(x, y):\n    return F.cross_entropy(C{count - 1}()(x), y)\n"
    )


def recursion_that_writes(count: int) -> str:
    """Functions that call three others: what writes is run for each call."""
    body = "".join(
        f"def f{i}(s, x, y):\n    s.n += 1\n    return f{(i + 1) % count}(s, x, y) + f{(i + 3) % count}(s, y, x)"
        f" + f{(i + 7) % count}(s, x, x) + F.mse_loss(x, y)\n"
        for i in range(count)
    )
    return HEAD + body


def classes_that_need_each_other(count: int) -> str:
    body = "".join(
        f"class C{i}(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
        f"        self.left = C{(i + 1) % count}(n - 1)\n        self.right = C{(i + 2) % count}(n - 1)\n"
        "        self.loss = nn.CrossEntropyLoss()\n    def forward(self, x, y):\n"
        "        return self.left(x, y) + self.right(x, y) + self.loss(x, y)\n"
        for i in range(count)
    )
    return f"{HEAD}{body}def f(x, y):\n    return C0(3)(x, y)\n"


def diamonds(count: int) -> str:
    """Classes with two bases that have two bases: 2 ** count ways to the root."""
    body = "".join(
        f"class A{i}(A{i - 1}, B{i - 1}):\n    pass\n"
        f"class B{i}(A{i - 1}, B{i - 1}):\n    def forward(self, x):\n        return super().forward(x)\n"
        for i in range(1, count)
    )
    return (
        f"{HEAD}class A0(nn.Module):\n    pass\nclass B0(nn.Module):\n    def forward(self, x):\n        return x\n"
        f"{body}def f(x, y):\n    return F.cross_entropy(A{count - 1}()(x), y)\n"
    )


def factories(ways: int, levels: int) -> str:
    """Factories that choose among factories."""
    out = HEAD
    for level in range(levels):
        out += f"def make{level}(cfg, x):\n"
        for i in range(ways):
            made = (
                f"make{level + 1}(cfg, x)" if level < levels - 1 else f"nn.CrossEntropyLoss(weight=cfg.w{i})"
            )
            out += f"    if cfg.k{level} == 'k{i}':\n        return {made}\n"
        out += "    raise ValueError\n"
    return f"{out}def f(cfg, x, y):\n    return make0(cfg, x)(x, y)\n"


def patterns(count: int) -> str:
    cases = "".join(
        f"        case {{'a': {i}, 'b': [x{i}, *rest]}} if x{i} > 3:\n            out = out + x{i}\n"
        f"        case ('k{i}', a, b):\n            out = F.softmax(out, 1)\n"
        for i in range(count)
    )
    return f"{HEAD}def f(kind, x, y, out):\n    match kind:\n{cases}    return F.cross_entropy(out, y)\n"


def disjunctions(count: int) -> str:
    body = "".join(
        f"    assert isinstance(x, A{i}) or x.shape[{i}] == 3\n    if c.a{i} or c.b{i}:\n        x = x.relu()\n"
        f"        if not (c.a{i} and c.b{i + 1}):\n            z{i} = F.cross_entropy(x, y)\n"
        for i in range(count)
    )
    return f"{HEAD}def f(x, y, c):\n{body}    return F.cross_entropy(x, y)\n"


def comprehensions_in_each_other(depth: int) -> str:
    value = "x"
    for i in range(depth):
        value = f"[{value} for i{i} in (1, 2, 3, 4, 5, 6)]"
    return f"{HEAD}def f(x, y):\n    return F.mse_loss({value}, y)\n"


def products(depth: int) -> str:
    """Comprehensions and generators over products of known tuples."""
    over = " ".join(f"for i{i} in (1, 2, 3, 4, 5, 6)" for i in range(depth))
    return (
        f"{HEAD}import itertools\ndef f(x, y):\n    a = [F.mse_loss(x * i0, y) {over}]\n"
        f"    b = sum(F.mse_loss(x, y) {over})\n"
        "    for i, j in itertools.product(range(6), range(6)):\n        a.append(F.mse_loss(x, y))\n"
        "    return sum(a) + b\n"
    )


def spread_twice(count: int) -> str:
    """Containers that each line doubles by spreading them."""
    lines = "    a = (*a, *a)\n    b = [*b, *b]\n    c.extend(c)\n    d = {**d, 'd': d, **d}\n" * count
    return (
        f"{HEAD}def f(x, y):\n    a, b, c, d = (x, x), [x], [x], {{'x': x}}\n{lines}"
        "    return F.mse_loss(torch.stack(a) + torch.stack(b) + torch.stack(c), d['x'])\n"
    )


def deep_loops(depth: int, head: str) -> str:
    return (
        f"{HEAD}def f(x, y):\n    total = 0\n{_indented(depth, head)}"
        f"{'    ' * (depth + 1)}total += F.mse_loss(x, y)\n    return total\n"
    )


def one_line_loops(count: int) -> str:
    return (
        f"{HEAD}T = [{', '.join(['nn.ReLU()'] * count)}]\ndef f(x, y):\n    for t in T: x = t(x)\n"
        "    for i, t in enumerate(T): x = t(x)\n    return F.cross_entropy(x, y)\n"
    )


def generators(count: int) -> str:
    body = "".join(
        f"def g{i}(x):\n    for v in g{i - 1}(x):\n        yield F.mse_loss(v, x)\n" for i in range(1, count)
    )
    return f"{HEAD}def g0(x):\n    yield x\n{body}def f(x, y):\n    return sum(g{count - 1}(x))\n"


def mixed_lines(count: int) -> str:
    body = "".join(
        f"    h{i} = F.relu(model.l{i}(h{max(i - 1, 0)}))\n    if h{i} is None:\n        h{i} = x\n"
        f"    loss{i} = F.cross_entropy(h{i}, y)\n    total = total + loss{i} * w{i}\n    d['l{i}'] = loss{i}.item()\n"
        for i in range(count)
    )
    return f"{HEAD}def f(model, x, y):\n    h0, total, d = x, 0, {{}}\n{body}    total.backward()\n    return d\n"


def written_keys(count: int) -> str:
    body = "".join(f"    t['k{i}'] = F.mse_loss(x, y)\n" for i in range(count))
    return f"{HEAD}def f(x, y):\n    t = {{}}\n{body}    return sum(t.values())\n"


def optional_modules(count: int) -> str:
    body = "".join(f"    if flag{i}:\n        layers.append(nn.ReLU())\n" for i in range(count))
    return f"{HEAD}def f(x, y):\n    layers = []\n{body}    return F.mse_loss(layers[0](x), y)\n"


def registry(count: int) -> str:
    entries = ", ".join(f"'k{i}': nn.MSELoss(reduction='sum')" for i in range(count))
    return f"{HEAD}LOSSES = {{{entries}}}\ndef f(name, x, y):\n    return LOSSES[name](x, y)\n"


def continues(count: int) -> str:
    body = "".join(
        f"        if x[{i}]:\n            x = x * {i}\n            continue\n" for i in range(count)
    )
    return f"{HEAD}def f(x, y):\n    for _ in y:\n{body}    return F.mse_loss(x, y)\n"


def joined_tuples(count: int) -> str:
    lines = "    a = a + a\n" * count
    return f"{HEAD}def f(x, y):\n    a = (x, x)\n{lines}    return F.mse_loss(torch.stack(a), y)\n"


def optional_layers(count: int) -> str:
    body = "".join(f"    if flag{i}:\n        layers.append(nn.ReLU())\n" for i in range(count))
    return f"{HEAD}def f(x, y):\n    layers = []\n{body}    return F.mse_loss(nn.Sequential(*layers)(x), y)\n"


def uses_of_a_value(count: int) -> str:
    body = "".join(f"    a{i} = loss * {i}\n" for i in range(count))
    return f"{HEAD}def f(x, y):\n    loss = F.cross_entropy(x.softmax(1).log(), y)\n{body}    return loss\n"
