"""Writing beside the thread that computes: all of it, in order, and no fault of the disk is lost."""

import io
from collections.abc import Iterable
from hashlib import md5
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.traces.writing import Behind, Waiting, write_early


@given(st.lists(st.binary(max_size=20).map(lambda text: text * 100_000), max_size=12))
def test_all_is_written_and_in_order(texts: list[bytes]) -> None:
    file = io.BytesIO()
    with Behind(file.write) as behind:
        for text in texts:
            behind.write(text)
    assert file.getvalue() == b"".join(texts)


def written_to_a_full_disk(count: int, then: Exception | None = None) -> None:
    def full(text: bytes) -> None:
        raise OSError(28, f"no room for {len(text)} bytes")

    with Behind(full) as behind:
        for _ in range(count):
            behind.write(bytes(1 << 20))
        if then is not None:
            raise then


@pytest.mark.parametrize("count", [1, 100])
def test_what_cannot_be_written_is_an_error_by_the_end_of_the_block(count: int) -> None:
    with pytest.raises(OSError, match="no room for 1048576 bytes"):
        written_to_a_full_disk(count)


def test_an_error_inside_the_block_is_the_one_that_is_seen() -> None:
    with pytest.raises(KeyError):
        written_to_a_full_disk(1, then=KeyError())


def test_what_waits_comes_back_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    texts = [bytes([number]) * (40 << 20) for number in range(4)]
    with Waiting(tmp_path) as waiting:
        for text in texts:
            waiting.write(text)
        assert digest(waiting.blocks()) == digest(texts)
    assert not [*tmp_path.iterdir()]


def digest(texts: Iterable[bytes]) -> str:
    whole = md5(usedforsecurity=False)
    for text in texts:
        whole.update(text)
    return whole.hexdigest()


def test_a_file_written_early_holds_what_was_written() -> None:
    with TemporaryFile() as file:
        for number in range(3):
            write_early(file, bytes([number]) * 1000)
        file.seek(0)
        assert file.read() == b"".join(bytes([number]) * 1000 for number in range(3))
