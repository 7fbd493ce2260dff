"""Archives from strangers: what is taken out of a good one, and that a bad one writes nothing at all."""

import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from pathlib import Path

import msgspec
import pytest

from agent_gym.errors import UsageError
from agent_gym.traces import archive as archive_module
from agent_gym.traces.fetch import fetch

FILES = {
    "README.md": b"about",
    "LICENSE.txt": b"CC BY-SA 4.0",
    "train/schema.json": b"[]\n",
    "train/dialogues_001.json": b"[1]\n",
    "dev/schema.json": b"[]\n",
    "dev/dialogues_007.json": b"[2]\n",
    "sgd_x/data/v1/train/schema.json": b"[3]\n",
}
STRAY = {"sgd_x/generate.py": b"print()", "overview.png": b"\x89PNG", "MANIFEST.json": b"{}"}
Member = tuple[tarfile.TarInfo, bytes]


def write_archive(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in files.items():
                packed.writestr(name, data)
    else:
        write_tar(path, [plain(name, data) for name, data in files.items()])
    return path


def write_tar(path: Path, members: list[Member]) -> Path:
    compression = path.suffix.removeprefix(".")
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as packed:
        for member, data in members:
            packed.addfile(member, io.BytesIO(data))
    if compression == "tar":
        path.write_bytes(raw.getvalue())
    else:
        path.write_bytes({"gz": gzip.compress, "xz": lzma.compress}[compression](raw.getvalue()))
    return path


def plain(name: str, data: bytes = b"[]") -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    return member, data


def special(kind: bytes, name: str, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def zipped(path: Path, name: str, mode: int = 0) -> Path:
    good = {f"sgd/{file}": data for file, data in FILES.items()}
    write_archive(path, good)
    with zipfile.ZipFile(path, "a") as packed:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = entry.orig_filename = name  # the constructor would tidy it up
        entry.external_attr = mode << 16
        packed.writestr(entry, b"/etc/passwd")
    return path


def written(folder: Path) -> dict[str, bytes]:
    if not folder.exists():
        return {}
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("wrapper", ["", "./", "schema_guided_dialogue/", "dstc8-schema-guided-dialogue-e852981/", "a/b/c/"])
@pytest.mark.parametrize("ending", ["tar.gz", "tar.xz", "tar", "zip"])
def test_a_good_archive_gives_dialogues_schemas_and_licence(tmp_path: Path, ending: str, wrapper: str) -> None:
    packed = write_archive(tmp_path / f"sgd.{ending}", {wrapper + name: data for name, data in (FILES | STRAY).items()})
    report = fetch(tmp_path / "to", str(packed))
    found = written(tmp_path / "to")
    manifest = msgspec.json.decode(found.pop("MANIFEST.json"))
    assert found == FILES
    assert manifest["files"].keys() == FILES.keys()
    assert (report.fetched, report.kept, report.bytes) == (len(FILES), 0, sum(map(len, FILES.values())))


def test_the_same_archive_is_not_unpacked_twice(tmp_path: Path) -> None:
    packed = write_archive(tmp_path / "sgd.tar.gz", FILES)
    fetch(tmp_path / "to", str(packed))
    again = fetch(tmp_path / "to", str(packed))
    assert (again.fetched, again.kept) == (0, len(FILES))


def test_a_file_that_was_damaged_since_is_brought_again(tmp_path: Path) -> None:
    packed = write_archive(tmp_path / "sgd.zip", FILES)
    fetch(tmp_path / "to", str(packed))
    (tmp_path / "to/dev/schema.json").write_bytes(b"[}\n")
    assert fetch(tmp_path / "to", str(packed)).fetched == len(FILES)
    assert (tmp_path / "to/dev/schema.json").read_bytes() == FILES["dev/schema.json"]


def test_a_later_archive_adds_to_what_is_there(tmp_path: Path) -> None:
    more = {"train/schema.json": b"[]\n", "train/dialogues_002.json": b"[4]\n"}
    fetch(tmp_path / "to", str(write_archive(tmp_path / "one.tar.gz", FILES)))
    fetch(tmp_path / "to", str(write_archive(tmp_path / "two.tar.gz", more)))
    found = written(tmp_path / "to")
    assert msgspec.json.decode(found.pop("MANIFEST.json"))["files"].keys() == found.keys() == (FILES | more).keys()


def test_a_folder_is_copied(tmp_path: Path) -> None:
    for name, data in (FILES | STRAY).items():
        (tmp_path / "from/deep" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from/deep" / name).write_bytes(data)
    assert fetch(tmp_path / "to", str(tmp_path / "from")).fetched == len(FILES)
    assert written(tmp_path / "to").keys() - {"MANIFEST.json"} == FILES.keys()


EVIL_TARS = {
    "absolute": plain("/etc/cron.d/evil.json"),
    "drive": plain("C:/evil.json"),
    "climbing": plain("sgd/../../evil.json"),
    "climbing at once": plain("../evil.json"),
    "backslashes": plain("sgd\\..\\..\\evil.json"),
    "symlink": special(tarfile.SYMTYPE, "sgd/train/dialogues_002.json", "/etc/passwd"),
    "symlinked folder": special(tarfile.SYMTYPE, "sgd/test", "/tmp"),
    "hard link": special(tarfile.LNKTYPE, "sgd/train/dialogues_002.json", "sgd/README.md"),
    "character device": special(tarfile.CHRTYPE, "sgd/null"),
    "block device": special(tarfile.BLKTYPE, "sgd/disk"),
    "pipe": special(tarfile.FIFOTYPE, "sgd/pipe"),
    "control characters": plain("sgd/\x1b[2Jevil.json"),
}
EVIL_ZIPS = {
    "absolute": ("/evil.json", 0),
    "climbing": ("../../evil.json", 0),
    "backslashes": ("..\\..\\evil.json", 0),
    "drive": ("C:\\evil.json", 0),
    "symlink": ("sgd/train/dialogues_002.json", stat.S_IFLNK | 0o777),
    "device": ("sgd/null", stat.S_IFCHR | 0o666),
}


@pytest.mark.parametrize("ending", ["tar.gz", "tar.xz"])
@pytest.mark.parametrize("evil", EVIL_TARS.values(), ids=EVIL_TARS.keys())
def test_an_evil_tar_is_refused_whole(tmp_path: Path, evil: Member, ending: str) -> None:
    good = [plain(f"sgd/{name}", data) for name, data in FILES.items()]
    packed = write_tar(tmp_path / f"evil.{ending}", [*good, evil])
    with pytest.raises(
        UsageError, match=r"^the archive 'evil\.tar\.\w+' holds .*: refused whole, nothing was written"
    ) as caught:
        fetch(tmp_path / "to", str(packed))
    assert "\n" not in str(caught.value)
    assert written(tmp_path / "to") == {}
    assert {path.name for path in tmp_path.iterdir()} == {packed.name, "to"}


@pytest.mark.parametrize(("name", "mode"), EVIL_ZIPS.values(), ids=EVIL_ZIPS.keys())
def test_an_evil_zip_is_refused_whole(tmp_path: Path, name: str, mode: int) -> None:
    packed = zipped(tmp_path / "evil.zip", name, mode)
    with pytest.raises(UsageError, match=r"refused whole, nothing was written"):
        fetch(tmp_path / "to", str(packed))
    assert written(tmp_path / "to") == {}
    assert {path.name for path in tmp_path.iterdir()} == {packed.name, "to"}


def test_a_bomb_is_refused_at_its_header(tmp_path: Path) -> None:
    bomb = tarfile.TarInfo("sgd/train/dialogues_001.json")
    bomb.size = 5 << 30
    packed = tmp_path / "bomb.tar"
    packed.write_bytes(bomb.tobuf())
    with pytest.raises(UsageError, match="holds more than 4 GiB"):
        fetch(tmp_path / "to", str(packed))


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MOST_ENTRIES", 3)
    with pytest.raises(UsageError, match="3 entries"):
        fetch(tmp_path / "to", str(write_archive(tmp_path / "many.zip", FILES)))
    assert written(tmp_path / "to") == {}


@pytest.mark.parametrize("ending", ["tar.gz", "tar.xz", "zip"])
@pytest.mark.parametrize("left", [0, 3, 100, -40])
def test_a_truncated_archive_is_one_clear_line(tmp_path: Path, ending: str, left: int) -> None:
    packed = write_archive(tmp_path / f"sgd.{ending}", FILES)
    packed.write_bytes(packed.read_bytes()[:left])
    with pytest.raises(UsageError, match="is no whole tar") as caught:
        fetch(tmp_path / "to", str(packed))
    assert "\n" not in str(caught.value)
    assert written(tmp_path / "to") == {}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"notes.txt": b"hello"}, id="something else"),
        pytest.param({"train/dialogues_001.json": b"[]"}, id="no schema"),
        pytest.param({"v1/train/schema.json": b"[]"}, id="schemas alone would hide the real ones"),
    ],
)
def test_an_archive_without_the_data_set_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(UsageError, match=r"no Schema-Guided Dialogue among the 1 files of 'x\.zip'"):
        fetch(tmp_path / "to", str(write_archive(tmp_path / "x.zip", files)))
    assert written(tmp_path / "to") == {}


def test_a_source_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.tar\.gz' does not exist: give an archive"):
        fetch(tmp_path / "to", str(tmp_path / "nowhere.tar.gz"))


def test_the_target_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is the folder to bring the data set into"):
        fetch(tmp_path, str(tmp_path))


def test_a_target_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot bring the data set into"):
        fetch(tmp_path / "file" / "to", str(write_archive(tmp_path / "sgd.zip", FILES)))
