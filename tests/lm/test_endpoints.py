"""Nothing but the model's own endpoint is contacted: every connection and look-up of a whole program is written down."""

import json
import subprocess
import sys

import pytest

from servers import ModelServer

PROGRAM = """
import json, sys

contacted = []

def note(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        contacted.append(list(args[1][:2]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        contacted.append([args[0], args[1]])

sys.addaudithook(note)

import dspy
from agent_gym.lm import Request, Turn, make_lm
from agent_gym.lm.dspy_lm import GymLM
from agent_gym.lm.prices import price

handle = make_lm(sys.argv[1], api_base=sys.argv[2])
handle.complete_sync(Request(turns=(Turn("user", "Hello"),)))
dspy.configure(lm=GymLM(handle), adapter=dspy.ChatAdapter())
dspy.Predict("question -> answer")(question="What?")
price("gemini/gemini-3-pro-preview", 10, 10), price("nobody/nothing", 10, 10)
make_lm("offline").complete_sync(Request(turns=(Turn("user", "Hello"),)))
print(json.dumps([contacted, handle.meter.snapshot()["agent"].requests]))
"""


@pytest.mark.parametrize("name", ["openai/gpt-5-mini", "gemini/gemini-3-pro-preview", "groq/llama-3.3-70b-versatile"])
def test_only_the_models_endpoint_is_contacted(name: str) -> None:
    with ModelServer(reply=lambda asked: "[[ ## answer ## ]]\nThat.\n\n[[ ## completed ## ]]") as server:
        base = server.gemini if name.startswith("gemini") else server.openai
        ran = subprocess.run([sys.executable, "-c", PROGRAM, name, base], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    contacted, requests = json.loads(ran.stdout)
    assert requests == 2
    assert {(host, port) for host, port in contacted} == {("127.0.0.1", server.port)}
