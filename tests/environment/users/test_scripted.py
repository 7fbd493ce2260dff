"""A scripted user plays a pattern: it looks at what the agent did, answers, nudges, and leaves."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agent_gym.actions import ActionFactory, StructuredAction
from agent_gym.environment import MultiTurnEnvironment
from agent_gym.environment.dialogue import DialogueEnvironment
from agent_gym.environment.episode import play_episode
from agent_gym.environment.trajectories.trajectory import Trajectory
from agent_gym.environment.users.pattern import Happening, Line, Pattern, Reply, load_pattern, patterns
from agent_gym.environment.users.scripted import ScriptedUser
from agent_gym.errors import FileRefused, UsageError
from agent_gym.lm import run_sync
from agent_gym.messages import Assistant, Message, Tool, ToolCall, User
from agent_gym.testing import ScriptedAgent
from agent_gym.tools import Workspace
from agent_gym.traces import Trace, dump_trace

ANNOUNCED = "docs/announcement.md"
DOES: dict[str, Sequence[StructuredAction]] = {
    "troubleshooting": (
        ActionFactory.read_file("logs/export.log"),
        ActionFactory.read_file("export/settings.json"),
        ActionFactory.edit_file("export/settings.json", '"time_limit_seconds": 5', '"time_limit_seconds": 60'),
        ActionFactory.create_file("notes/export.md", "The time limit was too short.\n"),
        ActionFactory.complete_task("The limit is 60 seconds."),
    ),
    "setup": (
        ActionFactory.create_file("config/service.json", '{"name": "inventory", "port": 8080}'),
        ActionFactory.create_file(".env.example", "INVENTORY_TOKEN=\n"),
        ActionFactory.edit_file("config/service.json", "8080", "9090"),
        ActionFactory.read_file("config/service.json"),
        ActionFactory.complete_task("It is set up."),
    ),
    "improvement": (
        ActionFactory.create_file(ANNOUNCED, "Release 2.0 is out: exports can be resumed.\n"),
        ActionFactory.edit_file(ANNOUNCED, "Release 2.0 is out", "# Release 2.0\n\nIt is out"),
        ActionFactory.edit_file(ANNOUNCED, "resumed.", "resumed: agent-export --resume."),
        ActionFactory.edit_file(ANNOUNCED, "It is out", "Good news, it is out"),
        ActionFactory.complete_task("It is announced."),
    ),
}
"""What the user of each pattern wants, line by line."""


def one_action_a_turn(actions: Sequence[StructuredAction]) -> ScriptedAgent:
    """An agent that does the next action after each of the user's turns, and talks between them."""

    def act(messages: Sequence[Message], tools: object) -> Assistant | str:
        if not isinstance(messages[-1], User):
            return "There it is."
        done = sum(isinstance(message, User) for message in messages) - 1
        return Assistant("", (actions[done].to_tool_call(f"call_{done}"),))

    return ScriptedAgent(act)


def trajectory_of(name: str, agent: ScriptedAgent, seed: int = 0) -> Trajectory:
    """A pattern, played turn by turn."""
    user = ScriptedUser(name)
    with MultiTurnEnvironment() as env:
        goal, files = user.pattern.goal, user.pattern.files
        return run_sync(env.play(agent, user, goal, seed=seed, files=files, trajectory_id=name))


def episode_of(name: str, agent: ScriptedAgent, folder: Path) -> Trace:
    """A pattern, played as a dialogue."""
    pattern = load_pattern(name)

    def tools(task: Trace) -> Workspace:
        workspace = Workspace(folder)
        for path, content in pattern.files.items():
            workspace.call("create_file", {"path": path, "content": content})
        return workspace

    task = pattern.task(tuple(Workspace(folder).catalog.values()))
    env = DialogueEnvironment([task], tools, ScriptedUser(pattern))
    return run_sync(play_episode(agent, env.episode(task, seed=1)))


def lines_of(speaker_acts: Sequence[Sequence[str]]) -> list[str]:
    return [act for acts in speaker_acts for act in acts]


def test_every_pattern_of_the_package_is_tried_here() -> None:
    assert patterns() == tuple(sorted(DOES))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", DOES)
def test_a_pattern_is_played_to_its_end_turn_by_turn(name: str, seed: int) -> None:
    trajectory = trajectory_of(name, one_action_a_turn(DOES[name]), seed)
    assert (trajectory.ended, trajectory.final_success) == ("completed", True)
    assert trajectory.total_reward == 0.5 * len(DOES[name])
    wanted = load_pattern(name).lines
    assert [turn.user.content in line.say for turn, line in zip(trajectory.turns, wanted, strict=True)] == [True] * len(wanted)


@pytest.mark.parametrize("name", DOES)
def test_a_pattern_is_played_to_its_end_as_a_dialogue(name: str, tmp_path: Path) -> None:
    trace = episode_of(name, one_action_a_turn(DOES[name]), tmp_path)
    assert trace.error is None
    assert trace.metadata["ended"] == "goal"
    assert lines_of(trace.metadata["acts"]) == [*(f"LINE {number}" for number in range(1, 6)), "FAREWELL"]
    assert not any(message.error for message in trace.messages if isinstance(message, Tool))


@pytest.mark.parametrize("name", DOES)
def test_an_agent_that_only_says_ok_is_left_within_the_patience(name: str, tmp_path: Path) -> None:
    trace = episode_of(name, ScriptedAgent(lambda messages, tools: "ok"), tmp_path)
    assert trace.metadata["ended"] == "patience"
    assert lines_of(trace.metadata["acts"]) == ["LINE 1", *["NUDGE 1"] * 4, "GIVE UP"]
    trajectory = trajectory_of(name, ScriptedAgent(lambda messages, tools: "ok"))
    assert (trajectory.ended, trajectory.final_success, trajectory.trace.metadata["user_left"]) == (
        "stopped",
        False,
        "patience",
    )
    assert len(trajectory.turns) == 5


def test_the_same_seed_gives_the_same_trajectory_byte_for_byte() -> None:
    def played(seed: int) -> bytes:
        trajectory = trajectory_of("setup", one_action_a_turn(DOES["setup"]), seed)
        return json.dumps(dump_trace(trajectory.trace)).encode()

    assert played(3) == played(3)
    assert len({played(seed) for seed in range(8)}) > 1


def test_lines_that_are_done_already_are_left_out_or_not_waited_for() -> None:
    create, _, _, read, done = DOES["setup"]
    config = ActionFactory.create_file("config/service.json", '{"name": "inventory", "port": 9090}')
    both = (config.to_tool_call("1"), ActionFactory.create_file(".env.example", "INVENTORY_TOKEN=").to_tool_call("2"))
    agent = ScriptedAgent(
        [Assistant("", both), "Is there.", Assistant("", (read.to_tool_call(),)), Assistant("", (done.to_tool_call(),))]
    )
    trajectory = trajectory_of("setup", agent)
    wanted = load_pattern("setup").lines
    said = [next(number for number, line in enumerate(wanted) if turn.user.content in line.say) for turn in trajectory.turns]
    assert (said, trajectory.ended) == ([0, 1, 3, 4], "completed")
    assert create != config


def test_what_counts_again_must_happen_after_the_line() -> None:
    change = ActionFactory.edit_file(ANNOUNCED, "resumed", "resumed (agent-export --resume)")
    first = [*DOES["improvement"][:2], change]
    steps = [Assistant("", (action.to_tool_call(),)) for action in first]
    agent = ScriptedAgent([*steps, "It is friendly enough.", *["ok"] * 4])
    trajectory = trajectory_of("improvement", agent)
    tone = load_pattern("improvement").lines[3]
    assert trajectory.turns[3].user.content in tone.say
    assert {turn.user.content for turn in trajectory.turns[4:]} <= set(tone.nudge)
    assert trajectory.trace.metadata["user_left"] == "patience"


def test_a_question_is_answered_once_and_costs_no_patience() -> None:
    ask = Assistant("", (ActionFactory.ask_user("Since when?").to_tool_call(),))
    trajectory = trajectory_of("troubleshooting", ScriptedAgent(lambda messages, tools: ask))
    line = load_pattern("troubleshooting").lines[0]
    assert trajectory.turns[1].user.content == line.answers[0].say[0]
    assert all(turn.user.content in line.nudge for turn in trajectory.turns[2:])
    assert len(trajectory.turns) == 6


CALL = ToolCall("read_file", '{"path": "logs/a.log", "lines": 60}', "1")


@pytest.mark.parametrize(
    ("happening", "happened"),
    [
        (Happening(tools=("read_file",)), True),
        (Happening(tools=("edit_file", "read_file"), arguments={"path": "*.log", "lines": "6?"}), True),
        (Happening(tools=("read_file",), result={"content": "*late*"}), True),
        (Happening(tools=("read_file",), result={"content": "early"}), False),
        (Happening(tools=("read_file",), arguments={"path": "*.txt"}), False),
        (Happening(tools=("read_file",), arguments={"file": "*"}), False),
        (Happening(tools=("edit_file",)), False),
        (Happening(says="*see[?]"), True),
        (Happening(says="*see![?]"), False),
        (Happening(says="see"), False),
        (Happening(), False),
    ],
    ids=repr,
)
def test_what_the_agent_did_is_recognized(happening: Happening, happened: bool) -> None:
    answer = Tool("read_file", {"content": "too late"}, call_id="1")
    messages = (User("Look"), Assistant("", (CALL,)), answer, Assistant("You See?"))
    assert happening.in_messages(messages) is happened
    failed = (User("Look"), Assistant("", (CALL,)), Tool("read_file", error="no such file", call_id="1"))
    assert not Happening(tools=("read_file",)).in_messages(failed)


def test_a_line_that_waits_for_nothing_is_said_once() -> None:
    pattern = Pattern(about="Talk", goal="Talk", lines=(Line(("Hello",)), Line(("And you?",))), farewell=("Bye",))
    with MultiTurnEnvironment() as env:
        trajectory = run_sync(env.play(ScriptedAgent(["Hi", "Fine"]), ScriptedUser(pattern), pattern.goal))
    assert trajectory.trace.messages == (User("Hello"), Assistant("Hi"), User("And you?"), Assistant("Fine"), User("Bye"))


def test_a_pattern_of_ones_own_is_a_file(tmp_path: Path) -> None:
    own = tmp_path / "poem.json"
    lines = [{"say": ["A poem, please."], "answers": [{"when": {"says": "*rhyme*"}, "say": ["It need not."]}]}]
    own.write_text(json.dumps({"about": "A poem", "goal": "A poem", "lines": lines, "farewell": ["Thanks"]}))
    pattern = ScriptedUser(own).pattern
    assert (pattern.name, pattern.lines[0].answers) == ("poem", (Reply(Happening(says="*rhyme*"), ("It need not.",)),))


def _missing(folder: Path) -> Path:
    return folder / "none.json"


def _unknown(folder: Path) -> Path:
    return Path("therapy")


def _wrong(text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "own.json").write_text(text)
        return folder / "own.json"

    return write


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (_missing, FileRefused, r"cannot read the pattern '.*none\.json'"),
        (_wrong("{"), FileRefused, r"own\.json is no conversation pattern"),
        (_wrong('{"about": "", "goal": "", "farewell": ["x"], "lines": []}'), FileRefused, "length >= 1 - at `\\$.lines`"),
        (_wrong('{"abuot": ""}'), FileRefused, "unknown field `abuot`"),
        (_unknown, UsageError, "there is no pattern 'therapy'; there are improvement, setup, troubl"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused(
    make: Callable[[Path], Path], error: type[UsageError], said: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        ScriptedUser(make(tmp_path))
