"""Calls and answers in OpenAI's chat format as training wants it: the arguments of a call are an object.

On the wire they are a text; a chat template would write that text's quotes a second time, and a model would learn them.
"""

import json
from typing import Any

from agent_gym.messages import Tool, ToolCall


def chat_call(call: ToolCall, call_id: str) -> dict[str, Any]:
    """A call.

    Raises:
        ArgumentsError: when its arguments are no JSON object.
    """
    return {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": call.parsed()}}


def chat_result(result: Tool, call_id: str) -> dict[str, Any]:
    """What a tool answered, as text."""
    value: Any = result.result if result.error is None else {"error": result.error}
    content = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return {"role": "tool", "tool_call_id": call_id, "name": result.name, "content": content}
