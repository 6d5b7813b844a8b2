"""What IPython alone understands is masked; all else keeps its line and column."""

import pytest

from loss_lint.syntax.magics import python_of


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        pytest.param("x = 1;\ny = 2", "x = 1;\ny = 2", id="no magic"),
        pytest.param("%matplotlib inline\nx = 1", "pass\nx = 1", id="line magic"),
        pytest.param("!pip install \\\n    torch\nx = 1", "pass\n\nx = 1", id="shell command over two lines"),
        pytest.param(
            "if x:\n    !ls 'it\n    y = 1", "if x:\n    pass\n    y = 1", id="in a block, open quote"
        ),
        pytest.param("files = !ls {path}\n", "files = get_ipython()\n", id="result of a shell command"),
        pytest.param("best = %timeit -o f(x)\n", "best = get_ipython()\n", id="result of a magic"),
        pytest.param("nn.Linear?\n?nn.Linear\nnn.*Loss??", "pass\npass\npass", id="help"),
        pytest.param("/f 1\n,f a b\n;f a b", "pass\npass\npass", id="calls without parentheses"),
        pytest.param("%time loss = f(x)", "0    ;loss = f(x)", id="timed statement keeps its column"),
        pytest.param("%time for x in y: f(x)", "pass", id="timed loop"),
        pytest.param("%%time\nx = 1", "pass\nx = 1", id="timed cell"),
        pytest.param("\n# first\n%%capture out\r\nx = 1", "\n# first\npass\r\nx = 1", id="behind a comment"),
        pytest.param("%%bash\npip install torch", None, id="shell cell"),
        pytest.param("%%writefile train.py\nimport torch", None, id="a file of its own"),
        pytest.param("x = (a\n     % b)\n!ls", "x = (a\n     % b)\npass", id="modulo in brackets"),
        pytest.param("x = a \\\n  % b\n!ls", "x = a \\\n  % b\npass", id="modulo on a joined line"),
        pytest.param('s = """\n%x\n!y\n"""\n!ls', 's = """\n%x\n!y\n"""\npass', id="in a string"),
        pytest.param("ok = x != y  # why?\n!ls", "ok = x != y  # why?\npass", id="comparison and comment"),
        pytest.param("s = 'what?'\nx %= 2\n!ls", "s = 'what?'\nx %= 2\npass", id="question in a string"),
    ],
)
def test_magics_are_masked(cell: str, python: str | None) -> None:
    assert python_of(cell) == python


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("pip install torch\nx = 1", "pass\nx = 1"),
        ("cd ..\nls -l", "pass\npass"),
        ("cat = 1\nrun(x)\nls [0]\ntime.time()", "cat = 1\nrun(x)\nls [0]\ntime.time()"),
    ],
)
def test_magics_without_a_sign(cell: str, python: str) -> None:
    assert python_of(cell, unsigned=True) == python
