"""The sample data set: written anew to the same bytes, in SGD's format, and consistent with itself."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "make_sample.py"
SPLITS = ("train", "dev", "test")
Json = dict[str, Any]


def write_sample(to: Path, seed: int) -> dict[str, bytes]:
    subprocess.run([sys.executable, "-B", SCRIPT, "--seed", str(seed), "--to", to], check=True, capture_output=True)
    return contents(to)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def dialogues(sample: Path, *splits: str) -> Iterator[Json]:
    for split in splits or SPLITS:
        for path in sorted((sample / split).glob("dialogues_*.json")):
            yield from msgspec.json.decode(path.read_bytes(), type=list[Json])


def schema(sample: Path, split: str) -> dict[str, Json]:
    services = msgspec.json.decode((sample / split / "schema.json").read_bytes(), type=list[Json])
    return {service["service_name"]: service for service in services}


def frames(dialogue: Json) -> Iterator[tuple[Json, Json]]:
    for turn in dialogue["turns"]:
        for frame in turn["frames"]:
            yield turn, frame


def intent_of(services: dict[str, Json], frame: Json) -> Json:
    intents: list[Json] = services[frame["service"]]["intents"]
    return next(intent for intent in intents if intent["name"] == frame["service_call"]["method"])


@pytest.fixture(scope="module")
def services(sample: Path) -> dict[str, Json]:
    return schema(sample, "dev")


def test_the_committed_files_are_what_the_script_writes(sample: Path, tmp_path: Path) -> None:
    assert write_sample(tmp_path, 7) == contents(sample)


def test_another_seed_writes_other_dialogues_about_the_same_services(sample: Path, tmp_path: Path) -> None:
    other, committed = write_sample(tmp_path, 8), contents(sample)
    assert other.keys() == committed.keys()
    assert {name for name in other if other[name] == committed[name]} == {f"{split}/schema.json" for split in SPLITS}


def test_it_is_large_enough_to_learn_from_and_small_enough_to_commit(sample: Path) -> None:
    sizes = [len(data) for data in contents(sample).values()]
    assert {split: sum(1 for _ in dialogues(sample, split)) for split in SPLITS} == {"train": 208, "dev": 65, "test": 50}
    assert max(sizes) < 900_000
    assert sum(sizes) < 3_000_000


def test_two_services_are_unseen_in_train(sample: Path) -> None:
    seen = {split: {name for dialogue in dialogues(sample, split) for name in dialogue["services"]} for split in SPLITS}
    assert seen == {split: set(schema(sample, split)) for split in SPLITS}
    assert seen["dev"] == seen["test"]
    assert seen["dev"] - seen["train"] == {"Campsites_1", "Vets_1"}
    assert len(seen["train"]) == 8


def test_files_are_grouped_by_service_with_double_dialogues_last(sample: Path) -> None:
    for split in SPLITS:
        groups: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for dialogue in dialogues(sample, split):
            groups[dialogue["dialogue_id"].split("_")[0]].add(tuple(dialogue["services"]))
        kinds = [{len(pair) for pair in group} for group in groups.values()]
        assert kinds == sorted(kinds, key=max)
        assert all(len(group) == 1 for group, kind in zip(groups.values(), kinds, strict=True) if kind == {1})
        assert kinds[-1] == {2}


def test_dialogue_ids_are_unique_in_a_split(sample: Path) -> None:
    for split in SPLITS:
        ids = [dialogue["dialogue_id"] for dialogue in dialogues(sample, split)]
        assert len(set(ids)) == len(ids)


def test_every_span_holds_the_value_of_its_action(sample: Path, services: dict[str, Json]) -> None:
    spans = 0
    for dialogue in dialogues(sample):
        for turn, frame in frames(dialogue):
            values = {action["slot"]: action["values"] for action in frame["actions"]}
            categorical = {slot["name"] for slot in services[frame["service"]]["slots"] if slot["is_categorical"]}
            for span in frame["slots"]:
                assert [turn["utterance"][span["start"] : span["exclusive_end"]]] == values[span["slot"]]
                assert span["slot"] not in categorical
                spans += 1
    assert spans > 3000


def test_every_spoken_value_of_a_free_slot_has_a_span(sample: Path, services: dict[str, Json]) -> None:
    for dialogue in dialogues(sample):
        for _, frame in frames(dialogue):
            free = {slot["name"] for slot in services[frame["service"]]["slots"] if not slot["is_categorical"]}
            spoken = {a["slot"] for a in frame["actions"] if a["values"] and a["values"] != ["dontcare"]}
            assert spoken & free == {span["slot"] for span in frame["slots"]}


def test_speakers_alternate_and_only_the_user_has_a_state(sample: Path) -> None:
    for dialogue in dialogues(sample):
        speakers = [turn["speaker"] for turn in dialogue["turns"]]
        assert speakers == ["USER", "SYSTEM"] * (len(speakers) // 2)
        for turn, frame in frames(dialogue):
            assert ("state" in frame) == (turn["speaker"] == "USER")
            assert ("service_call" in frame) == ("service_results" in frame)
            assert turn["utterance"].strip() == turn["utterance"] != ""


def test_every_call_has_its_required_arguments_and_no_unknown_one(sample: Path, services: dict[str, Json]) -> None:
    for dialogue in dialogues(sample):
        for _, frame in frames(dialogue):
            if "service_call" in frame:
                intent, arguments = intent_of(services, frame), frame["service_call"]["parameters"].keys()
                assert set(intent["required_slots"]) <= arguments
                assert arguments <= {*intent["required_slots"], *intent["optional_slots"]}


def test_every_argument_was_said_or_is_the_default(sample: Path, services: dict[str, Json]) -> None:
    for dialogue in dialogues(sample):
        said: set[str] = set()
        for _, frame in frames(dialogue):
            if "service_call" in frame:
                defaults = set(intent_of(services, frame)["optional_slots"].values())
                assert set(frame["service_call"]["parameters"].values()) <= said | defaults
            for action in frame["actions"]:
                said |= set(action["canonical_values"])


def test_categorical_values_are_among_the_possible_ones(sample: Path, services: dict[str, Json]) -> None:
    for dialogue in dialogues(sample):
        for _, frame in frames(dialogue):
            possible = {s["name"]: s["possible_values"] for s in services[frame["service"]]["slots"] if s["is_categorical"]}
            for action in frame["actions"]:
                if action["slot"] in possible and action["canonical_values"] != ["dontcare"]:
                    assert set(action["canonical_values"]) <= set(possible[action["slot"]])


def test_a_transactional_call_follows_a_confirmation_and_a_yes(sample: Path, services: dict[str, Json]) -> None:
    calls = 0
    for dialogue in dialogues(sample):
        confirmed: Json = {}
        agreed = False
        for turn, frame in frames(dialogue):
            acts = {action["act"] for action in frame["actions"]}
            if "service_call" in frame and intent_of(services, frame)["is_transactional"]:
                assert agreed
                assert confirmed == frame["service_call"]["parameters"]
                confirmed, calls = {}, calls + 1
            for action in frame["actions"]:
                if action["act"] == "CONFIRM":
                    confirmed[action["slot"]] = action["canonical_values"][0]
            agreed = turn["speaker"] == "USER" and "AFFIRM" in acts
    assert calls > 250


def test_users_change_their_minds_and_services_refuse(sample: Path) -> None:
    turns = [{action["act"] for action in frame["actions"]} for d in dialogues(sample) for _, frame in frames(d)]
    assert sum({"NEGATE", "INFORM"} <= acts for acts in turns) > 40
    assert sum("NOTIFY_FAILURE" in acts for acts in turns) > 40
    assert sum("NEGATE_INTENT" in acts for acts in turns) > 30


def test_the_same_call_gets_the_same_answer_everywhere(sample: Path) -> None:
    answers: dict[bytes, Any] = {}
    sizes: set[int] = set()
    for dialogue in dialogues(sample):
        for _, frame in frames(dialogue):
            if "service_call" in frame:
                key = msgspec.json.encode([frame["service"], frame["service_call"]], order="deterministic")
                assert answers.setdefault(key, frame["service_results"]) == frame["service_results"]
                sizes.add(len(frame["service_results"]))
    assert sizes == set(range(11))


def test_dates_and_times_have_spoken_variants(sample: Path) -> None:
    spoken: dict[str, set[str]] = defaultdict(set)
    for dialogue in dialogues(sample):
        for _, frame in frames(dialogue):
            for action in frame["actions"]:
                for value, canonical in zip(action["values"], action["canonical_values"], strict=True):
                    spoken[canonical].add(value)
    assert {"next Friday", "the 8th", "March 8th", "the 8th of March"} <= spoken["2019-03-08"]
    assert {"3:30 pm", "half past 3 in the afternoon", "afternoon 3:30", "15:30"} <= spoken["15:30"]
    assert all(date.startswith("2019-03-") for date in spoken if date[:2] == "20" and date.count("-") == 2)
    assert "2019-03-08" not in spoken["2019-03-08"]


def test_wording_varies(sample: Path) -> None:
    said = [turn["utterance"] for dialogue in dialogues(sample) for turn in dialogue["turns"]]
    assert len(set(said)) > len(said) / 2


def test_state_lists_every_known_form_of_a_value(sample: Path) -> None:
    """What the user has just informed is in the state, in the very words; what does not hold any more is not."""
    for dialogue in dialogues(sample):
        for turn, frame in frames(dialogue):
            if turn["speaker"] == "USER":
                for action in frame["actions"]:
                    if action["act"] == "INFORM":
                        assert action["values"][0] in frame["state"]["slot_values"][action["slot"]]
                assert frame["state"]["requested_slots"] == sorted(a["slot"] for a in frame["actions"] if a["act"] == "REQUEST")
