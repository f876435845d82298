"""A believable store: people, devices, events and exports whose truth is known."""
