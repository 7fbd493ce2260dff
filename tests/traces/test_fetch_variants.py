"""An archive of SGD-X: its paraphrased schemas come beside the data set, and never in the place of the original ones."""

import tarfile
from pathlib import Path

import msgspec
import pytest

from agent_gym.errors import UsageError
from agent_gym.traces.archive import find_root, find_variants
from agent_gym.traces.fetch import fetch
from agent_gym.traces.sgd_variant import SchemaVariant
from paraphrases import paraphrased_sample

V1 = {f"sgd_x/data/v1/{split}/schema.json" for split in ("train", "dev")}


@pytest.fixture
def variants(sample: Path, tmp_path: Path) -> Path:
    """What SGD-X adds to the sample, unpacked."""
    folder = paraphrased_sample(sample, tmp_path / "x", ("train", "dev"))
    for split in ("train", "dev"):
        (folder / split).unlink()
    return folder


@pytest.fixture
def packed(variants: Path, tmp_path: Path) -> Path:
    return pack(variants, tmp_path / "sgd-x.tar.xz")


@pytest.fixture
def installed(sample: Path, tmp_path: Path) -> Path:
    """A data set that was fetched."""
    fetch(tmp_path / "to", str(sample))
    return tmp_path / "to"


def pack(folder: Path, path: Path, wrapper: str = "schema_guided_dialogue") -> Path:
    with tarfile.open(path, "w:xz") as archive:
        archive.add(folder, wrapper)
    return path


def written(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_paraphrased_schemas_are_added_to_a_data_set(installed: Path, packed: Path, variants: Path, sample: Path) -> None:
    report = fetch(installed, str(packed))
    found = written(installed)
    manifest = msgspec.json.decode(found.pop("MANIFEST.json"))
    assert found == written(sample) | written(variants)
    assert manifest["files"].keys() == found.keys()
    assert (report.fetched, report.kept, manifest["source"]) == (2, 0, "sgd-x.tar.xz")
    assert SchemaVariant.read(installed, "dev").name == "v1"


def test_a_second_run_brings_nothing(installed: Path, packed: Path) -> None:
    fetch(installed, str(packed))
    again = fetch(installed, str(packed))
    assert (again.fetched, again.bytes) == (0, 0)


def test_a_folder_of_paraphrases_does_as_well(installed: Path, variants: Path) -> None:
    fetch(installed, str(variants))
    assert written(installed).keys() >= V1


def test_original_schemas_and_dialogues_beside_them_are_left_where_they_are(
    installed: Path, variants: Path, tmp_path: Path
) -> None:
    before = written(installed)
    # A schema of a split without dialogues, and dialogues that somebody made in the variant's names.
    for name in ("dev/schema.json", "sgd_x/data/v1/dev/dialogues_001.json", "sgd_x/README.md"):
        (variants / name).parent.mkdir(exist_ok=True)
        (variants / name).write_bytes(b"[]")
    report = fetch(installed, str(pack(variants, tmp_path / "more.tar.xz", "dstc8-e852981")))
    after = written(installed)
    assert report.fetched == 2
    assert after.keys() == before.keys() | V1
    assert after["dev/schema.json"] == before["dev/schema.json"]


def test_without_a_data_set_to_put_them_beside_they_are_refused(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"'sgd-x\.tar\.xz' holds only paraphrases .*: bring that first \(`agent-gym data fetch`"
    ):
        fetch(tmp_path / "empty", str(packed))
    assert not written(tmp_path / "empty")


def test_a_whole_data_set_with_paraphrases_is_found_at_its_top() -> None:
    names = ["a/dev/schema.json", "a/dev/dialogues_001.json", "a/sgd_x/data/v1/dev/schema.json"]
    assert str(find_root([*names, "a/sgd_x/data/v1/dev/dialogues_001.json"])) == "a"
    assert find_root(["sgd_x/data/v1/dev/schema.json", "sgd_x/data/v1/dev/dialogues_001.json"]) is None


def test_of_two_copies_the_uppermost_is_taken_and_nothing_else_counts() -> None:
    stray = ["sgd_x/data/v1/extra/schema.json", "sgd_x/data/schema.json", "my_sgd_x/data/v1/dev/schema.json"]
    names = ["old/sgd_x/data/v1/dev/schema.json", "sgd_x/data/v1/dev/schema.json", "b/sgd_x/data/v2/test/schema.json", *stray]
    assert find_variants(names) == {
        "sgd_x/data/v1/dev/schema.json": "sgd_x/data/v1/dev/schema.json",
        "b/sgd_x/data/v2/test/schema.json": "sgd_x/data/v2/test/schema.json",
    }
