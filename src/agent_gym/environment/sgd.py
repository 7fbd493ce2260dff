"""Schema-Guided Dialogue as an environment."""

from pathlib import Path

from agent_gym.environment.recorded import RecordedEnvironment
from agent_gym.traces import DataSet, SGDLoader


class SGDEnvironment(RecordedEnvironment):
    """`RecordedEnvironment` of an SGD folder: a path is read as that and as nothing else."""

    @staticmethod
    def opened(path: str | Path) -> DataSet:
        """The SGD folder at a path."""
        return SGDLoader(path)
