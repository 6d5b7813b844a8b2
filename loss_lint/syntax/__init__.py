"""Source text: where it comes from, whether it matters, and its syntax trees on demand."""
