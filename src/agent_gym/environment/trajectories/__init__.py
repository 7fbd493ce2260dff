"""A task that an agent works on turn by turn with structured actions."""
