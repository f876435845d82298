"""What figures share: the template, the frame around them, groups and layout."""
