"""Conversation logs as something to ask: an agent, its tools and a score, from one call."""
