"""What events look like, for other programs: a JSON Schema of rows, and a pandera one of frames."""
