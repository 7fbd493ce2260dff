"""The download, from a loopback server that cuts connections, is busy, or serves something else."""

import asyncio
import hashlib
import io
import tarfile
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from agent_gym.errors import DataError, FileRefused
from agent_gym.traces.download import Part
from agent_gym.traces.fetch import Progress, fetch, public_files
from agent_gym.traces.manifest import Manifest

LARGE = "train/dialogues_001.json"
Fault = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


class Origin:
    """A server of the public data set's files, one of them large; it does what the test planned, once per plan."""

    def __init__(self) -> None:
        self.files = {name: b"[]\n" if name.endswith(".json") else b"text\n" for name in public_files()}
        self.files[LARGE] = b"[" + bytes(range(48, 58)) * 100_000 + b"]"
        self.plans: dict[str, list[Fault]] = defaultdict(list)
        self.ranges: dict[str, list[str | None]] = defaultdict(list)
        self.understands_ranges = True
        self.most_in_flight = self._in_flight = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)

    def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/sgd/{name:.+}", self._answer)
        runner = web.AppRunner(app)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/sgd"
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            name = request.match_info["name"]
            self.ranges[name].append(request.headers.get("Range"))
            if self.plans[name]:
                return await self.plans[name].pop(0)(request, self.files[name])
            if name not in self.files:
                raise web.HTTPNotFound
            return self._file(request, self.files[name])
        finally:
            self._in_flight -= 1

    def _file(self, request: web.Request, data: bytes) -> web.Response:
        start = request.http_range.start or 0
        if not start or not self.understands_ranges:
            return web.Response(body=data)
        if start >= len(data):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
        headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        return web.Response(status=206, body=data[start:], headers=headers)


@pytest.fixture
def origin() -> Iterator[Origin]:
    server = Origin()
    yield server
    server.stop()


class Cut:
    """Sends half of the file, waits until the client has seen some of it, and breaks the connection."""

    def __init__(self) -> None:
        self.seen = threading.Event()

    async def __call__(self, request: web.Request, data: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(data))})
        await response.prepare(request)
        await response.write(data[: len(data) // 2])
        assert await asyncio.to_thread(self.seen.wait, 30)
        assert request.transport is not None
        request.transport.abort()
        return response

    def watch(self, progress: Progress) -> None:
        if progress.file == LARGE:
            self.seen.set()


def answering(status: int, body: bytes = b"", **headers: str) -> Fault:
    async def answer(request: web.Request, data: bytes) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return answer


def written(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_file_comes_with_its_checksum(origin: Origin, tmp_path: Path) -> None:
    report = fetch(tmp_path, base_url=origin.url)
    found = written(tmp_path)
    manifest = msgspec.json.decode(found.pop("MANIFEST.json"))
    assert found == origin.files
    assert manifest["source"] == origin.url
    assert manifest["files"] == {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in origin.files.items()
    }
    assert (report.fetched, report.kept, report.bytes) == (len(found), 0, sum(map(len, found.values())))


def test_the_public_data_set_has_181_dialogue_files_in_three_splits() -> None:
    names = public_files()
    assert len(names) == len(set(names)) == 2 + 3 + 127 + 20 + 34
    assert names[:5] == ["README.md", "LICENSE.txt", "train/schema.json", "dev/schema.json", "test/schema.json"]
    assert {"train/dialogues_127.json", "dev/dialogues_020.json", "test/dialogues_034.json"} <= set(names)


def test_four_files_at_a_time(origin: Origin, tmp_path: Path) -> None:
    barrier = asyncio.Barrier(4)

    async def together(request: web.Request, data: bytes) -> web.StreamResponse:
        await asyncio.wait_for(barrier.wait(), 30)
        return web.Response(body=data)

    for name in public_files()[:4]:
        origin.plans[name].append(together)
    fetch(tmp_path, base_url=origin.url)
    assert origin.most_in_flight == 4


def test_a_second_run_asks_for_nothing(origin: Origin, tmp_path: Path) -> None:
    fetch(tmp_path, base_url=origin.url)
    origin.ranges.clear()
    report = fetch(tmp_path, base_url=origin.url)
    assert (report.fetched, report.kept, report.bytes) == (0, len(origin.files), 0)
    assert not origin.ranges


@pytest.mark.parametrize("damage", [b"", b"[}\n", b"[]\n\n"])
def test_a_damaged_or_lost_file_is_fetched_again_alone(origin: Origin, tmp_path: Path, damage: bytes) -> None:
    fetch(tmp_path, base_url=origin.url)
    origin.ranges.clear()
    (tmp_path / "dev/schema.json").write_bytes(damage)
    (tmp_path / "test/schema.json").unlink()
    assert fetch(tmp_path, base_url=origin.url).fetched == 2
    assert origin.ranges == {"dev/schema.json": [None], "test/schema.json": [None]}
    assert written(tmp_path)["dev/schema.json"] == b"[]\n"


def test_a_cut_connection_goes_on_where_it_stopped(origin: Origin, tmp_path: Path) -> None:
    cut = Cut()
    origin.plans[LARGE].append(cut)
    fetch(tmp_path, base_url=origin.url, progress=cut.watch, backoff=0)
    first, second = origin.ranges[LARGE]
    assert first is None
    assert second is not None
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= len(origin.files[LARGE]) // 2
    assert written(tmp_path)[LARGE] == origin.files[LARGE]
    assert not list(tmp_path.rglob("*.part"))


def test_a_server_without_ranges_sends_the_file_anew(origin: Origin, tmp_path: Path) -> None:
    cut = Cut()
    origin.understands_ranges = False
    origin.plans[LARGE].append(cut)
    report = fetch(tmp_path, base_url=origin.url, progress=cut.watch, backoff=0)
    assert written(tmp_path)[LARGE] == origin.files[LARGE]
    assert report.bytes == sum(map(len, origin.files.values()))


def test_a_failed_run_is_continued_by_the_next(origin: Origin, tmp_path: Path) -> None:
    cut = Cut()
    origin.plans[LARGE] += [cut, *[answering(503)] * 4]
    with pytest.raises(DataError, match=r"the server answered 503, 5 times\); run the command again to go on") as caught:
        fetch(tmp_path, base_url=origin.url, progress=cut.watch, backoff=0)
    assert "\n" not in str(caught.value)
    finished = set(msgspec.json.decode((tmp_path / "MANIFEST.json").read_bytes())["files"])
    assert finished
    assert LARGE not in finished
    report = fetch(tmp_path, base_url=origin.url)
    assert report.kept == len(finished)
    assert all(len(origin.ranges[name]) == 1 for name in finished)
    assert origin.ranges[LARGE][-1] not in (None, "bytes=0-")
    assert written(tmp_path).keys() == {*origin.files, "MANIFEST.json"}
    assert written(tmp_path)[LARGE] == origin.files[LARGE]


def test_a_part_that_was_whole_already_is_only_renamed(origin: Origin, tmp_path: Path) -> None:
    fetch(tmp_path, base_url=origin.url)
    (tmp_path / "MANIFEST.json").unlink()
    (tmp_path / LARGE).rename(Part.of(tmp_path / LARGE, f"{origin.url}/{LARGE}").path)
    fetch(tmp_path, base_url=origin.url)
    assert origin.ranges[LARGE] == [None, f"bytes={len(origin.files[LARGE])}-"]
    assert written(tmp_path)[LARGE] == origin.files[LARGE]


def test_a_part_longer_than_the_file_is_dropped(origin: Origin, tmp_path: Path) -> None:
    part = Part.of(tmp_path / LARGE, f"{origin.url}/{LARGE}").path
    part.parent.mkdir()
    part.write_bytes(b"x" * (len(origin.files[LARGE]) + 9))
    fetch(tmp_path, base_url=origin.url, backoff=0)
    assert written(tmp_path)[LARGE] == origin.files[LARGE]


def test_an_answer_that_begins_elsewhere_is_not_appended(origin: Origin, tmp_path: Path) -> None:
    cut = Cut()
    elsewhere = answering(206, b"junk", Content_Range="bytes 7-10/1000002")
    origin.plans[LARGE] += [cut, elsewhere]
    fetch(tmp_path, base_url=origin.url, progress=cut.watch, backoff=0)
    assert written(tmp_path)[LARGE] == origin.files[LARGE]


def test_a_busy_server_is_asked_again_when_it_says(origin: Origin, tmp_path: Path) -> None:
    # With an hour of back-off of our own, only the server's wish makes this test end.
    busy = answering(429, Retry_After="0")
    origin.plans["README.md"] += [busy, answering(503, Retry_After="0")]
    fetch(tmp_path, base_url=origin.url, backoff=3600)
    assert len(origin.ranges["README.md"]) == 3


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_faults_that_pass_are_waited_out(origin: Origin, tmp_path: Path, status: int) -> None:
    origin.plans["dev/schema.json"] += [answering(status)] * 4
    fetch(tmp_path, base_url=origin.url, backoff=0)
    assert written(tmp_path)["dev/schema.json"] == b"[]\n"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_final_refusal_is_not_repeated(origin: Origin, tmp_path: Path, status: int) -> None:
    origin.plans["dev/schema.json"].append(answering(status))
    with pytest.raises(DataError, match=rf"/dev/schema\.json answered {status} .*; check the address, or take a local copy"):
        fetch(tmp_path, base_url=origin.url)
    assert origin.ranges["dev/schema.json"] == [None]


def test_a_page_of_a_gateway_is_not_taken_for_dialogues(origin: Origin, tmp_path: Path) -> None:
    origin.plans["dev/schema.json"].append(answering(200, b"<html>Please log in</html>"))
    with pytest.raises(DataError, match=r"dev/schema\.json is no JSON list, it begins b'<html>"):
        fetch(tmp_path, base_url=origin.url)
    assert not (tmp_path / "dev/schema.json").exists()
    assert not Manifest.read(tmp_path).holds("dev/schema.json")


def test_nobody_listening_is_one_clear_line(origin: Origin, tmp_path: Path) -> None:
    origin.stop()
    with pytest.raises(DataError, match="could not be fetched") as caught:
        fetch(tmp_path, base_url=origin.url, backoff=0)
    assert "\n" not in str(caught.value)


def test_progress_counts_to_the_end(origin: Origin, tmp_path: Path) -> None:
    told: list[Progress] = []
    fetch(tmp_path, base_url=origin.url, progress=told.append)
    total = len(origin.files)
    assert told[0] == Progress("", 0, total, 0)
    assert (told[-1].files_done, told[-1].files_total) == (total, total)
    assert told[-1].bytes_done == sum(map(len, origin.files.values()))
    assert [step.files_done for step in told] == sorted(step.files_done for step in told)


def test_an_archive_is_fetched_from_its_address(origin: Origin, tmp_path: Path, sample: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(sample, "repo-commit")
    origin.files["archive/sgd.tar.gz"] = packed.getvalue()
    origin.plans["archive/sgd.tar.gz"].append(answering(503))
    url = f"{origin.url}/archive/sgd.tar.gz"
    report = fetch(tmp_path, url, backoff=0)
    found = written(tmp_path)
    manifest = msgspec.json.decode(found.pop("MANIFEST.json"))
    assert found == written(sample)
    assert manifest["source"] == report.source == url


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 1}', b"[]", b"\xff"])
def test_a_broken_manifest_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "MANIFEST.json").write_bytes(content)
    with pytest.raises(FileRefused, match=r"MANIFEST\.json' cannot be read .*: delete it"):
        fetch(tmp_path, base_url="http://127.0.0.1:9")


def test_a_manifest_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.json").write_bytes(b'{"version": 2, "source": "", "files": {}}')
    with pytest.raises(FileRefused, match="has version 2, this program knows 1: upgrade"):
        fetch(tmp_path, base_url="http://127.0.0.1:9")
