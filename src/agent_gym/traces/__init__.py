"""What happened: traces, where they come from and how they are kept."""

from agent_gym.traces.sgd import SGDLoader
from agent_gym.traces.store import read_traces, write_traces
from agent_gym.traces.trace import Goal, IntentGoal, Trace, dump_trace, load_trace

__all__ = ["Goal", "IntentGoal", "SGDLoader", "Trace", "dump_trace", "load_trace", "read_traces", "write_traces"]
