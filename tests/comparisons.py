"""Comparisons to draw reports from: one that looks like a real run, one full of hostile text, one that is large."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agent_gym.agents.dspy_agent import INSTRUCTION
from agent_gym.lm.prompt import render_action
from agent_gym.messages import Assistant, ToolCall
from agent_gym.optimization.comparison import Comparison, Contender, Difference, Slice, Turns
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task

MIPRO = """\
You are an assistant that completes tasks for its user with tools: it finds what the user asks for and books what the user \
has chosen. Before every step, read the whole conversation and list for yourself which arguments the tool still lacks. If a \
required one is missing, ask for it in one short question; otherwise call the tool at once, with canonical values: dates as \
YYYY-MM-DD, times as HH:MM, True or False for yes and no. Never invent a value that nobody said."""
GEPA = """\
You are an assistant that completes tasks for its user with tools: it finds what the user asks for and books what the user \
chooses. Decide the next step of the conversation: call a tool, or say something to the user.

Rules learned from earlier conversations:
1. Search as soon as all required arguments are known. Do not ask for optional ones.
2. A booking changes the world: repeat its details and wait for a yes before you call the tool.
3. "Next Friday" is counted from the date below. Write it as YYYY-MM-DD.
4. When a search finds nothing, say so and offer to change one thing."""
ROWS = {
    # name: score, half interval, F1, requests, dollars, seconds, dollars a turn
    "baseline": (0.612, 0.051, 0.381, 300, 0.0412, 74.0, 0.000137),
    "gepa": (0.741, 0.046, 0.602, 2_914, 1.274, 1_322.0, 0.000171),
    "mipro": (0.728, 0.047, 0.585, 1_806, 0.6131, 795.0, 0.000402),
    "bootstrap": (0.641, 0.050, 0.427, 512, 0.1188, 141.0, 0.000389),
}


def realistic(sample: Path) -> Comparison:
    """Four strategies on 100 examples, with some conversations of the sample."""
    tasks = draw_tasks(SGDLoader(sample), "dev", [60], seed=0)[0]
    return Comparison(
        data="data/sample, dev",
        models={"agent": "gemini/gemini-3-pro-preview", "prompt": "gemini/gemini-3-pro-preview", "judge": "openai/gpt-4o"},
        seeds=(0, 1, 2),
        baseline="baseline",
        contenders=tuple(_contender(name, tasks) for name in ROWS),
        ranking=(("gepa", "mipro"), ("bootstrap", "baseline")),
        changed=tuple(_turns(task, random.Random(task.id)) for task in [one for one in tasks if one.expected_calls][:10]),
        robustness={
            "variant": "v1",
            "strategies": {
                name: {
                    "score": row[0] - 0.04,
                    "interval": [row[0] - 0.09, row[0] + 0.01],
                    "fall": 0.04,
                    "calls mapped back": 112,
                }
                for name, row in ROWS.items()
            },
        },
        notes=("bootstrap: 2 of 50 training examples had no conversation that could be played.",),
        times={"gepa": 1322.0, "mipro": 795.0, "bootstrap": 141.0, "baseline": 74.0},
    )


def _contender(name: str, tasks: Sequence[Task]) -> Contender:
    score, half, f1, requests, dollars, seconds, turn = ROWS[name]
    baseline = name == "baseline"
    mean = score - ROWS["baseline"][0]
    return Contender(
        name=name,
        repeats=3,
        n=98,
        failed=2,
        broken=3 if baseline else 1,
        score=score,
        interval=(score - half, score + half),
        parts={"similarity": score - 0.19, "tool_accuracy": score + 0.12, "judge": score + 0.05},
        call_precision=f1 + 0.06,
        call_recall=f1 - 0.05,
        call_f1=f1,
        pass_k=(score - 0.1, score - 0.17, score - 0.21),
        difference=None
        if baseline
        else Difference(
            mean=mean,
            interval=(mean - 0.048, mean + 0.049),
            p=0.0001 if mean > 0.1 else 0.24,
            adjusted_p=0.0003 if mean > 0.1 else 0.24,
            needed=None if mean > 0.1 else 420,
            verdict=_verdict(name, mean),
        ),
        requests=requests,
        prompt_tokens=requests * 1_240,
        completion_tokens=requests * 48,
        cost=dollars,
        seconds=seconds,
        turn_tokens=1_310.4 if baseline else 2_874.0,
        turn_cost=turn,
        latency_p50=0.842,
        latency_p95=2.316,
        by_service=_slices(sorted({task.service for task in tasks}), score, 100, name),
        by_domain=_slices(["Food", "Health", "Leisure", "Travel"], score, 100, name),
        prompt={"mipro": MIPRO, "gepa": GEPA}.get(name, INSTRUCTION),
        demos={"bootstrap": 8, "mipro": 4}.get(name, 0),
        notes=("Three candidates were aborted and are not counted.",) if name == "mipro" else (),
        judge={
            "judged": score + 0.05,
            "value": score + 0.01,
            "interval": [score - half - 0.03, score + half + 0.02],
            "weight": 0.83,
            "n": 98,
            "labelled": 30,
        },
    )


def _verdict(name: str, mean: float) -> str:
    if mean > 0.1:
        return f"{name} is better than baseline by {mean:.3f}, 95 % interval {mean - 0.048:.3f} to {mean + 0.049:.3f}."
    return "no difference can be told at 98 examples; about 420 would be needed"


def _slices(names: Sequence[str], score: float, examples: int, seed: str) -> dict[str, Slice]:
    drawn = random.Random(seed)
    return {name: Slice(examples // len(names), min(1.0, max(0.0, drawn.gauss(score, 0.12)))) for name in names}


def _turns(task: Task, drawn: random.Random) -> Turns:
    right = [render_action(Assistant("", (call,))) for call in task.expected_calls]
    asks = f"Which {drawn.choice(['city', 'date', 'time'])} would you like?"
    wrong = render_action(Assistant("", (ToolCall(task.expected_calls[0].name, "{}"),)))
    done = (*right, task.expected_reply)
    return Turns(
        id=task.id,
        service=task.service,
        user=str(getattr(task.prompt[-1], "content", "")),
        expected=done,
        played={"baseline": (asks,), "gepa": done, "mipro": done, "bootstrap": (wrong, asks)},
        scores={"baseline": 0.08, "gepa": 1.0, "mipro": 0.94, "bootstrap": 0.41},
        reasons={
            "baseline": f"Expected the call {task.expected_calls[0].name}, which was not made.",
            "bootstrap": f"Expected the call {right[0]}, got {wrong}.",
        },
    )


@dataclass(frozen=True)
class Plain:
    """A comparison with as little in it as there may be."""

    names: Sequence[str] = ("baseline", "bootstrap")

    def build(self) -> Comparison:
        contenders = tuple(
            Contender(
                name=name,
                repeats=1,
                n=10,
                failed=0,
                broken=0,
                score=0.5,
                interval=(0.4, 0.6),
                parts={},
                call_precision=0.0,
                call_recall=0.0,
                call_f1=0.0,
            )
            for name in self.names
        )
        return Comparison(data="mine", models={"agent": "offline"}, seeds=(0,), baseline=self.names[0], contenders=contenders)


def hostile(text: str) -> Comparison:
    """A comparison in which every text, and every name, is this one."""
    difference = Difference(mean=0.1, interval=(0.0, 0.2), p=0.1, adjusted_p=0.2, verdict=text)
    contender = msgspec.structs.replace(
        Plain([text]).build().contenders[0],
        parts={text: 0.5},
        pass_k=(0.5,),
        by_service={text: Slice(3, 0.5)},
        by_domain={text: Slice(3, 0.5)},
        prompt=f"first {text}",
        notes=(text,),
        cost=0.1,
        judge={text: text, "value": 0.5, "interval": (0.4, 0.6)},
    )
    other = msgspec.structs.replace(contender, name=f"{text}2", prompt=f"second {text}", difference=difference, cost=None)
    turns = Turns(
        id=text,
        service=text,
        user=text,
        expected=(text,),
        played={text: (text, text)},
        scores={text: 0.5, f"{text}2": 0.7},
        reasons={text: text},
    )
    return Comparison(
        data=text,
        models={text: text},
        seeds=(0,),
        baseline=text,
        contenders=(contender, other),
        ranking=((text, f"{text}2"), (text,)),
        changed=(turns,),
        robustness={text: text, "list": [text], "rows": {text: {text: text}}, "tables": {text: {text: {text: text}}}},
        notes=(text,),
        times={text: 1.0},
    )
