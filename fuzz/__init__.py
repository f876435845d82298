"""A search for what breaks reading and stitching; see docs/testing.md. Not part of `make test`."""
