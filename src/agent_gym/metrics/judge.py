"""A judge: a model that scores without ground truth, by the criteria of a rubric.

    judge = LLMJudge("gemini/gemini-3-pro-preview")     or with rubric="my_rubric.txt", scale=5
    judge.score(task, trace)                            Score(0.8, {"task_completion": 0.9, …}, "task_completion 9/10: …")
    await judge.judge_episode(trace)                    a whole conversation

It sees the tools, the conversation before, and what the agent did; never what the recorded system did. Its failure is never the
agent's score: an answer that cannot be read is asked for once more, then `JudgeFailed` is raised and counted. Equal outputs are
judged once, also when eight threads ask at the same time: prompts are written in canonical form (`judge_material.py`), a judge
remembers its own by their digest, and the cache of its handle remembers across runs.
"""

import asyncio
import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from agent_gym.errors import AnswerError, JudgeFailed, ModelError, UsageError
from agent_gym.lm.base import Request, Turn
from agent_gym.lm.budget import Budget
from agent_gym.lm.cache import CompletionCache
from agent_gym.lm.handle import Handle
from agent_gym.lm.loop import hop, run_sync
from agent_gym.lm.meter import Meter
from agent_gym.lm.model import make_lm
from agent_gym.lm.rate import RateLimit
from agent_gym.metrics.base import Score
from agent_gym.metrics.judge_answer import AnswerForm
from agent_gym.metrics.judge_prompt import judge_prompt
from agent_gym.metrics.rubric import SCALE, Rubric
from agent_gym.traces.task import Task
from agent_gym.traces.trace import Goal, Trace

ROLE = "judge"
REMEMBERED = 20_000
"""Scorings that a judge holds in memory; older ones are asked of the cache again."""
TRIES = 2
"""How often an answer that cannot be read is asked for in all."""


class _Failure(msgspec.Struct, frozen=True):
    """Why there is no score."""

    message: str
    lasting: bool
    """Asking again would not help."""


class LLMJudge:
    """A model as a metric, in [0, 1]: the mean of its criteria by `scale`.

    Args:
        model: as `make_lm` knows it, with the same default.
        rubric: a file in the format of `rubric.py`, or a rubric; the one of this package when left out.
        scale: the highest score of a criterion, 1 or more.
        api_base: another endpoint that speaks the provider's dialect.
        handle: a model in use, instead of all that says how to make one.
        meter: where requests are counted, in the role "judge".
        cache: where answers are kept; with None, equal outputs are still judged once by this object.
        run: who pays; see `make_lm`.
        max_requests: the judge's own budget: after so many requests on its meter it fails. Other judges on that meter share it.
        budget: what the run may spend, this judge included.
        rate: how fast it may ask; share one among the models of one quota.
        timeout: seconds for one attempt.
        attempts: how often a question is tried when the endpoint fails.

    Raises:
        MissingKey: no key for that provider in the environment.
        UsageError: a rubric, a name or a number that cannot be used.
    """

    name = "judge"

    def __init__(
        self,
        model: str | None = None,
        *,
        rubric: Rubric | str | Path | None = None,
        scale: int = SCALE,
        api_base: str | None = None,
        handle: Handle | None = None,
        meter: Meter | None = None,
        cache: CompletionCache | Path | Literal["default"] | None = "default",
        run: str = "",
        max_requests: int | None = None,
        budget: Budget | None = None,
        rate: RateLimit | None = None,
        timeout: float = 120.0,
        attempts: int = 4,
    ) -> None:
        if scale < 1:
            raise UsageError(f"scale is {scale}; the highest score of a criterion is 1 or more")
        if max_requests is not None and max_requests < 1:
            raise UsageError(f"max_requests is {max_requests}; a judge needs at least one, or leave it out for no limit")
        if handle is not None and any(one is not None for one in (model, api_base, meter, budget, rate)):
            raise UsageError("a judge is given a handle, or model, api_base, meter, budget and rate to make one, not both")
        self.rubric = rubric if isinstance(rubric, Rubric) else Rubric.load(rubric)
        self.scale = scale
        self.max_requests = max_requests
        self.handle = handle or make_lm(
            model,
            role=ROLE,
            api_base=api_base,
            meter=meter,
            cache=cache,
            run=run,
            budget=budget,
            rate=rate,
            timeout=timeout,
            attempts=attempts,
        )
        self.failed = 0
        """Scorings that ended in `JudgeFailed`."""
        self._form = AnswerForm(tuple(self.rubric.criteria), scale)
        self._paid_before = self._requests()
        # These three, and `failed`, are touched on the background loop only.
        self._being_asked = 0
        self._known: dict[bytes, Score | _Failure] = {}
        self._asking: dict[bytes, asyncio.Task[Score | _Failure]] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.handle.name!r}, criteria={[*self.rubric.criteria]})"

    def __deepcopy__(self, memo: dict[int, object]) -> "LLMJudge":
        # Optimizers copy what they are given; a copy would judge, and pay, anew.
        return self

    def score(self, task: Task, trace: Trace, *, sample: str = "") -> Score:
        """Judge what the agent did in one task; for synchronous callers, in any thread. See `ascore`."""
        return run_sync(self._judged(self.turn_prompt(task, trace), sample))

    async def ascore(self, task: Task, trace: Trace, *, sample: str = "") -> Score:
        """Judge what the agent did in one task.

        Args:
            sample: tells repeated judgements of one output apart.

        Raises:
            JudgeFailed: the endpoint failed, its answer could not be read, or the judge's own budget is spent.
            BudgetSpent: the run's budget does not allow the question.
        """
        return await hop(self._judged(self.turn_prompt(task, trace), sample))

    async def judge_episode(self, trace: Trace, goal: Goal | str | None = None, *, sample: str = "") -> Score:
        """Judge a whole conversation.

        Args:
            goal: what the user wanted, for the judge to know; the trace's own goal is shown only when it is given here.
            sample: tells repeated judgements of one conversation apart.

        Raises:
            JudgeFailed: see `ascore`.
        """
        return await hop(self._judged(self.episode_prompt(trace, goal), sample))

    def turn_prompt(self, task: Task, trace: Trace) -> tuple[Turn, Turn]:
        """What the judge is asked about one task: of what was recorded, only the conversation before."""
        done = trace.messages[task.start + 1 :]
        return judge_prompt(self.rubric, self._form, tools=task.tools, today=task.today, before=task.prompt, done=done)

    def episode_prompt(self, trace: Trace, goal: Goal | str | None = None) -> tuple[Turn, Turn]:
        """What the judge is asked about a whole conversation."""
        today = str(trace.metadata.get("date", ""))
        return judge_prompt(self.rubric, self._form, tools=trace.tools, today=today, goal=goal, done=trace.messages)

    async def _judged(self, turns: tuple[Turn, Turn], sample: str) -> Score:
        key = hashlib.sha256(msgspec.json.encode((turns, sample))).digest()
        outcome = self._known.get(key)
        if outcome is None:
            asking = self._asking.get(key)
            if asking is None:
                asking = self._asking[key] = asyncio.create_task(self._ask(turns, sample))
                asking.add_done_callback(lambda done: self._keep(key, done))
            # Whoever gives up must not take the answer from the others who wait for it.
            outcome = await asyncio.shield(asking)
        if isinstance(outcome, Score):
            return outcome
        self.failed += 1
        raise JudgeFailed(outcome.message)

    def _keep(self, key: bytes, done: "asyncio.Task[Score | _Failure]") -> None:
        del self._asking[key]
        if done.cancelled() or done.exception() is not None:
            return
        outcome = done.result()
        if isinstance(outcome, Score) or outcome.lasting:
            self._known[key] = outcome
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]

    async def _ask(self, turns: tuple[Turn, Turn], sample: str) -> Score | _Failure:
        fault = ""
        for number in range(TRIES):
            if self.max_requests is not None and self._spent() >= self.max_requests:
                return _Failure(f"the judge's budget of {self.max_requests} requests is spent; raise max_requests", False)
            # The second time without temperature 0: a model would most likely write again what could not be read.
            request = Request(turns=turns, temperature=None if number else 0.0, sample=f"{sample} again" if number else sample)
            self._being_asked += 1
            try:
                completion = await self.handle.complete(request)
            except ModelError as error:
                return _Failure(f"the judge {self.handle.name} gave no answer: {error}", False)
            finally:
                self._being_asked -= 1
            try:
                return self._form.read(completion.text)
            except AnswerError as error:
                fault = str(error)
        return _Failure(f"the judge {self.handle.name} gave no readable answer, {TRIES} times: {fault}", True)

    def _spent(self) -> int:
        return self._requests() - self._paid_before + self._being_asked

    def _requests(self) -> int:
        usage = self.handle.meter.snapshot().get(self.handle.role)
        return usage.requests if usage is not None else 0


class OpenAILLMJudge(LLMJudge):
    """The same judge on a model of OpenAI's.

    Args:
        model_name: without the provider: "gpt-4o".
        api_key: by default OPENAI_API_KEY of the environment.

    The other arguments are `LLMJudge`'s.
    """

    def __init__(
        self,
        model_name: str = "gpt-4o",
        api_key: str | None = None,
        *,
        rubric: Rubric | str | Path | None = None,
        scale: int = SCALE,
        api_base: str | None = None,
        meter: Meter | None = None,
        cache: CompletionCache | Path | Literal["default"] | None = "default",
        run: str = "",
        max_requests: int | None = None,
        budget: Budget | None = None,
        rate: RateLimit | None = None,
        timeout: float = 120.0,
        attempts: int = 4,
    ) -> None:
        handle = make_lm(
            f"openai/{model_name}",
            role=ROLE,
            api_base=api_base,
            api_key=api_key,
            meter=meter,
            cache=cache,
            run=run,
            budget=budget,
            rate=rate,
            timeout=timeout,
            attempts=attempts,
        )
        super().__init__(rubric=rubric, scale=scale, handle=handle, max_requests=max_requests)
