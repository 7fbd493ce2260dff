"""What happened: traces, where they come from and how they are kept."""

from agent_gym.traces.dataset import DataSet
from agent_gym.traces.inference import infer_tools, with_inferred_tools
from agent_gym.traces.parsers import Entry, Fault, import_traces, read_logs, to_openai
from agent_gym.traces.sgd import SGDLoader
from agent_gym.traces.store import read_traces, write_traces
from agent_gym.traces.trace import Goal, IntentGoal, Trace, dump_trace, load_trace
from agent_gym.traces.trace_loader import TraceLoader, open_data

__all__ = [
    "DataSet",
    "Entry",
    "Fault",
    "Goal",
    "IntentGoal",
    "SGDLoader",
    "Trace",
    "TraceLoader",
    "dump_trace",
    "import_traces",
    "infer_tools",
    "load_trace",
    "open_data",
    "read_logs",
    "read_traces",
    "to_openai",
    "with_inferred_tools",
    "write_traces",
]
