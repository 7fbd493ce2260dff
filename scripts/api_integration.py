"""Four turns of work in a workspace: a config is created, an API called, a file edited, the task completed.

    python scripts/api_integration.py --model offline
    python scripts/api_integration.py --model openai/gpt-5-mini --output trajectory.jsonl

The payments API is a small server that this script starts on 127.0.0.1; it is the only host the agent may call. The embedded
model cannot write files, so with `--model offline` the agent is a script that was written for this task, and is called so; any
other model is told how actions are written, and does what it can.
"""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, cast

import typer

from agent_gym.actions import ActionFactory
from agent_gym.agents import ProductionReadyAgent
from agent_gym.agents.production_ready import ChatMessage
from agent_gym.cli.terminal import ApiBase, console, mistakes_in_one_line
from agent_gym.cli.trajectory import print_trajectory
from agent_gym.environment import MultiTurnEnvironment
from agent_gym.environment.trajectories.trajectory import Trajectory
from agent_gym.lm import Handle, Request, make_lm, run_sync
from agent_gym.lm import Turn as ChatTurn
from agent_gym.lm.base import Role
from agent_gym.lm.model import base_of
from agent_gym.messages import User
from agent_gym.metrics import LLMJudge
from agent_gym.tools import Workspace
from agent_gym.traces import write_traces

GOAL = "Integrate the payments API: configure it, see that it answers, and make client.py use it."
CLIENT = (
    'BASE_URL = "https://old-payments.example"\n\n\ndef charge_url(customer):\n    return f"{BASE_URL}/charge/{customer}"\n'
)


def asked(base: str) -> tuple[str, ...]:
    """What the user says, turn by turn."""
    return (
        f"Please create api_config.json for our payments API: base_url {base}/v1, retries 3.",
        f"Good. Does it answer? Please call GET {base}/v1/status and tell me its version.",
        f"Fine, go ahead: in client.py, replace https://old-payments.example by {base}/v1.",
        "That is all, please complete the task.",
    )


class ScriptedIntegration(ProductionReadyAgent):
    """Not a model: its four answers are written down here."""

    def __init__(self, base: str) -> None:
        config = json.dumps({"base_url": f"{base}/v1", "retries": 3})
        edit = ActionFactory.edit_file("client.py", "https://old-payments.example", f"{base}/v1")
        self._answers = iter(
            (
                f"Sure, here it is.\n```json\n{ActionFactory.create_file('api_config.json', config).to_json()}\n```",
                f"I ask it for its status. {ActionFactory.api_call('GET', f'{base}/v1/status').to_json()}",
                f"It answers, and is version 2.1. Now the client:\n{edit.to_json()}",
                f"Done. {ActionFactory.complete_task('The payments API is configured and client.py uses it.').to_json()}",
            )
        )

    async def generate_response(self, messages: list[ChatMessage]) -> str:
        """The next of them."""
        return next(self._answers)


class ModelIntegration(ProductionReadyAgent):
    """A model that is told how actions are written."""

    def __init__(self, model: Handle) -> None:
        self._model = model

    async def generate_response(self, messages: list[ChatMessage]) -> str:
        """What the model writes."""
        turns = tuple(ChatTurn(cast(Role, one["role"]), one["content"]) for one in messages)
        return (await self._model.complete(Request(turns=turns))).text


@contextmanager
def payments_api() -> Generator[int]:
    """The API, on this machine; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/v1/status"
            body = json.dumps({"status": "ok", "version": "2.1"} if found else {"error": "no such path"}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


async def integrate(agent: ProductionReadyAgent, judge: LLMJudge, port: int) -> Trajectory:
    """The four turns, and the judge's verdict."""

    def workspace(folder: Path) -> Workspace:
        # A private address is reached only because it is named.
        return Workspace(folder, private_hosts=[f"127.0.0.1:{port}"])

    with MultiTurnEnvironment(llm_judge=judge, workspace=workspace) as env:
        env.start_new_trajectory(GOAL, files={"client.py": CLIENT}, trajectory_id="api-integration")
        for words in asked(f"http://127.0.0.1:{port}"):
            answer = await agent.act((*env.messages, User(words)), env.tools)
            turn, is_complete = await env.process_turn(words, answer)
            done = ", ".join(call.name for call in turn.assistant.tool_calls) or "only words"
            typer.echo(f"turn {turn.number} of 4: {done}, reward {turn.reward:+.2f}", err=True)
            if is_complete:
                break
        return await env.finalize_trajectory()


def main(
    model: Annotated[
        str | None,
        typer.Option(
            help="Writes the actions, e.g. openai/gpt-5-mini; `offline` for a scripted agent.", envvar="AGENT_GYM_MODEL"
        ),
    ] = None,
    judge_model: Annotated[str | None, typer.Option(help="Judges; the agent's model when left out.")] = None,
    api_base: ApiBase = None,
    output: Annotated[
        Path | None, typer.Option(help="Where the trajectory goes, as JSON lines; nowhere when left out.")
    ] = None,
) -> None:
    """Integrate a payments API in four turns: create a config, call the API, edit the client, complete the task.

    Prints every turn with its actions, their results and rewards, then the judge's verdict.
    """
    with mistakes_in_one_line(again="what was answered is kept and will not be paid again"), payments_api() as port:
        offline = model == "offline"
        judge = LLMJudge(judge_model or model, api_base=base_of(judge_model or model, api_base, [model]))
        agent: ProductionReadyAgent = (
            ScriptedIntegration(f"http://127.0.0.1:{port}")
            if offline
            else ModelIntegration(make_lm(model, api_base=base_of(model, api_base, [judge_model or model])))
        )
        trajectory = run_sync(integrate(agent, judge, port))
        out = console()
        print_trajectory(out, trajectory.trace)
        row = trajectory.to_training_format()
        out.print(f"\nAs training data: {len(row['messages'])} messages, {len(row['tools'])} tools.")
        if offline:
            out.print(
                "The agent was a script, not a model. The offline judge holds calls against words; it cannot read files.",
                style="dim",
            )
        if output is not None:
            write_traces(output, [trajectory.trace])
            out.print(f"Written to {output}: agent-gym show {output}", markup=False)


if __name__ == "__main__":
    typer.run(main)
