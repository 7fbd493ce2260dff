"""What a recorded user wanted, whether an episode brought it about, and whose fault it was where not."""
