"""Which orders ad platforms may have claimed, and how many they claimed more than once."""
