"""What advertising cost: the exports of ad platforms, read into one table of spend."""
