"""The known vendors' exports: one module per format."""
