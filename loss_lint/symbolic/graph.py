"""The expression graph: what a program computes, as immutable nodes.

Every node has two identities. As an object it is one step at one place of the program, which is what edits,
traces and evidence need. By `content` it is what is computed, wherever it was written: `exp(a) / exp(a).sum()`
divides two equal contents. `content` is an interned number, comparable only within one process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.conventions import USUAL, Conventions
from loss_lint.symbolic import limits
from loss_lint.symbolic.limits import MAX_ALTERNATIVES
from loss_lint.symbolic.nodes import equal_by_parts, node
from loss_lint.syntax.site import Site as Site  # noqa: PLC0414 - part of what a graph is made of

if TYPE_CHECKING:
    import ast

    from loss_lint.symbolic.activation import Activation, State
    from loss_lint.syntax.module import SourceModule
    from loss_lint.syntax.project import Trail

_serials: Iterator[int] = count(1)
# Contents of the modules, which last, and of what one file's roots compute, which passes with them.
_lasting: dict[object, int] = {}
_passing: dict[object, int] = {}
_in_a_module = False


def intern_content(key: object) -> int:
    """The number that stands for a content; equal keys get equal numbers."""
    number = _lasting.get(key)
    if number is None:
        number = _passing.get(key)
        if number is None:
            number = next(_serials)
            (_lasting if _in_a_module else _passing)[key] = number
        elif _in_a_module:
            _lasting[key] = number
    return number


def fresh_content() -> int:
    """The content of something that equals nothing else (what an unknown call returns)."""
    return next(_serials)


def make_contents_last(lasting: bool) -> bool:
    """Whether contents from now on are a module's, which last; gives what held before."""
    global _in_a_module
    before, _in_a_module = _in_a_module, lasting
    return before


def forget_passing_contents() -> None:
    """Drop the contents of one file's roots; numbers are never reused, so old nodes stay distinct."""
    _passing.clear()


def forget_contents() -> None:
    """Drop all contents.

    The literals that this module keeps are what they were: `NONE` has the content of a `None` read later.
    """
    _passing.clear()
    _lasting.clear()
    for kept in (NONE, TRUE, FALSE, ZERO):
        _lasting[_key(kept.value)] = kept.content


@equal_by_parts
class Atom:
    """A condition that was decided one way: `content` of the condition and its truth."""

    content: int
    truth: bool
    condition: Value = field(compare=False, repr=False)


Guards = frozenset[Atom]
NO_GUARDS: Guards = frozenset()


@node
class Frame:
    """One call of a project's function: `call` is where it was called (None for a root).

    `function` is the function's content, by which recursion is seen; `conventions` say what the project's own names
    mean. `batched` says that the call stands for one of many: a data set's, for each sample of a batch.
    """

    name: str
    call: Site | None
    parent: Frame | None
    depth: int
    function: int = 0
    conventions: Conventions = USUAL
    batched: bool = False


@node
class Loop:
    """One loop statement or comprehension over `iterable` (None for `while`).

    `unrolled`: what it runs over is known, and its body is evaluated once for each element.
    `name` is what the source of `frame` calls that which is looped over, `enumerate` and progress bars taken off
    ("" where it is no name or attribute). `sums` are the sums that the loop builds in attributes and items, by the
    `id` of the addition, which comes first: known once the body has been evaluated.
    """

    site: Site
    iterable: Value | None
    unrolled: bool = False
    name: str = ""
    frame: Frame | None = None
    sums: dict[int, tuple[Op, Accumulated]] = field(default_factory=dict)


@node
class Const:
    """A Python literal."""

    value: object
    content: int


@node
class Op:
    """An operation by its canonical name.

    `slots` are the sites of the operands' expressions (None where an operand has no expression of its own, as in
    `nn.Sequential`); `guards`, `loops` and `frame` say when it runs; `grad` is False under `no_grad`; `made` is
    where the module was constructed that computes it; `spelled` are the identifiers that the operands are written
    as ("" for other expressions); `chosen` are the conditions that made its callee the one of several that it is;
    `lossy` says that a loss may be in it; `alias` is the project's own name for what computes it.
    """

    name: str
    operands: tuple[Value, ...]
    parameters: tuple[tuple[str, Value], ...]
    site: Site
    slots: tuple[Site | None, ...]
    guards: Guards
    frame: Frame
    loops: tuple[Loop, ...]
    grad: bool
    content: int
    made: Site | None = None
    spelled: tuple[str, ...] = ()
    chosen: Guards = NO_GUARDS
    lossy: bool = False
    alias: str = ""

    def parameter(self, name: str) -> Value | None:
        for key, value in self.parameters:
            if key == name:
                return value
        return None


@node
class Pass:
    """A value that entered a function as an argument: `site` is the argument, `call` the call."""

    value: Value
    site: Site
    call: Site
    frame: Frame
    content: int


@node
class Leaf:
    """Something that the evaluator does not look into, and why.

    `role` is one of `parameter` (of a root), `call`, `element` (of a loop), `index` (of a loop), `repeated` (any number
    of one item), `many` (items of which nothing is known), `global`, `unknown`. A root's parameter is its `default`
    unless a caller gives it. A loop's index has what it counts as its operand, and behind it the first number if that
    is not 0.
    A call's operands are the function and its arguments, whose names are `keywords` (None for positional ones).
    What is repeated is so by `loop`. `grad` is False for what a call returns under `no_grad`.
    """

    role: str
    name: str
    operands: tuple[Value, ...]
    site: Site | None
    content: int
    reason: str = ""
    default: Const | None = None
    keywords: tuple[str | None, ...] = ()
    loop: Loop | None = None
    grad: bool = True


@node
class Alternatives:
    """The join of branches: each value under its guards."""

    branches: tuple[tuple[Guards, Value], ...]
    size: int
    content: int


@dataclass(slots=True, eq=False)
class Phi:
    """A variable at the head of a loop: `init`, or what the previous iteration left (`next`).

    `next` closes the knot once the body has been evaluated; it is the one field of the graph set late.
    """

    name: str
    init: Value | None
    loop: Loop
    content: int
    next: Value | None = None

    def end(self) -> None:
        """Untie the knot: nothing will look at it any more."""
        self.next = None


@node
class Accumulated:
    """The sum that a loop builds: `init` plus `term` once in each iteration of `loop`."""

    init: Value
    terms: tuple[Value, ...]
    loop: Loop
    content: int


@node
class Tuple:
    """A tuple of known length."""

    items: tuple[Value, ...]
    content: int


@node
class Object:
    """A mutable object; its attributes and items are the heap's record under `content`.

    `cls` is a `Class`, or an `External` (`torch.nn.Linear`, `builtins.list`, `builtins.dict`). `loops` are those
    that it was made in: what another loop does to it happens any number of times.
    """

    cls: Class | External
    site: Site
    content: int
    loops: tuple[Loop, ...] = ()


@node
class Function:
    """A function of the project; `closure` is where its free names are looked up.

    `bare` means that its decorators have been dealt with; `wraps` is the function that a decorator put it around.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    name: str
    module: SourceModule
    closure: Activation
    owner: Class | None
    content: int
    bare: bool = False
    wraps: Function | None = None


@node
class BoundMethod:
    function: Function
    receiver: Value
    content: int


@node
class Class:
    """A class of the project."""

    node: ast.ClassDef
    name: str
    module: SourceModule
    closure: Activation
    content: int


@node
class External:
    """A name outside the project, by its canonical qualified name.

    `alias` is the project's own name for it, where its configuration says that this behaves like it.
    """

    name: str
    content: int
    alias: str = ""


@node
class Method:
    """A bound method of a value that is no project object: `x.softmax`, `items.append`."""

    receiver: Value
    name: str
    site: Site
    receiver_site: Site
    content: int


@node
class Partial:
    """`functools.partial`: a callable with some arguments bound already."""

    function: Value
    args: tuple[Argument, ...]
    content: int


@node
class Super:
    """`super()` inside a method: attributes are looked up behind `after` in the receiver's classes."""

    receiver: Object
    after: Class
    content: int


@node
class Namespace:
    """A module of the project."""

    module: SourceModule
    content: int


@node
class Import:
    """A module of the project, or a `name` in it, that nothing has looked at yet."""

    path: str
    name: str | None
    content: int


@dataclass(slots=True, eq=False)
class Home:
    """The module at `path` whose body made a call, and what the call has brought once it is evaluated.

    `ops` are operations that the module does not know of yet, `limits` the limits met; `needs` are the modules that it
    looked into, `trail` the files and folders that it followed from.
    """

    path: str
    ops: list[Op] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    trail: Trail | None = None


@dataclass(slots=True, eq=False)
class Lazy:
    """A call of a project's function that nothing needed yet: forced by the first walk that meets it.

    `state` is a snapshot of the caller's names and heap; `result` is set when forced. What a module's body calls has a
    `home`: it is evaluated apart, with the same result whoever needs it first.
    """

    function: Function
    arguments: tuple[Argument, ...]
    site: Site
    caller: Activation
    state: State
    content: int
    home: Home | None = None
    result: Value | None = None
    running: bool = False


class Argument(NamedTuple):
    """One argument of a call: `keyword` is None for positional ones, `*` and `**` for unpacked ones."""

    keyword: str | None
    value: Value
    site: Site


Value = (
    Const
    | Op
    | Pass
    | Leaf
    | Alternatives
    | Phi
    | Accumulated
    | Tuple
    | Object
    | Function
    | BoundMethod
    | Class
    | External
    | Method
    | Partial
    | Super
    | Namespace
    | Import
    | Lazy
)


def may_hold_loss(value: Value) -> bool:
    """Whether a loss may be among what `value` is computed from; certain only where it is False."""
    match value:
        case Op(lossy=lossy):
            return lossy
        case Pass(value=inner):
            return may_hold_loss(inner)
        case Alternatives(branches=branches):
            return any(may_hold_loss(branch) for _, branch in branches)
        case Lazy() | Phi() | Accumulated():
            return True
        case _:
            return False


def const(value: object) -> Const:
    return Const(value, intern_content(_key(value)))


def _key(value: object) -> object:
    return ("const", type(value), repr(value))


NONE = const(None)
TRUE = const(True)
FALSE = const(False)
ZERO = const(0)
forget_contents()


def external(name: str, alias: str = "") -> External:
    key = ("external", name, alias) if alias else ("external", name)
    return External(name, intern_content(key), alias)


def tuple_of(items: tuple[Value, ...]) -> Tuple:
    return Tuple(items, intern_content(("tuple", *(item.content for item in items))))


def leaf(role: str, name: str, site: Site | None, operands: tuple[Value, ...] = (), reason: str = "") -> Leaf:
    return Leaf(role, name, operands, site, fresh_content(), reason)


def accumulated(init: Value, terms: tuple[Value, ...], loop: Loop) -> Accumulated:
    """The sum of `terms` over `loop`, on top of `init`."""
    over = intern_content(("loop", loop.site, None if loop.iterable is None else loop.iterable.content))
    key = ("accumulated", init.content, *(term.content for term in terms), over)
    return Accumulated(init, terms, loop, intern_content(key))


def passed(value: Value, site: Site, call: Site, frame: Frame) -> Value:
    """`value` as seen by the function that it entered; literals need no record."""
    return value if isinstance(value, Const) else Pass(value, site, call, frame, value.content)


def only(value: Value, guards: Guards) -> Value:
    """A value that one branch alone has set: it is there under that branch's guards."""
    if not guards:
        return value
    key = ("alternatives", (guards, value.content))
    return Alternatives(((guards, value),), size_of(value), intern_content(key))


def size_of(value: Value) -> int:
    match value:
        case Alternatives():
            return value.size
        case Pass():
            return size_of(value.value)
        case _:
            return 1


def alternatives(branches: list[tuple[Guards, Value]], site: Site | None = None) -> Value:
    """The join of `branches`; one value where all are the same, unknown past the limit."""
    first = branches[0][1]
    if all(value is first or value.content == first.content for _, value in branches):
        return first
    size = sum(size_of(value) for _, value in branches)
    if size > MAX_ALTERNATIVES:
        limits.count("alternatives")
        return leaf("unknown", "", site, reason=f"more than {MAX_ALTERNATIVES} alternatives")
    key = ("alternatives", *((guards, value.content) for guards, value in branches))
    return Alternatives(tuple(branches), size, intern_content(key))
