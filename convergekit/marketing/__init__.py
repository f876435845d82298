"""Was it worth the money: spend joined to visits and orders, and what it brought."""
