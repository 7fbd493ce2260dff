"""Anyone's conversation logs, read as traces: a file for each format, and one stream over all of them."""

from agent_gym.traces.parsers.openai import to_openai
from agent_gym.traces.parsers.reading import FORMATS, Source, import_traces, read_logs
from agent_gym.traces.parsers.row import Entry, Fault, Place

__all__ = ["FORMATS", "Entry", "Fault", "Place", "Source", "import_traces", "read_logs", "to_openai"]
