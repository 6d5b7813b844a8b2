"""The reduction that a loss is given: what `size_average` and `reduce` stand for takes the place of these two."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import NONE, Const, Op, Site, Value, alternatives, const
from loss_lint.symbolic.guards import guards_of, strip

LEGACY = ("size_average", "reduce")
# The operation that asks torch what the two stand for; its parameters are the loss's name, and the `reduction` that is
# written down beside them.
LEGACY_REDUCTION = "legacy_reduction"


def legacy_string(size_average: object, reduce: object) -> str:
    """What two legacy arguments stand for, at least one of which is given: torch's `legacy_get_string`."""
    if reduce is not None and not reduce:
        return "none"
    return "mean" if size_average is None or size_average else "sum"


def legacy_strings(op: Op) -> list[str]:
    """The reductions that the legacy arguments of a `LEGACY_REDUCTION` may stand for."""
    plain = [strip(value) for value in op.operands]
    choices = [[value.value] if isinstance(value, Const) else [True, False] for value in plain]
    return [*dict.fromkeys(legacy_string(*chosen) for chosen in product(*choices))]


def settled(
    given: Mapping[str, Value], slots: Mapping[str, Site], loss: str, site: Site, act: Activation
) -> dict[str, Value]:
    """The parameters `given` to a loss (or kept by its constructor) with one `reduction` and no legacy arguments.

    torch does so where a loss is constructed, or called as a function; what is set later is no legacy argument.
    `slots` are the places of the arguments that are written down, `loss` is the operation's name.
    """
    rest = {name: value for name, value in given.items() if name not in LEGACY}
    legacy = tuple(given.get(name, NONE) for name in LEGACY)
    if all(strip(value).content == NONE.content for value in legacy):
        return rest
    machine = act.machine
    overridden = (("reduction", given["reduction"]),) if "reduction" in slots else ()
    asked = machine.op(
        LEGACY_REDUCTION,
        legacy,
        (("loss", const(loss)), *overridden),
        site,
        tuple(slots.get(name) for name in LEGACY),
        act,
    )
    possible = legacy_strings(asked)
    answer = const(possible[0]) if len(possible) == 1 else asked
    missing = [machine.identity(value, NONE, act, site) for value in legacy]
    neither = machine.python_op("and", tuple(missing), site, act)
    without, with_them = guards_of(neither, True), guards_of(neither, False)
    if without is None or "reduction" not in given:
        return rest | {"reduction": answer}
    if with_them is None:
        return rest
    return rest | {"reduction": alternatives([(without, given["reduction"]), (with_them, answer)], site)}
