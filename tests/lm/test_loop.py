"""The doorway: threads in, one loop inside, and a way out for Ctrl-C."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path

import pytest

from agent_gym.lm import loop, make_handle, make_lm, run_sync
from lm_models import Echo, ask
from servers import ModelServer

colour: ContextVar[str] = ContextVar("colour", default="none")


@pytest.fixture
def fresh_loop() -> Iterator[None]:
    loop.close()
    yield
    loop.close()


async def where() -> threading.Thread:
    return threading.current_thread()


def test_everything_runs_on_one_thread_whoever_asks() -> None:
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(lambda: run_sync(where())) for _ in range(40)]
        threads = {*(thread.result() for thread in waiting), run_sync(where()), asyncio.run(loop.hop(where()))}
    assert {thread.name for thread in threads} == {"agent-gym-loop"}
    assert len(threads) == 1


def test_an_error_is_the_callers() -> None:
    async def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_sync(fail())


def test_the_callers_context_comes_along() -> None:
    async def look() -> str:
        return colour.get()

    token = colour.set("blue")
    try:
        assert run_sync(look()) == "blue"
    finally:
        colour.reset(token)


def test_waiting_for_oneself_is_refused() -> None:
    async def outer() -> None:
        run_sync(where())

    with pytest.raises(RuntimeError, match="await the coroutine there instead"):
        run_sync(outer())


def test_a_coroutine_that_is_cancelled_inside_says_so() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CancelledError):
        run_sync(give_up())


def test_giving_up_on_another_loop_cancels_the_work_here() -> None:
    started, ended = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def outer() -> None:
        task = asyncio.ensure_future(loop.hop(work()))
        await asyncio.to_thread(started.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(ended.wait)

    asyncio.run(outer())


def test_an_exit_in_a_coroutine_does_not_end_the_loop_for_others() -> None:
    async def leave() -> None:
        sys.exit(3)

    with pytest.raises(SystemExit):
        run_sync(leave())
    assert run_sync(where()).is_alive()


@pytest.mark.usefixtures("fresh_loop")
def test_after_closing_another_loop_is_started() -> None:
    first = run_sync(where())
    loop.close()
    second = run_sync(where())
    assert (first.is_alive(), second.is_alive()) == (False, True)


@pytest.mark.usefixtures("fresh_loop")
def test_closing_cancels_what_still_runs() -> None:
    ended = threading.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def begin() -> asyncio.Task[None]:
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        return task

    task = run_sync(begin())
    loop.close()
    assert ended.is_set()
    assert task.cancelled()


def test_many_threads_have_their_requests_on_the_way_at_once() -> None:
    with ModelServer(crowd=8) as server, ThreadPoolExecutor(8) as pool:
        handle = make_lm("openai/any", api_base=server.openai, cache=None)
        answers = [*pool.map(handle.complete_sync, [ask(text) for text in "abcdefgh"])]
    assert [answer.text for answer in answers] == [f"answer to: {text}" for text in "abcdefgh"]


def test_a_handle_answers_on_any_loop_and_in_any_thread() -> None:
    handle = make_handle(Echo())
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(handle.complete(ask("a")))).result().text == "a"
    assert asyncio.run(handle.complete(ask("b"))).text == "b"
    assert run_sync(handle.complete(ask("c"))).text == "c"


INTERRUPTED = """
import asyncio, sys, threading
from agent_gym.lm import run_sync

async def work():
    print("working", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("cleaned up", flush=True)

try:
    run_sync(work())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_cancels_the_work_and_is_raised_again() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as ran:
        assert ran.stdout is not None
        assert ran.stdout.readline() == "working\n"
        ran.send_signal(signal.SIGINT)
        out, err = ran.communicate()
    assert (out, err, ran.returncode) == ("cleaned up\ninterrupted\n", "", 0)


ENDING = """
import os, sys
from agent_gym.lm import Request, Turn, make_lm

handle = make_lm("openai/any", api_base=sys.argv[1], cache=None)
request = Request(turns=(Turn("user", "Hello"),))
handle.complete_sync(request)
if sys.argv[2] == "fork":
    child = os.fork()
    if child == 0:
        os._exit(0 if handle.complete_sync(request).text else 1)
    assert os.waitpid(child, 0)[1] == 0
handle.complete_sync(request)
"""


@pytest.mark.parametrize(
    "way", ["plain", pytest.param("fork", marks=pytest.mark.skipif(sys.platform == "win32", reason="no fork"))]
)
def test_a_program_ends_without_a_word(way: str, tmp_path: Path) -> None:
    with ModelServer() as server:
        command = [sys.executable, "-X", "dev", "-W", "error", "-c", ENDING, server.openai, way]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("", "", 0)
