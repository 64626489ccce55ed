"""A process that submits jobs and claims whatever waits, as fast as it can, beside others. Run by test_chaos.py.

    python queue_churn.py FOLDER COUNT TOTAL

Submits COUNT jobs, claims and ends jobs until TOTAL have ended, and prints the ids of those that it claimed.
"""

import sys
import time
from pathlib import Path

from heygem.jobs.job import Job, JobRequest, JobStatus
from heygem.jobs.job_folder import new_job_id
from heygem.jobs.store import STORE_NAME, JobStore


def main(folder, count, total):
    store = JobStore(folder / STORE_NAME)
    request = JobRequest(folder / "clip", folder / "speech")
    submitted, claimed = 0, []
    while True:
        if submitted < count:
            job = Job(new_job_id(), request, JobStatus.QUEUED, time.time())
            store.add([job], capacity=total)
            submitted += 1
        claim = store.claims.take()
        if claim is not None:
            claimed.append(claim.job.id)
            store.claims.finish(claim, JobStatus.DONE)
        elif submitted == count:
            states = store.states()
            if len(states) == total and all(state.is_final for state in states.values()):
                break
            time.sleep(0.01)
    sys.stdout.write("\n".join(claimed))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
