"""Programs that are large, deep or circular: they cost seconds at most and never an exception."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import get_args

import hard_programs
import pytest

from loss_lint.findings import Finding
from loss_lint.linter import Linter, lint
from loss_lint.symbolic.limits import Limit
from loss_lint.syntax.sources import Memory

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
SECONDS = 20  # generous for slow machines; most take a tenth of one


def findings(text: str, **others: str) -> list[Finding]:
    """What linting `text` finds, in no more than the time that is allowed."""
    files = {"main.py": text, **{f"{name}.py": other for name, other in others.items()}}
    start = time.process_time()
    found = lint("main.py", Memory(files))
    assert time.process_time() - start < SECONDS
    return list(found)


def branches(count: int) -> str:
    """One name that each of `count` conditions may change."""
    body = "".join(f"    if flag{i}:\n        out = out + {i}\n" for i in range(count))
    return f"{HEAD}def f(model, x, y):\n    out = model(x)\n{body}    return F.cross_entropy(out, y)\n"


def nested_branches(depth: int) -> str:
    body = "".join(f"{'    ' * (i + 1)}if flag{i}:\n" for i in range(depth))
    return (
        f"{HEAD}def f(out, y):\n{body}{'    ' * (depth + 1)}out = out.softmax(1)\n"
        "    return F.cross_entropy(out, y)\n"
    )


def choices(count: int) -> str:
    """One of `count` losses, by an if and elif chain."""
    cases = "".join(
        f"    {'if' if i == 0 else 'elif'} kind == 'k{i}':\n        criterion = nn.MSELoss()\n"
        for i in range(count)
    )
    return f"{HEAD}def f(kind, x, y):\n{cases}    return criterion(x, y)\n"


def returns(count: int) -> str:
    cases = "".join(f"    if kind == {i}:\n        return x * {i}\n" for i in range(count))
    return f"{HEAD}def f(kind, x):\n{cases}    return x\ndef g(x, y):\n    return F.mse_loss(f(y, x), y)\n"


def mutual_recursion() -> str:
    return (
        f"{HEAD}def a(x, y):\n    return b(x, y) + F.mse_loss(x, y)\n"
        "def b(x, y):\n    return c(x, y) + a(x, y)\n"
        "def c(x, y):\n    return a(b(x, y), b(y, x))\n"
    )


def recursion_with_many_branches() -> str:
    calls = " + ".join(f"walk(node.child{i}, y)" for i in range(8))
    return f"{HEAD}def walk(node, y):\n    if node is None:\n        return F.mse_loss(node, y)\n    return {calls}\n"


def recursive_method() -> str:
    return (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self, depth):\n        super().__init__()\n"
        "        self.child = Net(depth - 1)\n        self.loss = nn.MSELoss()\n"
        "    def forward(self, x):\n        return self.child(self.child(x))\n"
        "def f(x, y):\n    return nn.MSELoss()(Net(3)(x), y)\n"
    )


def chained_methods(count: int) -> str:
    chain = "".join(".relu()" for _ in range(count))
    return f"{HEAD}def f(x, y):\n    return F.mse_loss(x{chain}, y)\n"


def nested_calls(count: int) -> str:
    return f"{HEAD}def f(x, y):\n    return F.mse_loss({'torch.relu(' * count}x{')' * count}, y)\n"


def nested_parentheses(count: int) -> str:
    return f"{HEAD}def f(x, y):\n    return F.mse_loss({'-(' * count}x{')' * count}, y)\n"


def long_sum(count: int) -> str:
    return f"{HEAD}def f(x, y):\n    return F.mse_loss({' + '.join(['x'] * count)}, y)\n"


def functions_in_a_row(count: int) -> str:
    """Each function calls the one before: deeper than calls are followed."""
    body = "".join(f"def f{i}(x, y):\n    return f{i - 1}(x, y) * 2\n" for i in range(1, count))
    return f"{HEAD}def f0(x, y):\n    return F.mse_loss(x, y)\n{body}"


def functions_called_twice(count: int) -> str:
    """Each function calls the one before twice: 2 ** count calls if nothing bounds them."""
    body = "".join(f"def f{i}(x, y):\n    return f{i - 1}(x, y) + f{i - 1}(y, x)\n" for i in range(1, count))
    return f"{HEAD}def f0(x, y):\n    return F.mse_loss(x, y)\n{body}"


def large_literal(count: int) -> str:
    return f"{HEAD}DATA = [{', '.join(str(i % 10) for i in range(count))}]\n{WITH_DATA}"


def large_text_literal(count: int) -> str:
    return f"{HEAD}DATA = [{', '.join(repr(str(i)) for i in range(count))}]\n{WITH_DATA}"


def large_dict(count: int) -> str:
    items = ", ".join(f"'k{i}': {i}" for i in range(count))
    return f"{HEAD}DATA = {{{items}}}\n{WITH_DATA}"


WITH_DATA = (
    "def f(x):\n    total = 0\n    for value in DATA:\n        total += value\n"
    "    return F.cross_entropy(x, torch.tensor(DATA)) + total\n"
)


def written_items(count: int) -> str:
    body = "".join(f"TABLE['k{i}'] = nn.MSELoss()\n" for i in range(count))
    return f"{HEAD}TABLE = {{}}\n{body}def f(name, x, y):\n    return TABLE[name](x, y)\n"


def appended_modules(count: int) -> str:
    body = "".join("    net.append(nn.ReLU())\n" for _ in range(count))
    return f"{HEAD}def f(x, y):\n    net = nn.Sequential()\n{body}    return F.mse_loss(net(x), y)\n"


FORWARD = "    def forward(self, x):\n        return super().forward(x)\n"


def inheritance_in_circles() -> str:
    return (
        f"{HEAD}class A(nn.Module):\n    pass\nclass B(A):\n{FORWARD}"
        f"class A(B):\n{FORWARD}"
        "B = type('B', (A,), {})\n"
        "class C(B):\n    def loss(self, x, y):\n        return F.mse_loss(self(x), y)\n"
        "class D(C):\n    pass\nclass C(D):\n    def loss(self, x, y):\n        return F.mse_loss(self(x), y)\n"
        "def f(x, y):\n    return F.mse_loss(A()(x), C()(y))\n"
    )


def inherits_from_itself() -> str:
    return (
        f"{HEAD}class A(A):\n    def forward(self, x):\n        return super().forward(x)\n"
        "    def loss(self, x, y):\n        return F.mse_loss(self(x), y)\n"
        "def f(x, y):\n    return F.mse_loss(A()(x), y)\n"
    )


def deep_inheritance(count: int) -> str:
    body = "".join(
        f"class C{i}(C{i - 1}):\n    def forward(self, x):\n        return super().forward(x)\n"
        for i in range(1, count)
    )
    return (
        f"{HEAD}class C0(nn.Module):\n    def forward(self, x):\n        return x.softmax(1)\n{body}"
        f"def f(x, y):\n    return F.mse_loss(C{count - 1}()(x), y)\n"
    )


def sequential_in_itself() -> str:
    return (
        f"{HEAD}net = nn.Sequential(nn.ReLU())\nnet.append(net)\n"
        "def f(x, y):\n    return F.mse_loss(net(x), y)\n"
    )


def list_in_itself() -> str:
    return (
        f"{HEAD}items = []\nitems.append(items)\n"
        "def f(x, y):\n    return F.cross_entropy(x, torch.tensor(items))\n"
    )


def containers_in_themselves() -> str:
    return (
        f"{HEAD}items = []\nitems.append(items)\ntable = {{}}\ntable['t'] = table\n"
        "net = nn.Sequential(nn.ReLU())\nnet.append(net)\n"
        "class Node:\n    pass\nnode = Node()\nnode.node = node\n"
        "module = nn.ModuleList()\nmodule.append(module)\n"
        "def f(x, y):\n    for item in items:\n        x = item(x)\n"
        "    x = net(x) + module[0][0](x) + table['t']['t'](x) + node.node.node(x)\n"
        "    target = torch.tensor(items)\n"
        "    return F.cross_entropy(torch.cat(items), target) + F.cross_entropy(x, torch.stack(items))\n"
    )


def names_bound_to_themselves() -> str:
    return (
        f"{HEAD}def f(x, y):\n    g = lambda v: g(v)\n    h = lambda v: h\n"
        "    for _ in y:\n        x = x\n        a, b = b, a\n        x = [x]\n        x = (x, x)\n"
        "    return F.mse_loss(g(x), h(y)(y)(y))\n"
        "def k(f=lambda: k()):\n    return F.mse_loss(f(), k())\n"
    )


def decorators_in_circles() -> str:
    return (
        f"{HEAD}class A:\n    @property\n    def p(self):\n        return self.p\n"
        "    def __getattr__(self, name):\n        return getattr(self, name)\n"
        "    def __call__(self, x):\n        return self(x)\n"
        "    def loss(self, x, y):\n        return F.mse_loss(self.p(x), self.q) + self(x)\n"
    )


def nested_loops(depth: int) -> str:
    body = "".join(f"{'    ' * (i + 1)}for i{i} in range(6):\n" for i in range(depth))
    return f"{HEAD}def f(x, y):\n{body}{'    ' * (depth + 1)}x = x.relu()\n    return F.mse_loss(x, y)\n"


def unrolled_loops(depth: int) -> str:
    body = "".join(f"{'    ' * (i + 1)}for i{i} in (1, 2, 3, 4, 5, 6):\n" for i in range(depth))
    return f"{HEAD}def f(x, y):\n{body}{'    ' * (depth + 1)}x = x * i0\n    return F.mse_loss(x, y)\n"


def doubled_containers(count: int) -> str:
    """A list and a tuple that each step doubles."""
    return (
        f"{HEAD}def f(x, y):\n    items, pair, text = [x], (x,), 'x'\n"
        + "    items = items + items\n    pair = pair + pair\n    text = text + text\n" * count
        + "    return F.mse_loss(torch.stack(items), torch.stack(pair))\n"
    )


def items_by_branch(count: int) -> str:
    """A dict of which each branch sets another item."""
    body = "".join(
        f"    if flag{i}:\n        states['a'] = model(x, {i})\n"
        f"    elif other{i}:\n        states['b'] = model(y, {i})\n"
        for i in range(count)
    )
    return f"{HEAD}def f(model, x, y):\n    states = {{}}\n{body}    return F.mse_loss(states['a'], y)\n"


def doubled_expression(count: int) -> str:
    return (
        f"{HEAD}def f(x, y):\n"
        + "    x = torch.exp(x) / (x + x).sum(1)\n    y = (y, y)\n" * count
        + "    return F.cross_entropy(x, y)\n"
    )


def large_power() -> str:
    return (
        f"{HEAD}def f(x, y):\n    n = 9 ** 9 ** 9\n    m = 'a' * 10 ** 10\n    k = 1 << 10 ** 10\n"
        "    return F.mse_loss(x * n, y)\n"
    )


def conditions(count: int) -> str:
    test = " and ".join(f"(a{i} or b{i})" for i in range(count))
    return (
        f"{HEAD}def f(x, y):\n    if {test}:\n        x = x.softmax(1)\n    elif not ({test}):\n        x = x * 2\n"
        "    return F.cross_entropy(x, y)\n"
    )


def conditional_expressions(count: int) -> str:
    value = "x"
    for i in range(count):
        value = f"({value} if a{i} else x * {i})"
    return f"{HEAD}def f(x, y):\n    return F.cross_entropy({value}, y)\n"


def while_and_try(count: int) -> str:
    body = "".join(
        f"    while a{i}:\n        try:\n            x = x.relu()\n            if b{i}:\n                break\n"
        f"        except E{i}:\n            x = x.exp()\n            continue\n"
        "        finally:\n            y = y + 1\n"
        for i in range(count)
    )
    return f"{HEAD}def f(x, y):\n{body}    return F.mse_loss(x, y)\n"


def match_cases(count: int) -> str:
    cases = "".join(f"        case {i}:\n            x = x * {i}\n" for i in range(count))
    return f"{HEAD}def f(kind, x, y):\n    match kind:\n{cases}    return F.mse_loss(x, y)\n"


def many_callers(count: int) -> str:
    body = "".join(f"def g{i}(x, y):\n    return f(x * {i}, y)\n" for i in range(count))
    return f"{HEAD}def f(x, y):\n    return F.cross_entropy(x.softmax(1), y)\n{body}"


def many_arguments(count: int) -> str:
    names = ", ".join(f"a{i}" for i in range(count))
    return f"{HEAD}def f({names}):\n    return F.mse_loss(a0, a1)\ndef g({names}):\n    return f({names})\n"


PROGRAMS: dict[str, Callable[[], str]] = {
    "400 branches": lambda: branches(400),
    "80 branches in each other": lambda: nested_branches(80),
    "300 elifs": lambda: choices(300),
    "200 returns": lambda: returns(200),
    "mutual recursion": mutual_recursion,
    "recursion in eight ways": recursion_with_many_branches,
    "a module that builds itself": recursive_method,
    "2,000 chained methods": lambda: chained_methods(2000),
    "300 nested calls": lambda: nested_calls(300),
    "nested signs": lambda: nested_parentheses(90),
    "800 chained methods": lambda: chained_methods(800),
    "150 nested calls": lambda: nested_calls(150),
    "a sum of 3,000": lambda: long_sum(3000),
    "a sum of 800": lambda: long_sum(800),
    "200 functions in a row": lambda: functions_in_a_row(200),
    "calls that double": lambda: functions_called_twice(22),
    "30,000 numbers": lambda: large_literal(30_000),
    "30,000 strings": lambda: large_text_literal(30_000),
    "30,000 keys": lambda: large_dict(30_000),
    "1,000 written items": lambda: written_items(1000),
    "500 modules": lambda: appended_modules(500),
    "classes in circles": inheritance_in_circles,
    "a class of itself": inherits_from_itself,
    "100 classes deep": lambda: deep_inheritance(100),
    "a Sequential in itself": sequential_in_itself,
    "a list in itself": list_in_itself,
    "containers in themselves": containers_in_themselves,
    "names of themselves": names_bound_to_themselves,
    "properties of themselves": decorators_in_circles,
    "loops in loops": lambda: nested_loops(12),
    "unrolled loops in loops": lambda: unrolled_loops(6),
    "doubled containers": lambda: doubled_containers(24),
    "items by branch": lambda: items_by_branch(40),
    "a doubled expression": lambda: doubled_expression(60),
    "large powers": large_power,
    "long conditions": lambda: conditions(40),
    "conditional expressions": lambda: conditional_expressions(80),
    "while and try": lambda: while_and_try(60),
    "300 cases": lambda: match_cases(300),
    "500 callers": lambda: many_callers(500),
    "300 arguments": lambda: many_arguments(300),
    "400 losses under conditions": lambda: hard_programs.losses_under_conditions(400),
    "400 wrong losses by kind": lambda: hard_programs.wrong_losses_by_kind(400),
    "1,000 wrong losses": lambda: hard_programs.wrong_losses_in_a_row(1000),
    "400 attributes under conditions": lambda: hard_programs.written_attributes(400),
    "2,000 functions, each calling the next": lambda: hard_programs.functions_in_front(2000),
    "2,000 methods, each calling the next": lambda: hard_programs.methods_in_front(2000),
    "1,000 classes around classes": lambda: hard_programs.classes_around_classes(1000),
    "recursion that writes": lambda: hard_programs.recursion_that_writes(10),
    "classes that need each other": lambda: hard_programs.classes_that_need_each_other(4),
    "diamonds": lambda: hard_programs.diamonds(30),
    "factories of factories": lambda: hard_programs.factories(10, 4),
    "200 patterns": lambda: hard_programs.patterns(100),
    "150 disjunctions": lambda: hard_programs.disjunctions(150),
    "comprehensions in each other": lambda: hard_programs.comprehensions_in_each_other(15),
    "products": lambda: hard_programs.products(12),
    "containers spread twice": lambda: hard_programs.spread_twice(40),
    "18 loops in each other": lambda: hard_programs.deep_loops(18, "for i{i} in range(n{i}):"),
    "18 while loops in each other": lambda: hard_programs.deep_loops(18, "while n{i} > x:"),
    "loops of one line": lambda: hard_programs.one_line_loops(3000),
    "200 generators": lambda: hard_programs.generators(200),
    "3,000 mixed lines": lambda: hard_programs.mixed_lines(500),
    "3,000 keys one by one": lambda: hard_programs.written_keys(3000),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_takes_long_or_raises(name: str) -> None:
    text = PROGRAMS[name]()
    assert all(finding.code != "LOS999" for finding in findings(text))


def test_a_finding_survives_what_surrounds_it() -> None:
    """Limits make values unknown; they do not silence the rest of the file."""
    wrong = "def wrong(x, y):\n    return F.cross_entropy(x.softmax(1), y)\n"
    for name in ("400 branches", "mutual recursion", "30,000 numbers", "unrolled loops in loops"):
        text = PROGRAMS[name]() + wrong
        assert [finding.code for finding in findings(text)].count("LOS201") == 1, name


def test_a_module_that_imports_itself() -> None:
    text = (
        f"{HEAD}import main\nfrom main import f as g\nfrom main import *\n"
        "def f(x, y):\n    return F.mse_loss(main.f(x, y), g(x, y))\n"
    )
    assert findings(text) == []


def test_modules_that_import_each_other() -> None:
    one = f"{HEAD}from other import h\ndef f(x, y):\n    return F.mse_loss(h(x, y), y)\n"
    other = f"{HEAD}from main import f\ndef h(x, y):\n    return f(x, y)\n"
    assert findings(one, other=other) == []


def test_too_deep_for_python_is_reported_and_not_raised() -> None:
    codes = {finding.code for finding in findings(chained_methods(20_000))}
    assert codes <= {"LOS000"}


def test_modules_that_star_import_each_other() -> None:
    one = (
        f"{HEAD}from other import *\nclass Net(Missing):\n    def loss(self, x, y):\n"
        "        return F.mse_loss(x, y)\n"
    )
    assert (
        findings(one, other="from third import *\n", third="from main import *\nfrom other import *\n") == []
    )


# A program that meets each limit.
REACHING: dict[str, Callable[[], str]] = {
    "statements": lambda: unrolled_loops(6),
    "calls": mutual_recursion,
    "depth": lambda: chained_methods(2200),
    "classes": lambda: deep_inheritance(60),
    "alternatives": lambda: hard_programs.optional_layers(40),
    "choices": lambda: hard_programs.disjunctions(40),
    "items": lambda: hard_programs.joined_tuples(12),
    "optional items": lambda: hard_programs.optional_modules(6),
    "entries": lambda: hard_programs.registry(13),
    "jumps": lambda: hard_programs.continues(6),
    "readings": lambda: hard_programs.wrong_losses_in_a_row(400),
    "uses": lambda: hard_programs.uses_of_a_value(2100),
}


def test_every_limit_is_tested() -> None:
    assert set(REACHING) == set(get_args(Limit))


@pytest.mark.parametrize("limit", REACHING)
def test_a_limit_is_counted(limit: str) -> None:
    report = Linter(Memory({"main.py": REACHING[limit]()})).examine("main.py")
    assert dict(report.limits).get(limit, 0) > 0


def test_no_limit_is_counted_where_none_is_met() -> None:
    linter = Linter(Memory({"main.py": unrolled_loops(6), "other.py": branches(3)}))
    assert linter.examine("main.py").limits
    assert linter.examine("other.py").limits == ()


@pytest.mark.parametrize(("statements", "expected"), [(20, ["LOS201"]), (200, [])])
def test_what_a_constructor_calls_elsewhere_has_a_share(statements: int, expected: list[str]) -> None:
    """A factory in another file that does very much for a constructor is not followed to its end."""
    lines = "".join(f"    settings = {i}\n" for i in range(statements))
    factory = f"import torch.nn as nn\n\ndef make():\n{lines}    return nn.Softmax(dim=1)\n"
    text = (
        f"{HEAD}from factory import make\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.last = make()\n\n"
        "    def forward(self, x, y):\n        return F.cross_entropy(self.last(x), y)\n"
    )
    assert [finding.code for finding in findings(text, factory=factory)] == expected


def test_what_a_constructor_that_was_cut_short_would_say_decides_nothing() -> None:
    """Where a base's constructor is too long to be run, whether only some outputs are kept is not known."""
    long = "\n".join(f"        self.option{i} = options.get({i})" for i in range(60))
    trainer = (
        "class Trainer:\n    def __init__(self, model, kept=None, **options):\n        self.model = model\n"
        "{options}\n        self.kept = kept\n"
    )
    text = (
        f"{HEAD}from trainer import Trainer\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layer = nn.Linear(8, 4)\n"
        "    def forward(self, x):\n        logits = self.layer(x)\n        return logits.softmax(1), logits\n"
        "class Classifier(Trainer):\n    def __init__(self, **options):\n"
        "        super().__init__(Net(), kept=[KEPT], **options)\n"
        "    def fit(self, x, y):\n        outputs = self.model(x)\n        if self.kept is not None:\n"
        "            outputs = [outputs[i] for i in self.kept]\n"
        "        F.cross_entropy(outputs[0], y).backward()\n"
    )
    right, wrong = text.replace("KEPT", "1"), text.replace("KEPT", "0")
    cut, whole = trainer.replace("{options}", long), trainer.replace("{options}", "        pass")
    assert findings(right, trainer=cut) == []
    assert findings(right, trainer=whole) == []
    assert [one.code for one in findings(wrong, trainer=whole)] == ["LOS201"]
