"""An agent behind a schema variant: it sees other names, and is scored as if it did not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent_gym.agents.paraphrased import Paraphrased
from agent_gym.environment import ReplayEnvironment, rollout
from agent_gym.errors import AnswerError, DataError
from agent_gym.evaluation import Report, evaluate
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant, Message, Tool, ToolCall, ToolSpec
from agent_gym.metrics import CombinedMetric
from agent_gym.testing import RecordedAgent, ScriptedAgent
from agent_gym.tools import Recordings
from agent_gym.traces import SGDLoader
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.sgd_variant import SchemaVariant
from agent_gym.traces.task import Task, tasks_of
from paraphrases import paraphrased_sample, real_with_paraphrase

ENVIRONMENT = ReplayEnvironment(Recordings(()))


class Witness:
    """An agent that remembers which tools and names its inner one was shown."""

    def __init__(self, inner: RecordedAgent) -> None:
        self.inner = inner
        self.names: set[str] = set()

    async def act(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> Assistant:
        for spec in tools:
            self.names |= {spec.name, *spec.parameters["properties"], *spec.results}
        for message in messages:
            if isinstance(message, Tool):
                self.names |= {message.name, *(field for row in message.result for field in row)}
            elif isinstance(message, Assistant):
                self.names |= {name for call in message.tool_calls for name in (call.name, *call.parsed())}
        return await self.inner.act(messages, tools)


@pytest.fixture(scope="module")
def variant(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> SchemaVariant:
    return SchemaVariant.read(paraphrased_sample(sample, tmp_path_factory.mktemp("data")), "dev")


@pytest.fixture(scope="module")
def tasks(sample: Path) -> list[Task]:
    (drawn,) = draw_tasks(SGDLoader(sample), "dev", [30])
    return drawn


@pytest.fixture(scope="module")
def calling(sample: Path) -> Task:
    """A task in which bicycles were looked for."""
    tasks = (task for trace in SGDLoader(sample).load("dev") for task in tasks_of(trace))
    return next(task for task in tasks if any(call.name == "Bikes_1-FindBikeShop" for call in task.expected_calls))


def measured(agent: Paraphrased, tasks: Sequence[Task]) -> Report:
    return run_sync(evaluate(agent, tasks, CombinedMetric(), ENVIRONMENT))


def test_gold_replayed_in_the_variants_names_scores_one(variant: SchemaVariant, tasks: list[Task]) -> None:
    # The recorded agent acts only in the very conversation that it knows: what it saw is the paraphrase, to the letter.
    report = measured(Paraphrased(RecordedAgent(map(variant.paraphrase, tasks)), variant), tasks)
    assert (report.score, report.call_f1, report.broken, report.n) == (1.0, 1.0, 0, len(tasks))
    assert report.mocked == {"recorded": 1.0}
    assert all(example.score == 1.0 for example in report.examples)


def test_the_inner_agent_sees_only_the_variants_names(variant: SchemaVariant, tasks: list[Task]) -> None:
    witness = Witness(RecordedAgent(map(variant.paraphrase, tasks)))
    measured(Paraphrased(witness, variant), tasks)
    known = {after.name for _, after in variant.there.specs.values()}
    fields = {field for _, spec in variant.there.specs.values() for field in (*spec.parameters["properties"], *spec.results)}
    assert witness.names
    assert witness.names <= known | fields


def test_an_agent_that_clings_to_the_old_names_gets_no_call_right(variant: SchemaVariant, tasks: list[Task]) -> None:
    for task in tasks:
        if calls := task.expected_calls:
            agent = ScriptedAgent([Assistant("", (calls[0],)), "Done."])
            report = measured(Paraphrased(agent, variant), [task])
            assert (report.calls.right, report.parts["tool_accuracy"]) == (0, 0.0)


def test_what_is_refused_is_told_in_the_agents_own_words(variant: SchemaVariant, calling: Task) -> None:
    calls = [
        ToolCall("Bikes_1-FindBikeShop", "{}"),
        ToolCall("Bikes_11-DoFindBikeShop", '{"city": "Ghent", "bike_type": "city bike"}'),
        ToolCall("Bikes_11-DoFindBikeShop", '{"city": "Ghent"'),
    ]
    agent = ScriptedAgent([*(Assistant("", (call,)) for call in calls), "Sorry."])
    trace = run_sync(rollout(Paraphrased(agent, variant), calling, ENVIRONMENT.play(calling)))
    seen = agent.seen[-1][-6:]
    assert [message.tool_calls for message in seen if isinstance(message, Assistant)] == [(call,) for call in calls]
    unknown, argument, broken = (message.error or "" for message in seen if isinstance(message, Tool))
    assert unknown == "there is no tool 'Bikes_1-FindBikeShop'"
    assert "'the_bike_type' is missing; " in argument
    assert "there is no argument 'bike_type'; there are: city, the_bike_type" in argument
    assert broken.startswith("Bikes_11-DoFindBikeShop: arguments are not JSON")
    assert """'{"city": "Ghent"'""" in broken
    assert trace.error is None


def test_the_rollout_is_kept_in_the_original_names(variant: SchemaVariant, calling: Task) -> None:
    agent = Paraphrased(RecordedAgent([variant.paraphrase(calling)]), variant)
    trace = run_sync(rollout(agent, calling, ENVIRONMENT.play(calling)))
    assert trace.messages[calling.start + 1 :] == calling.expected
    assert trace.tools == calling.tools


def test_what_the_inner_agent_raises_is_raised(variant: SchemaVariant, calling: Task) -> None:
    agent = Paraphrased(ScriptedAgent([AnswerError("the model wrote nothing")]), variant)
    with pytest.raises(AnswerError, match="wrote nothing"):
        run_sync(agent.act(calling.prompt, calling.tools))


def test_a_tool_of_another_schema_is_refused_before_the_agent_acts(variant: SchemaVariant, calling: Task) -> None:
    agent = ScriptedAgent([])
    with pytest.raises(DataError, match="tool 'Taxis_1-Ride' is not in the schema"):
        run_sync(Paraphrased(agent, variant).act(calling.prompt, (ToolSpec("Taxis_1-Ride"),)))
    assert agent.seen == []


@pytest.mark.real
def test_gold_of_real_dialogues_scores_one_in_the_real_paraphrase(sgd: Path, tmp_path: Path) -> None:
    folder = real_with_paraphrase(sgd, tmp_path)
    variant = SchemaVariant.read(folder, "dev")
    (tasks,) = draw_tasks(SGDLoader(folder), "dev", [300])
    report = measured(Paraphrased(RecordedAgent(map(variant.paraphrase, tasks)), variant), tasks)
    assert (report.score, report.call_f1, report.n, report.calls.right) == (1.0, 1.0, 300, report.calls.expected)
    assert report.calls.expected > 100
