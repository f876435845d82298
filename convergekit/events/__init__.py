"""Events in any spelling come in, and events in one vocabulary go out."""
