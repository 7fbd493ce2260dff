"""The agenda user on real dialogues: does it carry whole conversations, and how like people is it.

    python scripts/bench/agenda.py [DATA] [SEED]

`recorded`: how many recorded dialogues are judged a success, of all of dev and of every sixth of train; and how many
would be if the agent said only "ok" in them (`mute`). Then 500 drawn dev dialogues with three agents: one that
follows the recorded system's policy (`gold`), one that takes the recorded actions by position (`positional`), one
that says "ok" and nothing else. And 200 with `offline`, the baseline agent, not optimized.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from agent_gym.agents.base import Agent
from agent_gym.agents.dspy_agent import SGDAgentModule
from agent_gym.environment import SGDEnvironment
from agent_gym.environment.episode import play_episode
from agent_gym.environment.goals.success import achieved
from agent_gym.environment.users.phrases import read_phrases
from agent_gym.lm.model import make_lm
from agent_gym.messages import Assistant, User
from agent_gym.testing import GoldAgent, PositionalAgent, ScriptedAgent
from agent_gym.traces import SGDLoader, Trace
from agent_gym.traces.sgd_acts import SGDActs

DATA = "data/raw/schema_guided_dialogue"
EPISODES = 500
OFFLINE_EPISODES = 200


def main(data: str = DATA, seed: str = "0") -> None:
    """Measure and print one JSON line."""
    loader = SGDLoader(data, strict=False)
    began = time.perf_counter()
    phrases = read_phrases(loader.path.resolve())
    reading = time.perf_counter() - began
    acts = SGDActs(loader.path)
    dev = list(loader.load("dev"))
    train = [trace for number, trace in enumerate(loader.load("train")) if number % 6 == 0]
    offline = SGDAgentModule().agent(make_lm("offline", role="agent"))
    print(
        json.dumps(
            {
                "bench": "agenda",
                "seed": int(seed),
                "phrases": len(phrases),
                "phrases_s": round(reading, 2),
                "recorded": {
                    "dev": _recorded(dev),
                    "train_sample": _recorded(train),
                    "bar": 0.97,
                    "mute": _share(achieved(task, _muted(task)).success for task in dev),
                },
                "gold": {**_play(loader, lambda task: GoldAgent(task, acts.of(task) or ()), EPISODES, int(seed)), "bar": 0.95},
                "positional": _play(loader, PositionalAgent, EPISODES, int(seed)),
                "ok": _play(loader, lambda task: ScriptedAgent(lambda messages, tools: "ok"), EPISODES, int(seed)),
                "offline": _play(loader, lambda task: offline, OFFLINE_EPISODES, int(seed)),
            }
        )
    )


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return round(sum(values) / len(values), 4)


def _recorded(traces: Sequence[Trace]) -> dict[str, Any]:
    return {"dialogues": len(traces), "success": _share(achieved(trace, trace).success for trace in traces)}


def _muted(trace: Trace) -> Trace:
    """The conversation with an agent that says nothing useful."""
    words = (message for message in trace.messages if isinstance(message, User))
    return msgspec.structs.replace(trace, messages=tuple(one for word in words for one in (word, Assistant("ok"))))


def _play(loader: SGDLoader, agent: Callable[[Trace], Agent], episodes: int, seed: int) -> dict[str, Any]:
    environment = SGDEnvironment(loader, "dev", user="agenda", limit=episodes, seed=seed)

    async def play() -> list[Trace]:
        return [await play_episode(agent(task), environment.episode(task, seed)) for task in environment.tasks]

    began = time.process_time()
    traces = asyncio.run(play())
    spent = time.process_time() - began
    turns = sum(trace.metadata["turns"] for trace in traces)
    return {
        "episodes": len(traces),
        "success": _share(trace.outcome == "success" for trace in traces),
        "ended": dict(Counter(str(trace.metadata["ended"]) for trace in traces).most_common()),
        "faults": dict(Counter(str(trace.metadata["fault"]) for trace in traces if "fault" in trace.metadata).most_common()),
        "turns": round(turns / len(traces), 2),
        "longest": max(trace.metadata["turns"] for trace in traces),
        "cpu_s": round(spent, 2),
        "cpu_ms_a_turn": round(1000 * spent / turns, 3),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
