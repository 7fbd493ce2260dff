"""Is the wheel whole? Every file of src/agent_gym is in it, and it runs from another folder, alone.

    python scripts/check_wheel.py dist/agent_gym-0.1.0-py3-none-any.whl

A text file or a marker that stays behind is seen by nobody who works in the source tree.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "agent_gym"


def main(wheel: Path) -> str:
    """Check the wheel and say what was found.

    Raises:
        SystemExit: with the reason, when the wheel must not be published.
    """
    with ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    source = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if missing := sorted(source - packed):
        raise SystemExit(f"{wheel.name} lacks {', '.join(missing)}: see [tool.hatch.build] in pyproject.toml")
    if "agent_gym/py.typed" not in packed:
        raise SystemExit(f"{wheel.name} lacks agent_gym/py.typed: users would see no types")
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder]
        subprocess.run([*pip, str(wheel.resolve())], check=True)
        code = "import agent_gym, agent_gym.cli; print(agent_gym.__version__, agent_gym.__file__)"
        alone = {**os.environ, "PYTHONPATH": folder}
        ran = subprocess.run([sys.executable, "-c", code], cwd=folder, env=alone, check=True, capture_output=True, text=True)
        version, where = ran.stdout.split(maxsplit=1)
        if not where.startswith(folder):
            raise SystemExit(f"the check imported {where.strip()} instead of the wheel's own files in {folder}")
    return f"{wheel.name}: version {version}, {len(packed)} files, {wheel.stat().st_size // 1024} KiB"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} WHEEL")
    print(main(Path(sys.argv[1])))
