"""Examples: evenly over the services, each from another dialogue, a good share of them with calls, always the same ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.errors import UsageError
from agent_gym.traces import SGDLoader, open_data
from agent_gym.traces.draw import draw_tasks
from agent_gym.traces.task import Task
from conftest import SAMPLE
from sgd_folder import SGDFolder, put


def ids(tasks: list[Task]) -> list[str]:
    return [task.id for task in tasks]


def test_examples_are_even_over_the_services(sample: Path) -> None:
    (tasks,) = draw_tasks(SGDLoader(sample), "train", [24])
    services = [task.service for task in tasks]
    assert len(set(services)) == 8
    assert max(map(services.count, services)) <= 4


def test_a_third_at_least_have_calls(sample: Path) -> None:
    for seed in range(5):
        (tasks,) = draw_tasks(SGDLoader(sample), "train", [30], seed=seed)
        assert 10 <= sum(bool(task.expected_calls) for task in tasks) <= 20


@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers())
def test_lists_are_disjoint_and_a_later_size_changes_no_earlier_list(sizes: list[int], seed: int) -> None:
    loader = SGDLoader(SAMPLE)
    lists = draw_tasks(loader, "dev", sizes, seed=seed)
    assert [len(tasks) for tasks in lists] == sizes
    assert len({task.trace.conversation_id for tasks in lists for task in tasks}) == sum(sizes)
    again = draw_tasks(loader, "dev", [*sizes[:-1], sizes[-1] + 3], seed=seed)
    assert [ids(tasks) for tasks in again[:-1]] == [ids(tasks) for tasks in lists[:-1]]


def test_another_seed_draws_others(sample: Path) -> None:
    draws = {tuple(ids(draw_tasks(SGDLoader(sample), "train", [10], seed=seed)[0])) for seed in range(5)}
    assert len(draws) == 5


def test_only_the_drawn_dialogues_are_converted(sample: Path) -> None:
    loader = SGDLoader(sample)
    draw_tasks(loader, "train", [10, 5])
    assert loader.report.dialogues == 15


def test_a_split_that_is_too_small_says_so(sample: Path) -> None:
    with pytest.raises(UsageError, match=r"split 'dev' .* has 65 dialogues, too few .*: ask for fewer"):
        draw_tasks(SGDLoader(sample), "dev", [60, 6])


def test_nobody_is_told_to_ask_for_fewer_than_one(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(
        '{"conversation_id": "a", "metadata": {"split": "train"}, "messages": ['
        '{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}]}\n'
    )
    with pytest.raises(
        UsageError, match=r"has 1 dialogue, too few .* num_train 1 \+ num_val 1 cannot be less than 2; bring more"
    ):
        draw_tasks(open_data(tmp_path / "one.jsonl"), "train", [1, 1], named=["num_train", "num_val"])


def test_a_dialogue_that_a_copy_holds_twice_is_drawn_once(tmp_path: Path, sample: Path) -> None:
    folder = SGDFolder(tmp_path, sample)
    folder.write(2, folder.read(1))
    (tasks,) = draw_tasks(SGDLoader(folder.path), "train", [3])
    assert len({task.trace.conversation_id for task in tasks}) == 3
    with pytest.raises(UsageError, match="too few"):
        draw_tasks(SGDLoader(folder.path), "train", [4])


def test_a_dialogue_without_an_answered_turn_is_replaced(tmp_path: Path, sample: Path) -> None:
    folder = SGDFolder(tmp_path, sample)
    # Nothing said, nothing answered.
    folder.change(0, put("turns", value=[]))
    folder.change(1, put("turns", value=folder.read(1)[1]["turns"][:1]))
    (tasks,) = draw_tasks(SGDLoader(folder.path), "train", [4])
    assert {task.trace.conversation_id for task in tasks} == {f"train/{name}" for name in folder.ids[2:]}
