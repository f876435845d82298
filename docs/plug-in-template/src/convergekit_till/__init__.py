"""What the till of our shops exports, for convergekit."""
