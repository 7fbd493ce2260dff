"""A data set as an environment: SGD, or logs of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING

from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.episode import MAX_STEPS, MAX_TURNS
from agent_gym.environment.replay import ReplayEnvironment
from agent_gym.environment.rewards import Mode, Paid, make_reward
from agent_gym.environment.users import AgendaUser, ReplayedUser
from agent_gym.environment.users.base import User
from agent_gym.errors import UsageError
from agent_gym.tools import ToolCatalog, ToolMocker
from agent_gym.tools.recordings import read_recordings
from agent_gym.traces import DataSet, Trace, open_data
from agent_gym.traces.draw import draw_dialogues

if TYPE_CHECKING:
    from agent_gym.metrics import LLMJudge


class RecordedEnvironment(DialogueEnvironment):
    """Recorded goals, recorded tools, and a user.

    Args:
        data: an SGD folder, a file of traces or a folder of them; or a loader of either.
        split: where the tasks come from.
        user: "replay", "agenda", or a user of your own, such as `LLMUser(make_lm("...", role="user"))`.
        mode: what is rewarded: "ground_truth", "judge" or "combined".
        paid: when: for each "turn", at the "end", or "both".
        judge: for the modes that ask one.
        limit: how many conversations; all when left out.
        seed: decides which.

    Raises:
        UsageError: for what can be known to go wrong.
    """

    def __init__(
        self,
        data: DataSet | str | Path,
        split: str = "dev",
        *,
        user: User | str = "agenda",
        mode: Mode = "ground_truth",
        paid: Paid = "end",
        judge: "LLMJudge | None" = None,
        limit: int | None = None,
        seed: int = 0,
        max_turns: int = MAX_TURNS,
        max_steps: int = MAX_STEPS,
    ) -> None:
        source = self.opened(data) if isinstance(data, str | Path) else data
        reward = make_reward(mode, paid, judge=judge)
        speaking = _user(user, source) if isinstance(user, str) else user
        recorded = ReplayEnvironment(lambda: read_recordings(source))

        def backend(task: Trace) -> ToolMocker:
            return ToolMocker(ToolCatalog(task.tools), recorded.recordings, task)

        tasks = draw_dialogues(source, split, limit, seed=seed)
        super().__init__(tasks, backend, speaking, reward, max_turns=max_turns, max_steps=max_steps)

    @staticmethod
    def opened(path: str | Path) -> DataSet:
        """The data set at a path; a subclass may take one kind only."""
        return open_data(path)


def _user(name: str, data: DataSet) -> User:
    match name:
        case "replay":
            return ReplayedUser()
        case "agenda":
            return AgendaUser.of(data)
        case _:
            raise UsageError(
                f"there is no user {name!r}: take replay, agenda "
                "or, on the command line, llm; in Python give one, such as LLMUser(model)"
            )
