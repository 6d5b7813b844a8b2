"""Configuration: `[tool.loss-lint]` in the nearest `pyproject.toml`, or a `loss-lint.toml`, under the command line's.

`documents` reads TOML, `keys` turns a table into `Settings`, `patterns` matches paths, and `configuration` finds
the file that is nearest and says what holds for a path.
"""

from loss_lint.config.configuration import Configuration
from loss_lint.config.documents import ConfigError
from loss_lint.config.settings import Settings

__all__ = ["ConfigError", "Configuration", "Settings"]
