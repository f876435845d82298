"""Activity: how many events and profiles there are in each period, and who comes back."""
