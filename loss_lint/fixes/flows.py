"""Where a value goes in the whole project, as far as the text says: whether all its uses want the same change.

What a fix would change (a tensor, what a module returns when it is called) is followed from where it is made through
names, attributes, containers, returns and arguments. Each use has to be known: a loss that wants the change,
something that is indifferent to it, or a step on the way. For anything else `Uncertain` is raised.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from loss_lint.fixes import steps
from loss_lint.fixes.names import Definition, Found, definition, mentions, method
from loss_lint.fixes.program import FUNCTIONS, Program, Tree, Uncertain, parameters, reads_in
from loss_lint.symbolic.graph import Site

Key = int | str


@dataclass(frozen=True, slots=True)
class Held:
    """What a node holds: the value behind the keys (of tuples, dicts) of each level, with a call between two levels.

    A tensor has one level, a module or function that returns it two, a class of such modules three. `layers` become
    a module in a Sequential, of which they are the last.
    """

    levels: tuple[tuple[Key, ...], ...] = ((),)
    is_layers: bool = False

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.levels[0]

    @property
    def is_tensor(self) -> bool:
        return self.levels == ((),)

    @property
    def is_module(self) -> bool:
        return len(self.levels) == 2 and not self.keys

    def inside(self, key: Key) -> Held:
        return Held(((key, *self.keys), *self.levels[1:]))

    def outside(self) -> Held:
        return Held((self.keys[1:], *self.levels[1:]))

    def made(self) -> Held:
        """What a function is that returns this, or a class whose instances are this."""
        return Held(((), *self.levels))

    def called(self) -> Held:
        if self.keys or len(self.levels) == 1 or self.is_layers:
            raise Uncertain("it is called")
        return Held(self.levels[1:])


TENSOR = Held()
MODULE = Held(((), ()))

_MAX_NODES = 400
# The key of every item of a list.
_ANY = "*"
# A module in a list of layers, alone or with its name.
_ENTRIES = (((), ()), ((1,), ()))


@dataclass(slots=True)
class Flows:
    """Follows values; `wants` says whether the loss at a call wants the change, `entered` what a call runs.

    `sinks` are the losses' calls that it came to, `files` those that it went through. With `goes_on`, a use that is
    not known does not end the search, so that `sinks` are all.
    """

    program: Program
    wants: Callable[[Site, frozenset[str]], bool]
    entered: Callable[[Site, frozenset[str]], list[Found]]
    holders: frozenset[str] | None = None
    largest_stays: bool = True
    ends_at_calls: bool = False
    goes_on: bool = False
    sinks: set[Site] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    _seen: set[tuple[int, Held]] = field(default_factory=set)
    _classes: list[ast.ClassDef] = field(default_factory=list)
    _pending: list[tuple[Found, Held]] = field(default_factory=list)

    def follow(self, tree: Tree, node: ast.AST, held: Held) -> None:
        """Follow what a node holds to the end; raises Uncertain where a use is not known."""
        self._go(tree, node, held)
        doubt: Uncertain | None = None
        while self._pending:
            found, held = self._pending.pop()
            try:
                self._step(found.tree, found.node, held)
            except Uncertain as error:
                if not self.goes_on:
                    raise
                doubt = error
        if doubt is not None:
            raise doubt

    def follow_reads(self, tree: Tree, reads: list[ast.Name], held: Held) -> None:
        """Follow what names hold to the end; raises Uncertain."""
        for read in reads:
            self.follow(tree, read, held)

    def _go(self, tree: Tree, node: ast.AST, held: Held) -> None:
        key = (id(node), held)
        if key not in self._seen:
            self._seen.add(key)
            self.files.add(tree.path)
            self._pending.append((Found(tree, node), held))
            if len(self._seen) > _MAX_NODES:
                raise Uncertain("it goes too far")

    def _step(self, tree: Tree, node: ast.AST, held: Held) -> None:
        """Follow a value from an expression into what is around it."""
        parent = tree.parents[node]
        match parent:
            case ast.Expr():
                return
            case ast.Assign(value=value, targets=targets) if value is node:
                for target in targets:
                    self._bind(tree, parent, target, held)
            case ast.AnnAssign(value=value, target=target) if value is node:
                self._bind(tree, parent, target, held)
            case ast.NamedExpr(value=value, target=target) if value is node:
                self._bind(tree, tree.statement(parent), target, held)
                self._go(tree, parent, held)
            case ast.Return() | ast.Lambda():
                self._return(tree, node, held)
            case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
                return
            case _:
                self._step_inside(tree, parent, node, held)

    def _step_inside(self, tree: Tree, parent: ast.AST, node: ast.AST, held: Held) -> None:
        """Follow a value into the expression that it is part of."""
        match parent:
            case ast.Tuple(elts=[*elements]) if not held.is_layers:
                self._go(tree, parent, held.inside(elements.index(node)))  # type: ignore[arg-type]
            case ast.List(elts=[*_, last]) if last is node and held.levels in _ENTRIES:
                self._go(tree, parent, Held(MODULE.levels, is_layers=True))
            case ast.List(elts=[*elements]) if not held.is_layers:
                self._go(tree, parent, held.inside(elements.index(node)))  # type: ignore[arg-type]
            case ast.Dict(keys=keys, values=values) if node in values:
                key = keys[values.index(node)]
                if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                    raise Uncertain("a key that is not known")
                self._go(tree, parent, held.inside(key.value))
            case ast.Subscript(value=value, slice=index) if value is node:
                self._index(tree, parent, index, held)
            case ast.Attribute():
                self._attribute(tree, parent, held)
            case ast.IfExp(test=test) if test is not node:
                self._go(tree, parent, held)
            case ast.Call(func=function) if function is node:
                self._call(tree, parent, held)
            case ast.Call():
                self._argument(tree, parent, node, held)
            case ast.keyword():
                call = tree.parents[parent]
                if not isinstance(call, ast.Call) or parent.arg is None:
                    raise Uncertain("it is unpacked")
                self._argument(tree, call, node, held)
            case ast.Starred() if held.is_layers:
                self._go(tree, parent, held)
            case ast.Await():
                self._go(tree, parent, held)
            case _:
                raise Uncertain(f"{type(parent).__name__} at {tree.path}:{getattr(parent, 'lineno', 0)}")

    # Names and attributes

    def _bind(self, tree: Tree, statement: ast.stmt, target: ast.expr, held: Held) -> None:
        match target:
            case ast.Name(id=name):
                self._reach(tree, statement, name, held)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                if not held.keys or not isinstance(held.keys[0], int):
                    raise Uncertain("it is unpacked")
                place = held.keys[0]
                if any(isinstance(one, ast.Starred) for one in targets) or place >= len(targets):
                    raise Uncertain("it is unpacked")
                self._bind(tree, statement, targets[place], held.outside())
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self._hold(tree, target, name, held)
            case _:
                raise Uncertain("it is stored")

    def _reach(self, tree: Tree, statement: ast.stmt, name: str, held: Held) -> None:
        function = tree.function(statement)
        if name in tree.shared:
            raise Uncertain("a name of several functions")
        if function is None:
            word = name.encode()
            if isinstance(tree.around(statement, (ast.ClassDef,)), ast.ClassDef):
                raise Uncertain("an attribute of a class")
            if any(word in data for _, data in self.program.importers(tree.path)):
                raise Uncertain("a name that other files may import")
        for read in tree.reads_after(statement, name):
            if isinstance(read.ctx, ast.Store):
                raise Uncertain("it is added to")
            self._go(tree, read, held)

    def _hold(
        self, tree: Tree, target: ast.Attribute, name: str, held: Held, after: ast.stmt | None = None
    ) -> None:
        """Follow what an attribute of `self` holds to where attributes of that name are read."""
        if not isinstance(tree.around(target, (ast.ClassDef,)), ast.ClassDef):
            raise Uncertain("an attribute of what is no class")
        for path in self.program.mentioning(name, tree.path):
            other = self.program.tree(path)
            if other is None:
                raise Uncertain(f"{path} cannot be read")
            for read in other.attributes.get(name, ()):
                if after is not None and _is_before(other, read, tree, after):
                    continue
                if isinstance(read.ctx, ast.Load) and not _is_of_another(other, read, tree, target):
                    self._go(other, read, held)
                elif isinstance(other.parents[read], ast.AugAssign):
                    raise Uncertain("it is added to")

    def _attribute(self, tree: Tree, read: ast.Attribute, held: Held) -> None:
        name, parent = read.attr, tree.parents[read]
        is_called = isinstance(parent, ast.Call) and parent.func is read
        if not held.is_tensor:
            self._of_holder(tree, read, is_called, held)
            return
        if is_called and isinstance(parent, ast.Call) and self._is_sink(tree, parent):
            return
        if name in steps.INERT:
            return
        if name in steps.KEEPING:
            self._go(tree, parent if is_called else read, held)
        elif name in steps.LARGEST and is_called and isinstance(parent, ast.Call):
            self._choose(tree, parent, name, parent.args)
        else:
            raise Uncertain(f".{name} at {tree.path}:{read.lineno}")

    def _of_holder(self, tree: Tree, read: ast.Attribute, is_called: bool, held: Held) -> None:
        """An attribute of what is no tensor yet: a module, a tuple, a list, a class."""
        name, parent = read.attr, tree.parents[read]
        if held.is_module and not held.is_layers:
            if name in ("forward", "__call__") and is_called and isinstance(parent, ast.Call):
                self._call(tree, parent, held)
            elif name == "module":
                self._go(tree, read, held)
            elif name in steps.OF_MODULES:
                if is_called and name in steps.ITSELF:
                    self._go(tree, parent, held)
            elif self.holders is None or name in self.holders or not self._is_of_class(name):
                raise Uncertain(f".{name} of a module")
        elif held.keys == (_ANY,) and name == "append":
            return
        elif held.keys and held.keys[0] == name:
            self._go(tree, read, held.outside())
        elif not (held.keys and isinstance(held.keys[0], str) and held.keys[0] != _ANY and not is_called):
            raise Uncertain(f".{name} of what holds it")

    def _is_of_class(self, name: str) -> bool:
        """Whether the classes that were met say themselves what an attribute is."""
        return any(
            (isinstance(node, ast.FunctionDef) and node.name == name)
            or (isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store))
            for cls in self._classes
            for node in ast.walk(cls)
        )

    def _index(self, tree: Tree, parent: ast.Subscript, index: ast.expr, held: Held) -> None:
        if not held.keys:
            if not held.is_tensor or not isinstance(parent.ctx, ast.Load):
                raise Uncertain("an item of it")
            self._go(tree, parent, held)
            return
        if held.keys[0] == _ANY:
            self._go(tree, parent, held if isinstance(index, ast.Slice) else held.outside())
            return
        if not isinstance(index, ast.Constant) or type(index.value) is not type(held.keys[0]):
            raise Uncertain("an item that is not known")
        if index.value == held.keys[0]:
            self._go(tree, parent, held.outside())

    # Calls

    def _call(self, tree: Tree, call: ast.Call, held: Held) -> None:
        """Go on with what a call of it gives, or end there."""
        if not self.ends_at_calls or not held.is_module:
            self._go(tree, call, held.called())
            return
        site = tree.site(call)
        if not self.wants(site, frozenset(self.files)):
            raise Uncertain(f"a call at {tree.path}:{call.lineno}")
        self.sinks.add(site)

    def _return(self, tree: Tree, node: ast.AST, held: Held) -> None:
        function = tree.function(node)
        if function is None:
            raise Uncertain("no function returns it")
        if isinstance(function, ast.Lambda):
            self._go(tree, function, held.made())
            return
        owner = tree.owner(function)
        if owner is None:
            if any(
                not isinstance(one, ast.Name | ast.Attribute | ast.Call) for one in function.decorator_list
            ):
                raise Uncertain("a decorator")
            named = list(mentions(self.program, Found(tree, function)))
            if not named:
                raise Uncertain("nobody in sight calls it")
            for mention in named:
                self._go(mention.tree, mention.node, held.made())
        elif function.name in ("forward", "__call__"):
            self._of_class(Found(tree, owner), function, held)
        elif function.name.startswith("__"):
            raise Uncertain("a special method")
        else:
            self._of_method(tree, function, held)

    def _of_method(self, tree: Tree, function: Definition, held: Held) -> None:
        """Follow what a method returns to the calls of methods of its name."""
        names = {_last(one) for one in function.decorator_list}
        if names - {"no_grad", "staticmethod", "classmethod", "property"}:
            raise Uncertain("a decorator")
        is_read = False
        for path in self.program.mentioning(function.name, tree.path):
            other = self.program.tree(path)
            if other is None:
                raise Uncertain(f"{path} cannot be read")
            for read in other.attributes.get(function.name, ()):
                if isinstance(read.ctx, ast.Load):
                    is_read = True
                    self._go(other, read, held if "property" in names else held.made())
        if not is_read:
            raise Uncertain("nobody in sight calls it")

    def _of_class(self, owner: Found, function: Definition, held: Held) -> None:
        """Follow what a module returns to where its instances are called."""
        tree, cls = owner
        assert isinstance(cls, ast.ClassDef)
        self._classes.append(cls)
        name = function.name
        called = held.made()
        for node in ast.walk(cls):
            match node:
                case ast.Name(id="self", ctx=ast.Load()) if tree.function(node) is not None:
                    parent = tree.parents[node]
                    is_called = isinstance(parent, ast.Call) and parent.func is node
                    is_named = isinstance(parent, ast.Attribute) and parent.attr == name
                    if is_called or is_named:
                        self._go(tree, node, called)
                    elif not isinstance(parent, ast.Attribute) and not _is_super(parent):
                        raise Uncertain("it hands itself on")
                case _:
                    pass
        for mention in mentions(self.program, owner):
            self._use_of_class(mention, function, called)

    def _use_of_class(self, mention: Found, function: Definition, called: Held) -> None:
        tree, node = mention
        parent = tree.parents[node]
        match parent:
            case ast.ClassDef(bases=bases) if node in bases:
                self._subclass(Found(tree, parent), function, called)
            case ast.Call(func=ast.Name(id="super" | "isinstance")):
                return
            case ast.Attribute(attr="__name__" | "__init__"):
                return
            case ast.arg() | ast.AnnAssign():
                return
            case ast.FunctionDef(returns=annotation) if annotation is node:
                return
            case _:
                self._go(tree, node, called.made())

    def _subclass(self, found: Found, function: Definition, called: Held) -> None:
        tree, cls = found
        assert isinstance(cls, ast.ClassDef)
        own = next(
            (one for one in cls.body if isinstance(one, Definition) and one.name == function.name), None
        )
        for node in ast.walk(cls):
            match node:
                case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name) if (
                    name == function.name
                ):
                    self._go(tree, node, called)
                case _:
                    pass
        if own is None:
            self._of_class(found, function, called.called())

    def _argument(self, tree: Tree, call: ast.Call, node: ast.AST, held: Held) -> None:
        name = _last(call.func)
        if held.is_layers:
            if name == "OrderedDict" and call.args == [node]:
                self._go(tree, call, held)
            elif name == "Sequential" and len(call.args) == 1:
                self._go(tree, call, MODULE)
            else:
                raise Uncertain("layers")
            return
        if held.is_module:
            is_last = call.args[-1:] == [node] and not call.keywords
            if name in ("append", "add_module") and is_last and isinstance(call.func, ast.Attribute):
                self._add(tree, call, call.func.value, held)
                return
            if (name == "Sequential" and is_last) or (name in steps.WRAPPERS and call.args[:1] == [node]):
                self._go(tree, call, held)
                return
            is_step = name in steps.STEPS and isinstance(call.func, ast.Attribute)
            if is_step and not self.program.defines(name, tree.path):
                return
            if name in steps.ONLOOKERS and definition(self.program, tree, call.func) is None:
                return
        if held.is_tensor and name == "append" and isinstance(call.func, ast.Attribute):
            self._collect(tree, call.func.value, held)
            return
        if held.keys == (_ANY,) and name in ("stack", "cat", "concat") and call.args[:1] == [node]:
            self._go(tree, call, held.outside())
            return
        if held.is_tensor and self._is_torch(tree, call, node, name):
            return
        if name in ("isinstance", "len", "type", "id"):
            return
        self._enter(tree, call, node, held)

    def _add(self, tree: Tree, call: ast.Call, base: ast.expr, held: Held) -> None:
        """A module becomes the last one of a list, or of a Sequential."""
        statement = tree.statement(call)
        if not isinstance(statement, ast.Expr) or statement.value is not call:
            raise Uncertain("layers")
        if isinstance(tree.parents[statement], ast.For | ast.AsyncFor | ast.While):
            raise Uncertain("layers of a loop")
        match base:
            case ast.Name(id=name):
                is_list = _is_list(tree, base)
                if is_list is None:
                    raise Uncertain("layers of what is not known")
                self._reach(tree, statement, name, Held(held.levels, is_layers=is_list))
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self._hold(tree, base, name, held, after=statement)
            case _:
                raise Uncertain("layers of what is not known")

    def _collect(self, tree: Tree, base: ast.expr, held: Held) -> None:
        """Follow an item of a list that is filled in one function."""
        if not isinstance(base, ast.Name) or _is_list(tree, base) is not True:
            raise Uncertain("a list that is not known")
        function = tree.function(base)
        if function is None or base.id in tree.shared:
            raise Uncertain("a list of several functions")
        for read in tree.names[base.id]:
            if tree.function(read) is function and isinstance(read.ctx, ast.Load):
                self._go(tree, read, held.inside(_ANY))

    def _is_torch(self, tree: Tree, call: ast.Call, node: ast.AST, name: str) -> bool:
        """Whether a call is one of torch's functions that the change leaves what they are, or passes on."""
        base = call.func.value if isinstance(call.func, ast.Attribute) else None
        if not isinstance(base, ast.Name) or base.id not in steps.TORCH or call.args[:1] != [node]:
            return False
        if name in steps.KEEPING:
            self._go(tree, call, TENSOR)
            return True
        if name in steps.LIKE:
            return True
        if name in steps.LARGEST:
            self._choose(tree, call, name, call.args[1:])
            return True
        return False

    def _choose(self, tree: Tree, call: ast.Call, name: str, arguments: list[ast.expr]) -> None:
        """The largest of several: its place does not change, its value does."""
        given = next((one.value for one in call.keywords if one.arg in ("dim", "axis")), None)
        at = 1 if name == "topk" else 0
        dim = arguments[at] if given is None and len(arguments) > at else given
        if not self.largest_stays or (dim is None and name != "topk"):
            raise Uncertain("the largest of all")
        if dim is not None and _number(dim) not in (1, -1):
            raise Uncertain("the largest along another dimension")
        if name in ("argmax", "argsort"):
            return
        parent = tree.parents[call]
        match parent:
            case ast.Subscript(slice=ast.Constant(value=1)) | ast.Attribute(attr="indices"):
                return
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=largest), _])]):
                if not tree.reads_after(parent, largest):
                    return
            case _:
                pass
        raise Uncertain("the largest's value")

    def _enter(self, tree: Tree, call: ast.Call, node: ast.AST, held: Held) -> None:
        """Follow an argument into the function that is called, if that is not a loss that wants the change."""
        site = tree.site(call)
        is_sink = held.is_tensor and self._is_sink(tree, call)
        known = definition(self.program, tree, call.func)
        if known is not None and isinstance(known.node, ast.ClassDef):
            keyword = next((one.arg for one in call.keywords if one.value is node), None)
            if keyword is not None and _has_fields(known.node):
                self._go(tree, call, held.inside(keyword))
                return
            known = method(self.program, known, "__init__")
        entered = [known] if known is not None else self.entered(site, frozenset(self.files))
        if not entered and not is_sink:
            raise Uncertain(f"{ast.unparse(call.func)} at {tree.path}:{call.lineno}")
        for one in entered:
            self._enter_one(one, call, node, held)

    def _is_sink(self, tree: Tree, call: ast.Call) -> bool:
        """Whether a call is a loss that wants the change."""
        site = tree.site(call)
        if not self.wants(site, frozenset(self.files)):
            return False
        self.sinks.add(site)
        return True

    def _enter_one(self, entered: Found, call: ast.Call, node: ast.AST, held: Held) -> None:
        function = entered.node
        if not isinstance(function, FUNCTIONS):
            raise Uncertain("what is called")
        bound = parameters(function)
        owner = entered.tree.owner(function)
        names = {_last(one) for one in getattr(function, "decorator_list", ())}
        if names - {"no_grad", "staticmethod", "inference_mode", "classmethod"}:
            raise Uncertain("a decorator")
        if owner is not None and "staticmethod" not in names:
            bound = bound[1:]
        keyword = next((one.arg for one in call.keywords if one.value is node), None)
        if keyword is None:
            if any(isinstance(one, ast.Starred) for one in call.args):
                raise Uncertain("unpacked arguments")
            place = call.args.index(node)  # type: ignore[arg-type]
            keyword = bound[place].arg if place < len(bound) - len(function.args.kwonlyargs) else None
        if keyword is None or keyword not in [one.arg for one in bound]:
            raise Uncertain("an argument without a parameter")
        nested = [
            one
            for one in ast.walk(function)
            if isinstance(one, FUNCTIONS) and one is not function
            for one in ast.walk(one)
            if isinstance(one, ast.Name) and one.id == keyword and isinstance(one.ctx, ast.Load)
        ]
        for read in dict.fromkeys([*reads_in(function, keyword), *nested]):
            if isinstance(read.ctx, ast.Store):
                raise Uncertain("it is added to")
            self._go(entered.tree, read, held)


def _has_fields(cls: ast.ClassDef) -> bool:
    """Whether a class's arguments are its attributes: a dataclass, a named tuple, a model's output."""
    names = {_last(one) for one in (*cls.decorator_list, *cls.bases)}
    return bool(names & {"dataclass", "NamedTuple", "ModelOutput", "TypedDict"})


def _last(node: ast.expr) -> str:
    match node:
        case ast.Call(func=function):
            return _last(function)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _number(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _is_list(tree: Tree, name: ast.Name) -> bool | None:
    """Whether a name is bound once, to a list (True) or a Sequential (False)."""
    scope: ast.AST = tree.function(name) or tree.module.tree
    bound = tree.bindings(scope, name.id)
    statement = tree.parents.get(bound[0]) if len(bound) == 1 else None
    match getattr(statement, "value", None):
        case ast.List():
            return True
        case ast.Call(func=function) if _last(function) == "Sequential":
            return False
        case _:
            return None


def _is_before(other: Tree, read: ast.Attribute, tree: Tree, statement: ast.stmt) -> bool:
    """Whether something is read in a statement's function before it, or in it."""
    return (
        other is tree
        and tree.function(read) is tree.function(statement)
        and read.lineno <= (statement.end_lineno or statement.lineno)
    )


def _is_super(parent: ast.AST) -> bool:
    return isinstance(parent, ast.Call) and _last(parent.func) in ("super", "isinstance", "type", "__init__")


def _is_of_another(other: Tree, read: ast.Attribute, tree: Tree, target: ast.Attribute) -> bool:
    """Whether `self.x` is read in a class that has nothing to do with the one whose `self.x` is set."""
    if not isinstance(read.value, ast.Name):
        return False
    if read.value.id != "self":
        return read.value.id in steps.SETTINGS or read.value.id in other.modules
    owner, cls = tree.around(target, (ast.ClassDef,)), other.around(read, (ast.ClassDef,))
    if cls is owner or not isinstance(owner, ast.ClassDef) or not isinstance(cls, ast.ClassDef):
        return False
    bases = {_last(base) for base in (*owner.bases, *cls.bases)}
    return bases <= {"Module", "LightningModule", "object", "ABC", "Dataset"}
