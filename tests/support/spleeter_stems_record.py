"""Records what Spleeter 2.4.2 makes of a checkpoint. Run it with a Python that has spleeter==2.4.2.

Usage: python spleeter_stems_record.py FOLDER MIXTURE.wav

FOLDER has the checkpoint and config.json. The mixture and the stems go to FOLDER/spleeter_output.npz.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

if __name__ == "__main__":
    from spleeter.separator import Separator

    folder = Path(sys.argv[1]).absolute()
    mixture, _ = soundfile.read(sys.argv[2], dtype="float32")
    probe = folder / ".probe"
    probe.touch()  # what Spleeter looks for before it downloads a model
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "config.json"
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config.write_text(json.dumps({**content, "model_dir": str(folder)}), encoding="utf-8")
        stems = Separator(str(config), MWF=False, multiprocess=False).separate(mixture)
    probe.unlink()
    np.savez_compressed(folder / "spleeter_output.npz", mixture=mixture, **stems)
