"""The editors' settings in the README and on the page about editors are such that the server takes them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from loss_lint.cli.arguments import parser
from loss_lint.server.options import read_options

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EDITOR = (ROOT / "docs" / "editor.md").read_text(encoding="utf-8")


def test_the_settings_for_vs_code_start_the_server_and_are_understood() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    settings = json.loads(text)
    assert settings["glspc.server.command"] == "loss-lint"
    assert parser().parse_args(settings["glspc.server.commandArguments"]).command == "server"
    read = read_options(settings["glspc.server.initializationOptions"])
    assert (read.options.layer.ignore, read.problems) == (("LOS107",), ())


def test_the_settings_for_neovim_start_the_server_and_are_understood() -> None:
    (text,) = re.findall(r"```lua\n(.*?)```", README, re.DOTALL)
    (command,) = re.findall(r"cmd = (\{.*?\}),\n", text)
    assert command == '{ "loss-lint", "server" }'
    (given,) = re.findall(r"init_options = (.*),\n", text)
    as_json = re.sub(r'\{ ("[^{}]*?") \}', r"[\1]", re.sub(r"(\w+) = ", r'"\1": ', given))
    read = read_options(json.loads(as_json))
    assert (read.options.layer.ignore, read.problems) == (("LOS107",), ())


def test_every_setting_of_the_page_is_known() -> None:
    (text,) = re.findall(r"The settings are\n(.*?)they\n", EDITOR, re.DOTALL)
    given = {
        name: ["LOS2"] if name in ("select", "ignore", "extendSelect") else True
        for name in re.findall(r"`(\w+)`", text)
    }
    given.pop("fixAll")
    assert set(given) == {"enable", "select", "ignore", "extendSelect", "unsafeFixes", "hover"}
    assert read_options(given).problems == ()
    assert read_options({"selekt": [], "select": "LOS", "hover": 1}).problems == (
        "unknown setting `selekt`; did you mean `select`?",
        "`select` must be a list of strings",
        "`hover` must be true or false",
    )
