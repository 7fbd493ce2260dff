"""Actions that agents write as JSON in their text.

A structured action is a tool call: a name and arguments that a pydantic model has checked. What is particular is how it comes
to us, as JSON somewhere in an agent's words, so this room reads, checks and names. It does nothing itself, which is the part of
`agent_gym.tools.Workspace`, and evaluates nothing. Pydantic is loaded with this room and not before.

    action = ActionFactory.create_file("api_config.json", '{"retries": 3}')
    find_actions(f"Sure.\\n```json\\n{action.to_json()}\\n```") == [action]
"""

from agent_gym.actions.action import ActionFactory, StructuredAction
from agent_gym.actions.find import BrokenAction, find_actions, spoken
from agent_gym.actions.parameters import ActionType
from agent_gym.actions.registry import ACTIONS, ActionKind, ActionRegistry, register_action, specs

__all__ = [
    "ACTIONS",
    "ActionFactory",
    "ActionKind",
    "ActionRegistry",
    "ActionType",
    "BrokenAction",
    "StructuredAction",
    "find_actions",
    "register_action",
    "specs",
    "spoken",
]
