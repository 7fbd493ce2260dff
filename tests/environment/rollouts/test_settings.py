"""What a run was, in a few words that are the same in every process and differ where episodes may."""

from agent_gym.agents import PromptAgent
from agent_gym.environment.rewards import make_reward
from agent_gym.environment.rollouts.settings import described, described_agent, settings_of
from agent_gym.lm import make_handle
from agent_gym.metrics import LLMJudge
from agent_gym.testing import ScriptedAgent, ScriptedLM
from seeded_episodes import environment


def test_an_agent_of_texts_is_told_by_its_model_and_its_texts() -> None:
    lm = ScriptedLM([], name="openai/gpt-5-mini")
    demos = [{"conversation": [{"role": "user", "content": "Hi"}], "action": "Which city?"}]
    agents = [PromptAgent(lm, "Be brief."), PromptAgent(lm, "Be kind."), PromptAgent(lm, "Be brief.", demos)]
    names = [described_agent(agent) for agent in agents]
    assert len(set(names)) == 3
    assert all(name.startswith("openai/gpt-5-mini ") for name in names)
    assert described_agent(PromptAgent(lm, "Be brief.")) == names[0]


def test_an_agent_is_told_by_its_temperature_too() -> None:
    lm = ScriptedLM([])
    assert described_agent(PromptAgent(lm, "Be brief.")).endswith(" at temperature 0")
    assert described_agent(PromptAgent(lm, "Be brief.", temperature=0.7)).endswith(" at temperature 0.7")


def test_any_other_agent_is_told_by_its_class() -> None:
    assert described_agent(ScriptedAgent([])) == "ScriptedAgent"


def test_a_reward_is_told_by_what_it_is_made_of() -> None:
    assert described(make_reward("ground_truth", "both")) == "PaidWhen(reward=GroundTruth(), paid='both')"
    judges = [LLMJudge(handle=make_handle(ScriptedLM([], name="openai/gpt-5-mini")), scale=scale) for scale in (4, 4, 9)]
    same, again, other = (described(make_reward("combined", judge=judge)) for judge in judges)
    assert same.startswith("PaidWhen(reward=Combined(rewards=(GroundTruth(), Judged(judge=LLMJudge('openai/gpt-5-mini', ")
    assert same == again != other


def test_who_calls_knows_better() -> None:
    told = settings_of("Parrot", environment(), 3, {"agent": "v2", "data": "dev"})
    assert (told["agent"], told["data"], told["seed"], told["user"]) == ("v2", "dev", 3, "caller")
