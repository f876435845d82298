"""Scripts behind every figure in the documentation."""
