"""The modules that mutation tests cover, each with the tests that should notice its faults."""

from __future__ import annotations

_BATCH = ["tests/plugin/batch/test_manifest.py", "tests/plugin/batch/test_hostile_folders.py"]
_LIB = "tests/plugin/lib"

TARGETS: dict[str, list[str]] = {
    "plugin/stemdock/dsp/segments.py": ["tests/plugin/dsp/test_segments.py"],
    "plugin/stemdock/files/staging.py": [
        "tests/plugin/files/test_staging.py",
        "tests/plugin/batch/test_hostile_folders.py",
    ],
    "plugin/stemdock/lib/locking.py": [
        "tests/plugin/lib/test_locking.py",
        "tests/plugin/lib/test_private_folders.py",
    ],
    "plugin/stemdock/lib/atomic.py": [
        "tests/plugin/lib/test_atomic.py",
        "tests/plugin/lib/test_private_folders.py",
        "tests/plugin/lib/test_power_cuts.py",
    ],
    "plugin/stemdock/lib/durable.py": [
        "tests/plugin/lib/test_durable.py",
        "tests/plugin/lib/test_power_cuts.py",
    ],
    "plugin/stemdock/batch/manifest.py": _BATCH,
    "plugin/stemdock/batch/manifest_files.py": _BATCH,
    "plugin/stemdock/inference/protobuf.py": [
        "tests/plugin/inference/test_protobuf.py",
        "tests/plugin/inference/test_vetting.py",
    ],
    "plugin/stemdock/inference/splitting.py": ["tests/plugin/inference/test_splitting.py"],
    "plugin/stemdock/inference/vetting.py": ["tests/plugin/inference/test_vetting.py"],
    "models/stemdock_models/store.py": ["tests/models/test_store_folder.py", "tests/models/test_store.py"],
    "models/stemdock_models/archive.py": ["tests/models/test_archive.py"],
}
