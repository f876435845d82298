"""How sure a number is: the error of identity in it, bounded and estimated."""
