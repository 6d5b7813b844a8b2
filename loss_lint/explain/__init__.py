"""What the losses of a file compute, as data: for `loss-lint show`, and for whoever else wants to show it."""
