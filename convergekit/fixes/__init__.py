"""Which change of the tracking would tell most: each tried on links that were never seen."""
