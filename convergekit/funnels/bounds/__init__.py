"""How sure a funnel's shares are: the funnel counted anew with other profiles."""
