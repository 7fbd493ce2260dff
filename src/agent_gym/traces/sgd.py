"""Schema-Guided Dialogue, read as traces.

One real turn (train, dialogue 1_00000; two of its actions):

    {"speaker": "SYSTEM", "utterance": "Your reservation has been made. Their phone number is 408-247-8880.",
     "frames": [{"service": "Restaurants_2",
                 "actions": [{"act": "INFORM", "slot": "phone_number", "values": ["408-247-8880"],
                              "canonical_values": ["408-247-8880"]}, {"act": "NOTIFY_SUCCESS", "slot": "", ...}],
                 "service_call": {"method": "ReserveRestaurant", "parameters": {"date": "2019-03-01", "time": "11:30", ...}},
                 "service_results": [{"phone_number": "408-247-8880", "restaurant_name": "Sino", ...}]}]}

Each dialogue is one trace (`sgd_dialogue.py`), each intent of each service one tool (`sgd_schema.py`). Copies of the data set
may be incomplete. The format: Rastogi et al., AAAI 2020.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from agent_gym.errors import DataError, UsageError
from agent_gym.messages import ToolSpec
from agent_gym.traces.dataset import DialogueHead, LoadReport
from agent_gym.traces.sgd_dialogue import Dialogue, DialogueReader, Fault, Head, Unreadable
from agent_gym.traces.sgd_schema import read_tools
from agent_gym.traces.trace import Trace

_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON of the wanted type; the last when it is nested without end."""
_DIALOGUES = msgspec.json.Decoder(list[Dialogue])
_DIALOGUE = msgspec.json.Decoder(Dialogue)
_HEADS = msgspec.json.Decoder(list[Head])


class SGDLoader:
    """Reads an SGD folder: `train`, `dev` and `test`, whichever are there, each with `schema.json` and `dialogues_*.json`.

    Args:
        path: the data set's folder.
        strict: raise at the first fault; with False it is skipped and counted in `report`.

    Raises:
        UsageError: when there is no such data set.
    """

    def __init__(self, path: str | Path, *, strict: bool = True) -> None:
        self.path = Path(path)
        self.strict = strict
        self.report = LoadReport[Fault]()
        self._tools: dict[str, dict[str, tuple[ToolSpec, ...]]] = {}
        if not self.splits():
            raise UsageError(
                f"no SGD data in {str(self.path)!r} (looked for train, dev and test, each with schema.json): "
                "get it with `agent-gym data fetch`, or try data/sample"
            )

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def splits(self) -> list[str]:
        """The splits that are there."""
        return [split for split in ("train", "dev", "test") if (self.path / split / "schema.json").is_file()]

    def files(self, split: str) -> list[Path]:
        """The dialogue files of a split, in order.

        Raises:
            UsageError: when the split is not there or holds no dialogues.
        """
        files = sorted((self.path / split).glob("dialogues_*.json"))
        if split not in self.splits() or not files:
            have = ", ".join(name for name in self.splits() if any((self.path / name).glob("dialogues_*.json")))
            raise UsageError(f"no split {split!r} in {str(self.path)!r}: it has {have or 'no dialogues'}")
        return files

    def tools(self, split: str) -> dict[str, tuple[ToolSpec, ...]]:
        """Service name to tools, from the split's schema."""
        if split not in self._tools:
            self._tools[split] = read_tools(self.path / split / "schema.json")
        return self._tools[split]

    def load(self, split: str) -> Iterator[Trace]:
        """The dialogues of a split as traces, one file in memory at a time.

        Raises:
            UsageError: when the split is not there.
            DataError: at the first fault when strict; names file, dialogue, turn and field.
        """
        files, tools = self.files(split), self.tools(split)
        for file in files:
            self.report.files += 1
            yield from self._counted(DialogueReader(split, file, tools), self._decode_file(file))

    def heads(self, split: str) -> list[DialogueHead]:
        """All dialogues of a split without their turns: what to choose examples from, at a quarter of the cost of `load`."""
        found: list[DialogueHead] = []
        for file in self.files(split):
            try:
                heads = list(enumerate(_HEADS.decode(file.read_bytes())))
            except (*_BROKEN, OSError):
                # The dialogues are read one by one: what is broken is named there, and the rest is used.
                heads = list(self._salvage(file))
            found += [DialogueHead(file, index, f"{split}/{head.dialogue_id}", tuple(head.services)) for index, head in heads]
        return found

    def read(self, split: str, heads: Sequence[DialogueHead]) -> list[Trace]:
        """The dialogues behind some heads, in the order of the heads; only these are converted.

        Raises:
            DataError: at the first fault when strict; a faulty dialogue is left out and counted otherwise.
        """
        tools = self.tools(split)
        wanted: dict[Path, list[DialogueHead]] = {}
        for head in heads:
            wanted.setdefault(head.file, []).append(head)
        traces: dict[DialogueHead, Trace] = {}
        for file, inside in wanted.items():
            reader = DialogueReader(split, file, tools)
            raw = msgspec.json.decode(file.read_bytes(), type=list[msgspec.Raw])
            for head in inside:
                dialogues = [dialogue for _, dialogue in self._decoded(file, [(head.index, raw[head.index])])]
                for trace in self._counted(reader, dialogues):
                    traces[head] = trace
        self.report.files += len(wanted)
        return [traces[head] for head in heads if head in traces]

    def everything(self) -> Iterator[Trace]:
        """Every readable dialogue of every split; neither they nor the others are counted in `report`."""
        quiet = SGDLoader(self.path, strict=False)
        for split in quiet.splits():
            if any((self.path / split).glob("dialogues_*.json")):
                yield from quiet.load(split)

    def _counted(self, reader: "DialogueReader", dialogues: Sequence[Dialogue]) -> Iterator[Trace]:
        report = self.report
        for dialogue in dialogues:
            try:
                trace = reader.trace(dialogue)
            except Unreadable as error:
                self._fault(error.fault)
                continue
            report.dialogues += 1
            report.turns += len(dialogue.turns)
            report.tool_calls += reader.calls
            report.services.update(dialogue.services)
            yield trace

    def _decode_file(self, file: Path) -> Sequence[Dialogue]:
        try:
            return _DIALOGUES.decode(file.read_bytes())
        except (*_BROKEN, OSError):
            return [dialogue for _, dialogue in self._salvage(file)]

    def _salvage(self, file: Path) -> Iterator[tuple[int, Dialogue]]:
        """The readable dialogues of a file that is broken somewhere."""
        try:
            raw = msgspec.json.decode(file.read_bytes(), type=list[msgspec.Raw])
        except (*_BROKEN, OSError) as error:
            self._fault(Fault(file.name, f"not a JSON list of dialogues: {error}"))
            return
        yield from self._decoded(file, enumerate(raw))

    def _decoded(self, file: Path, raw: Iterable[tuple[int, msgspec.Raw]]) -> Iterator[tuple[int, Dialogue]]:
        for index, text in raw:
            try:
                yield index, _DIALOGUE.decode(text)
            except _BROKEN as error:
                self._fault(_place(file, index, text, str(error)))

    def _fault(self, fault: Fault) -> None:
        if self.strict:
            raise DataError(f"{fault}; repair the file, or read on with strict=False")
        self.report.faults.append(fault)


def is_sgd(path: Path) -> bool:
    """Whether a folder is a data set in SGD's format."""
    return any((path / split / "schema.json").is_file() for split in ("train", "dev", "test"))


_PATH = re.compile(r"(.*?)(?: - at `\$(?:\.turns\[(\d+)\])?\.?(.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")


def _place(file: Path, index: int, text: msgspec.Raw, message: str) -> Fault:
    """Where msgspec's path points, in the words of the data set."""
    name = re.search(rb'"dialogue_id"\s*:\s*"([^"]*)"', bytes(text))
    dialogue = name[1].decode(errors="replace") if name else f"number {index}"
    found = _PATH.fullmatch(message)
    assert found is not None
    reason, turn, field = found.groups()
    if missing := _MISSING.fullmatch(reason):
        reason, field = "it is missing", ".".join(filter(None, (field, missing[1])))
    return Fault(file.name, reason, dialogue, int(turn) if turn else None, field or None)
