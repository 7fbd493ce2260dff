"""One call from somebody's own conversation logs to an agent, its tools and a way to score it.

    query_agent, tool_mocker, reward_fn = create_environment("traces.jsonl")
    response = query_agent("I want to cancel my subscription")
    tool_result = tool_mocker("lookup_account", {"user_id": "123"})
    score = reward_fn(response, ground_truth="Expected response...")

A key is needed by what asks a model: the first question, the first judgement. Tools, and scores against a ground truth, need
none.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from typing import Literal, TypeVar

from agent_gym.agents.grounded import INSTRUCTION, GroundedAgent
from agent_gym.environment.asking.grading import RewardFunction
from agent_gym.environment.asking.query import QueryAgent
from agent_gym.errors import MissingKey, UsageError
from agent_gym.lm.cache import CompletionCache
from agent_gym.lm.model import base_of, make_lm
from agent_gym.metrics import LLMJudge
from agent_gym.tools import Recordings, ToolCatalog, ToolMocker
from agent_gym.traces import Trace
from agent_gym.traces.inference import infer_tools
from agent_gym.traces.parsers import Source, import_traces
from agent_gym.traces.retrieval import TurnIndex

T = TypeVar("T")


def create_environment(
    traces: Source,
    *,
    model: str | None = None,
    judge_model: str | None = None,
    instruction: str = INSTRUCTION,
    neighbours: int = 4,
    weights: Mapping[str, float] | None = None,
    today: str = "",
    api_base: str | None = None,
    cache: CompletionCache | Path | Literal["default"] | None = "default",
) -> tuple[QueryAgent, ToolMocker, RewardFunction]:
    """An agent that answers as the traces nearest to the question do, the traces' tools, and a reward function.

    Args:
        traces: conversation logs, in any format that `import_traces` reads (`docs/trace_schema.md` is the native one): a path
            to a JSON file, a JSON lines file or a folder of them; their JSON values; or traces.
        model: answers, as `make_lm` knows it; AGENT_GYM_MODEL by default, `offline` for the embedded one.
        judge_model: judges; the agent's model by default.
        instruction: what the agent is told to do.
        neighbours: recorded turns that each question is grounded in, 0 or more.
        weights: of `similarity`, `tool_accuracy` and `judge` in a score against a ground truth; half and half without a judge
            by default.
        today: the date that the agent is told, ISO.
        api_base: another endpoint for the models.
        cache: where the models' answers are kept; None keeps none.

    Raises:
        UsageError: traces that hold nothing to work with, or an argument that cannot be used.
        DataError: a trace that cannot be read.
    """
    if neighbours < 0:
        raise UsageError(f"neighbours is {neighbours}; it is how many recorded turns are shown, 0 or more")
    read = [*import_traces(traces)]
    if not read:
        raise UsageError("there are no traces to make an environment of")
    index = TurnIndex(read)
    if not index.turns:
        raise UsageError(f"nothing to ground answers in: none of the {len(read)} traces holds a user's message with an answer")
    catalog = _tools_of(read)
    if not catalog:
        raise UsageError(f"nothing to mock: none of the {len(read)} traces names a tool or calls one")
    mocker = ToolMocker(catalog, Recordings(read))
    judged_by = judge_model or model

    def agent() -> GroundedAgent:
        base = base_of(model, api_base, [judged_by])
        return GroundedAgent(make_lm(model, api_base=base, cache=cache), index, instruction, neighbours=neighbours)

    def judge() -> LLMJudge:
        return LLMJudge(judged_by, api_base=base_of(judged_by, api_base, [model]), cache=cache)

    return QueryAgent(_when_needed(agent), mocker, today=today), mocker, RewardFunction(_when_needed(judge), weights=weights)


def _tools_of(traces: Sequence[Trace]) -> ToolCatalog:
    """The tools that the traces carry, and those that were called in traces which carry none."""
    carried = ToolCatalog.from_traces(traces)
    called = infer_tools(trace for trace in traces if not trace.tools)
    return ToolCatalog([*carried.values(), *(tool for tool in called if tool.name not in carried)])


def _when_needed(make: Callable[[], T]) -> Callable[[], T]:
    """Made once. What is wrong with it is said now, but for a key, which is missed when it is needed."""
    made = once(make)
    with suppress(MissingKey):
        made()
    return made
