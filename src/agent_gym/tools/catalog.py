"""What can be called: tool specs by name, checked and exported.

A catalog reads schemas, it runs nothing. `check` says what is wrong with a call without refusing it, because the data is real:
18 recorded calls of SGD's train split lack a required argument.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agent_gym.errors import ArgumentsError, DataError
from agent_gym.messages import ToolCall, ToolSpec
from agent_gym.traces import SGDLoader, Trace
from agent_gym.values import canonical

if TYPE_CHECKING:
    import dspy

_PYTHON_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
}


class ToolCatalog(Mapping[str, ToolSpec]):
    """Tool specs by name, in the order given.

    Raises:
        DataError: when two different tools share a name.
    """

    def __init__(self, tools: Iterable[ToolSpec] = ()) -> None:
        self._tools: dict[str, ToolSpec] = {}
        for tool in tools:
            if self._tools.setdefault(tool.name, tool) != tool:
                raise DataError(f"two different tools are called {tool.name!r}: rename one of them")

    @classmethod
    def from_sgd(cls, data: SGDLoader | str | Path) -> "ToolCatalog":
        """All tools of an SGD data set, over the splits that are there."""
        loader = data if isinstance(data, SGDLoader) else SGDLoader(data)
        return cls(tool for split in loader.splits() for tools in loader.tools(split).values() for tool in tools)

    @classmethod
    def from_traces(cls, traces: Iterable[Trace]) -> "ToolCatalog":
        """All tools that some traces carry."""
        return cls(tool for trace in traces for tool in trace.tools)

    def __getitem__(self, name: str) -> ToolSpec:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def check(self, call: ToolCall) -> list[str]:
        """What is wrong with a call, one sentence a fault; empty when nothing is."""
        spec = self._tools.get(call.name)
        if spec is None:
            return [f"there is no tool {call.name!r}; there are: {', '.join(self._tools) or 'none'}"]
        try:
            return check_arguments(spec, call.parsed())
        except ArgumentsError as error:
            return [str(error)]

    def openai_tools(self) -> list[dict[str, Any]]:
        """The catalog as the `tools` of an OpenAI chat request; `parameters` are JSON schemas."""
        return [
            {
                "type": "function",
                "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters},
            }
            for spec in self._tools.values()
        ]

    def dspy_tools(self) -> "list[dspy.Tool]":
        """The catalog as `dspy.Tool`s that name a call and do not run it.

        DSPy takes an argument as required when it has no "default" and ignores JSON schema's own `required`, so every optional
        argument is given one.
        """
        return [_dspy_tool(spec) for spec in self._tools.values()]


def check_arguments(spec: ToolSpec, arguments: Mapping[str, Any]) -> list[str]:
    """What is wrong with the arguments of a call to `spec`, one sentence a fault: missing, unknown, outside the enum."""
    shapes = shapes_of(spec)
    faults = [f"{spec.name}: argument {name!r} is missing" for name in _required(spec) if name not in arguments]
    for name, value in arguments.items():
        if name not in shapes:
            if spec.parameters.get("additionalProperties", True) is False:
                faults.append(f"{spec.name}: there is no argument {name!r}; there are: {', '.join(shapes)}")
            continue
        choices = cast(list[Any] | None, shapes[name].get("enum"))
        if choices is not None and canonical(value) not in map(canonical, choices):
            faults.append(f"{spec.name}: {name!r} is {value!r}, not one of {', '.join(map(str, choices))}")
    return faults


def shapes_of(spec: ToolSpec) -> Mapping[str, Mapping[str, Any]]:
    """Argument name to its JSON schema; JSON Schema's `true`, which allows anything, is an empty one."""
    properties = cast(Mapping[str, Any], spec.parameters.get("properties") or {})
    return {name: cast(Any, shape) if isinstance(shape, dict) else {} for name, shape in properties.items()}


def _required(spec: ToolSpec) -> Sequence[str]:
    return cast(Sequence[str], spec.parameters.get("required") or ())


def _dspy_tool(spec: ToolSpec) -> "dspy.Tool":
    import dspy

    required, shapes = _required(spec), shapes_of(spec)

    def unrun(**arguments: Any) -> Any:
        raise TypeError(f"{spec.name} is a schema: hand its calls to a tool backend such as ToolMocker, got {arguments!r}")

    return dspy.Tool(
        unrun,
        name=spec.name,
        desc=spec.description,
        args={name: dict(shape) if name in required else {"default": None, **shape} for name, shape in shapes.items()},
        arg_types={name: _python_type(shape) for name, shape in shapes.items()},
    )


def _python_type(shape: Mapping[str, Any]) -> type:
    kinds: Any = shape.get("type")
    # ["string", "null"] is how some schemas say that an argument may be left empty.
    named = [kind for kind in cast(list[Any], kinds) if kind != "null"] if isinstance(kinds, list) else [kinds]
    return _PYTHON_TYPES.get(named[0], object) if len(named) == 1 else object
