"""The explorers: widgets for a notebook."""
