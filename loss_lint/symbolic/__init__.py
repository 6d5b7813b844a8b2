"""The expression graph, the evaluator that builds it from source text, and the facts that follow from it."""
