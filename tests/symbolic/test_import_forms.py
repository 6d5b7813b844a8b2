"""Every way in which a file can get a model and a loss from other files of its project."""

from __future__ import annotations

import pytest

from loss_lint.linter import Linter
from loss_lint.runner import lint_files
from loss_lint.syntax.sources import Memory

NET = """import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(x).softmax(dim=1)
"""
LOSS = """import torch.nn.functional as F

def compute(out, y):
    return F.cross_entropy(out, y)
"""
TRAIN = """import torch
{imports}

def main(loader):
    {inside}
    model = {net}()
    for x, y in loader:
        loss = {loss}(model(x), y)  # here
        loss.backward()
"""
PACKAGE = {"pkg/__init__.py": "", "pkg/net.py": NET, "pkg/losses.py": LOSS}
FLAT = {"net.py": NET, "losses.py": LOSS}


def train(imports: str, net: str = "Net", loss: str = "compute", inside: str = "pass") -> str:
    return TRAIN.format(imports=imports, net=net, loss=loss, inside=inside)


def findings(files: dict[str, str], path: str) -> list[tuple[str, str, int]]:
    """What is found in a project, in the file at `path`, however it is asked for."""
    project = {"/p/README.md": "", **{f"/p/{name}": text for name, text in files.items()}}
    paths = [name for name in project if name.endswith(".py")]
    run = lint_files(paths, Memory(project), roots=["/p"], jobs=1)
    places = [(one.code, one.place.path.removeprefix("/p/"), one.place.line) for one in run.findings]
    alone = lint_files([f"/p/{path}"], Memory(project), roots=["/p"], jobs=1).findings
    assert [one for one in run.findings if one.place.path == f"/p/{path}"] == [*alone]
    assert Linter(Memory(project), ["/p"]).lint(f"/p/{path}") == alone
    return places


def check(path: str, text: str, others: dict[str, str]) -> None:
    line = text[: text.index("# here")].count("\n") + 1
    assert findings({path: text, **others}, path) == [("LOS201", path, line)]


@pytest.mark.parametrize(
    ("imports", "net", "loss"),
    [
        ("from pkg.net import Net\nfrom pkg.losses import compute", "Net", "compute"),
        ("from pkg.net import Net as M\nfrom pkg.losses import compute as ce", "M", "ce"),
        ("import pkg.net\nimport pkg.losses", "pkg.net.Net", "pkg.losses.compute"),
        ("import pkg.net as n, pkg.losses as l", "n.Net", "l.compute"),
        ("import pkg.net as pkg\nfrom pkg import losses", "pkg.Net", "losses.compute"),
        ("from pkg import net, losses", "net.Net", "losses.compute"),
        ("from pkg import net as n, losses as l", "n.Net", "l.compute"),
        ("from pkg.net import *\nfrom pkg.losses import *", "Net", "compute"),
        ("import sys; from pkg.net import Net; from pkg.losses import compute", "Net", "compute"),
        ("if True: from pkg.net import Net\nfrom pkg.losses import compute", "Net", "compute"),
        ("from pkg.net \\\n    import Net\nfrom pkg.losses import \\\n    compute", "Net", "compute"),
        (
            "from pkg.net import (\n  Net,  # a net (small)\n)\nfrom pkg.losses import(compute)",
            "Net",
            "compute",
        ),
    ],
)
@pytest.mark.parametrize("is_regular", [True, False], ids=["package", "folder without __init__"])
def test_absolute(imports: str, net: str, loss: str, is_regular: bool) -> None:
    others = {name: text for name, text in PACKAGE.items() if is_regular or text}
    check("main.py", train(imports, net, loss), others)


@pytest.mark.parametrize(
    ("path", "imports", "net", "loss"),
    [
        ("pkg/main.py", "from .net import Net\nfrom .losses import compute", "Net", "compute"),
        ("pkg/main.py", "from . import net, losses", "net.Net", "losses.compute"),
        ("pkg/sub/main.py", "from ..net import Net\nfrom .. import losses", "Net", "losses.compute"),
        ("pkg/a/b/main.py", "from ...net import Net\nfrom ... import losses as l", "Net", "l.compute"),
        ("pkg/a/b/main.py", "from ...net import *\nfrom ...losses import *", "Net", "compute"),
        ("pkg/__main__.py", "from pkg.net import Net\nfrom pkg.losses import compute", "Net", "compute"),
        ("pkg/__init__.py", "from . import net\nfrom .losses import compute", "net.Net", "compute"),
    ],
)
def test_relative(path: str, imports: str, net: str, loss: str) -> None:
    folders = {"pkg/sub/__init__.py": "", "pkg/a/__init__.py": "", "pkg/a/b/__init__.py": ""}
    check(
        path, train(imports, net, loss), {name: PACKAGE[name] for name in PACKAGE if name != path} | folders
    )


@pytest.mark.parametrize(
    ("handed_on", "imports", "net", "loss"),
    [
        ("from .net import Net\nfrom .losses import compute\n__all__ = ['Net', 'compute']\n",
         "from pkg import Net, compute", "Net", "compute"),
        ("from .net import Net as Model\nfrom .losses import compute as ce\n",
         "from pkg import Model, ce", "Model", "ce"),
        ("from .net import *\nfrom .losses import *\n", "from pkg import *", "Net", "compute"),
        ("from .net import *\nfrom .losses import *\n", "import pkg", "pkg.Net", "pkg.compute"),
        ("from .net import Net\nfrom .losses import compute\n", "import pkg as p", "p.Net", "p.compute"),
        ("from . import net, losses\n", "import pkg", "pkg.net.Net", "pkg.losses.compute"),
        ("from pkg import net\nimport pkg.losses\n", "import pkg", "pkg.net.Net", "pkg.losses.compute"),
        ("from .net import Net as net\n", "from pkg import net\nfrom pkg.losses import compute", "net", "compute"),
        ("from . import losses\nNET = __import__('x')\ncompute = losses.compute\n",
         "from pkg import compute\nfrom pkg.net import Net", "Net", "compute"),
    ],
)  # fmt: skip
def test_handed_on_by_a_package(handed_on: str, imports: str, net: str, loss: str) -> None:
    check("main.py", train(imports, net, loss), PACKAGE | {"pkg/__init__.py": handed_on})


def test_handed_on_through_several_packages() -> None:
    others = {
        "pkg/__init__.py": "from .inner import Net, compute\n",
        "pkg/inner/__init__.py": "from .net import Net\nfrom .deep import compute\n",
        "pkg/inner/net.py": NET,
        "pkg/inner/deep/__init__.py": "from .losses import compute\n",
        "pkg/inner/deep/losses.py": LOSS,
    }
    check("main.py", train("from pkg import Net, compute"), others)


@pytest.mark.parametrize(
    ("inside", "net", "loss"),
    [
        ("from net import Net; from losses import compute", "Net", "compute"),
        ("import net, losses", "net.Net", "losses.compute"),
        ("import net as n; import losses as l", "n.Net", "l.compute"),
    ],
)
def test_inside_a_function(inside: str, net: str, loss: str) -> None:
    check("main.py", train("", net, loss, inside), FLAT)


@pytest.mark.parametrize(
    "imports",
    [
        (
            "try:\n    from .net import Net\n    from .losses import compute\n"
            "except ImportError:\n    from net import Net\n    from losses import compute"
        ),
        (
            "try:\n    from net import Net\nexcept ImportError:\n    from elsewhere.net import Net\n"
            "try:\n    from losses import compute\nexcept ImportError:\n    compute = None"
        ),
        (
            "import sys\nif sys.version_info > (3, 9):\n    from net import Net\nelse:\n    from old import Net\n"
            "from losses import compute"
        ),
        (
            "from typing import TYPE_CHECKING\nfrom net import Net\nif TYPE_CHECKING:\n    from losses import compute\n"
            "else:\n    from losses import compute"
        ),
    ],
    ids=["relative or absolute", "found or not", "by version", "for the type checker"],
)
def test_under_conditions(imports: str) -> None:
    check("main.py", train(imports), FLAT)


def test_an_annotation_that_is_imported_for_the_type_checker_alone() -> None:
    text = (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nimport torch\n"
        "from losses import compute\nif TYPE_CHECKING:\n    from net import Net\n\n"
        "def step(model: Net, x, y):\n    compute(model(x), y).backward()  # here\n"
    )
    check("main.py", text, FLAT)


PKG = "from pkg.net import Net\nfrom pkg.losses import compute"
OWN = "from net import Net\nfrom losses import compute"


@pytest.mark.parametrize(
    ("path", "imports", "folder"),
    [
        pytest.param("scripts/main.py", PKG, "src/pkg", id="a package below src"),
        pytest.param("src/pkg/main.py", PKG, "src/pkg", id="inside a package below src"),
        pytest.param("main.py", PKG.replace("pkg", "src"), "src", id="src is the package"),
        pytest.param("sub/main.py", OWN, "sub", id="a script beside its modules"),
        pytest.param("sub/main.py", PKG, "sub/pkg", id="a script beside its package"),
        pytest.param("sub/main.py", PKG, "pkg", id="a script that runs from the root"),
        pytest.param("sub/main.py", OWN, ".", id="a script that runs from the root, without a package"),
        pytest.param("a/b/c/main.py", PKG, "a/pkg", id="a script that runs from a folder between"),
        pytest.param("main.py", PKG.replace("pkg", "utils"), "utils", id="utils"),
        pytest.param("main.py", PKG.replace("pkg", "timm"), "timm", id="a name that third parties have too"),
        pytest.param("main.py", PKG.replace("pkg", "modèles"), "modèles", id="beyond ASCII"),
    ],
)
def test_layouts(path: str, imports: str, folder: str) -> None:
    prefix = "" if folder == "." else f"{folder}/"
    check(path, train(imports), {f"{prefix}net.py": NET, f"{prefix}losses.py": LOSS})


def test_the_importers_own_folder_comes_first() -> None:
    right = NET.replace(".softmax(dim=1)", "")
    others = {"net.py": right, "losses.py": LOSS, "sub/net.py": NET}
    check("sub/main.py", train(OWN), others)
    assert (
        findings({"sub/main.py": train(OWN), **others, "sub/net.py": right, "net.py": NET}, "sub/main.py")
        == []
    )


def test_a_folder_called_torch_is_not_torch() -> None:
    local = {"torch/__init__.py": "", "torch/nn.py": "class Module: pass\n", "torch/notes.py": "x = 1\n"}
    check("main.py", train(OWN), FLAT | local)


@pytest.mark.parametrize(
    "imports",
    [
        pytest.param("import sys\nsys.path.append('lib')\nfrom net import Net\nfrom losses import compute", id="path"),
        pytest.param("from other.net import Net\nfrom lib.losses import compute", id="another package's"),
        pytest.param("import importlib\nNet = importlib.import_module(name).Net\nfrom lib.losses import compute",
                     id="by a name that is not known"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_silent(imports: str) -> None:
    assert findings({"main.py": train(imports), "lib/net.py": NET, "lib/losses.py": LOSS}, "main.py") == []


@pytest.mark.parametrize(
    ("net", "losses"),
    [
        ("import losses\n", "import net\n"),
        ("from losses import compute\n", "from net import Net\n"),
        ("import main\n", "from main import main\n"),
        ("from losses import *\n", "from net import *\n"),
        ("from net import Net\n", "import losses\n"),
    ],
)
def test_circles(net: str, losses: str) -> None:
    for imports in (OWN, "from losses import compute\nfrom net import Net"):
        check("main.py", train(imports), {"net.py": net + NET, "losses.py": losses + LOSS})


def test_projects_side_by_side_do_not_mix() -> None:
    """Two folders given at once, each with modules of the same names."""
    right = NET.replace(".softmax(dim=1)", "")
    files = {
        "/one/README.md": "",
        "/one/main.py": train(OWN),
        "/one/net.py": NET,
        "/one/losses.py": LOSS,
        "/two/README.md": "",
        "/two/main.py": train(OWN),
        "/two/net.py": right,
        "/two/losses.py": LOSS,
    }
    for roots in (["/one", "/two"], ["/two", "/one"], ["/"]):
        paths = [name for name in files if name.endswith(".py")]
        run = lint_files(paths, Memory(files), roots=roots, jobs=1)
        assert [one.place.path for one in run.findings] == ["/one/main.py"]
