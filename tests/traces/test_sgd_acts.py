"""What was meant by each turn."""

from pathlib import Path

import msgspec
import pytest

from agent_gym.messages import Assistant, User
from agent_gym.traces import SGDLoader
from agent_gym.traces.sgd_acts import SGDActs
from conversations import TASK
from sgd_folder import SGDFolder


def test_every_turn_of_a_trace_has_its_acts(sample: Path) -> None:
    acts = SGDActs(sample)
    for trace in SGDLoader(sample).load("dev"):
        turns = acts.of(trace)
        assert turns is not None
        spoken = [one for one in trace.messages if isinstance(one, User) or (isinstance(one, Assistant) and one.content)]
        assert [turn.user for turn in turns] == [isinstance(one, User) for one in spoken]
        assert [frame.called for turn in turns for frame in turn.frames if frame.called] == [call.name for call in trace.calls]


def test_a_trace_from_elsewhere_has_none(sample: Path) -> None:
    assert SGDActs(sample).of(TASK) is None
    trace = next(SGDLoader(sample).load("dev"))
    assert SGDActs(sample).of(msgspec.structs.replace(trace, conversation_id="dev/unknown")) is None
    assert SGDActs(sample / "nowhere").of(trace) is None


def test_spans_point_at_the_values(sample: Path) -> None:
    turns = list(SGDActs(sample).spoken("train"))
    said = [(turn.text[span.start : span.end], span.slot, turn) for turn in turns for span in turn.spans]
    assert said
    for value, slot, turn in said:
        assert value in {one for frame in turn.frames for act in frame.acts if act.slot == slot for one in act.values}
    assert turns[0].first


def test_a_split_that_is_not_there_has_no_words(sample: Path) -> None:
    assert list(SGDActs(sample).spoken("night")) == []


def test_a_file_that_is_broken_holds_nobodys_acts(tmp_path: Path, sample: Path) -> None:
    folder = SGDFolder(tmp_path / "sgd", sample)
    trace = next(SGDLoader(folder.path).load("train"))
    folder.file(1).write_text("[{")
    assert SGDActs(folder.path).of(trace) is None
    assert len(list(SGDActs(folder.path).spoken("train"))) > 0


@pytest.mark.real
def test_real_dialogues_have_acts_for_every_turn(sgd: Path) -> None:
    acts = SGDActs(sgd)
    for trace in SGDLoader(sgd).load("dev"):
        assert len([turn for turn in acts.of(trace) or () if turn.user]) == sum(isinstance(one, User) for one in trace.messages)
