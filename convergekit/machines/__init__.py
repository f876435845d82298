"""What an agent may ask of stitched exports, over the Model Context Protocol: read-only."""
