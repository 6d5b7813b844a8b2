"""The language server: what `loss-lint check` finds, in an editor, while its buffers change.

Two processes share the work, so that the one that talks to the editor always answers. `features.py` speaks the
protocol, `application.py` holds what it is about, `documents.py` knows the open buffers, `checks.py` decides what is
linted when. `worker.py` runs the other process, in which `session.py` keeps the project evaluated between changes;
`messages.py` is what the two say to each other, `channel.py` how. `actions.py` is what is offered for findings,
`mending.py` and `line_changes.py` write down what all fixes at once change. An editor knows a notebook by its cells:
`notebooks.py` puts them together, `locations.py` tells in which one a place stands.
"""
