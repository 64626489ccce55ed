"""What is done before the first job, and what is not."""

import subprocess
import sys
from pathlib import Path

CLIP = Path(__file__).parents[1] / "data" / "presenter.mp4"


def test_headers_are_read_without_waiting_for_torch() -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from heygem.jobs.first_look import FirstLook\n"
        "from heygem.settings import Settings\n"
        "clip, speech = FirstLook(Settings(), None, None).headers(Path(sys.argv[1]), None)\n"
        "print(clip.width, clip.height, speech, 'torch' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", program, CLIP], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["854", "480", "None", "False"]
