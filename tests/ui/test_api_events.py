"""What scripts hear of a job while it runs."""

import asyncio
import json
from types import SimpleNamespace

from heygem.jobs.job import JobProgress
from heygem.pipeline.progress import Stage
from heygem.ui.api_events import job_events


class Listener:
    """Hears events until it has heard `enough`."""

    def __init__(self, enough=1000):
        self.enough = enough
        self.heard = []

    async def is_disconnected(self):
        return len(self.heard) >= self.enough

    async def listen(self, queue, job_id):
        async for event in job_events(queue, job_id, self, look_s=0):
            kind, _, data = event.partition("\ndata: ")
            self.heard.append((kind.removeprefix("event: "), json.loads(data or "{}")))
            await self.after(len(self.heard))

    async def after(self, count):
        pass


def test_events_are_told_when_something_changed_and_end_with_the_job(place, monkeypatch):
    job = place.queued()
    states = iter([(0, 10), (0, 10), (5, 10), (5, 10), None])
    listener = Listener()
    get = place.queue.get

    def look(job_id):
        state = next(states)
        if state is None:
            place.queue._workers._running.clear()
            place.queue.store.cancel(job_id)
        else:
            progress = JobProgress(Stage.DRAWING, *state)
            place.queue._workers._running[job.id] = SimpleNamespace(job=job, progress=progress)
        return get(job_id)

    monkeypatch.setattr(place.queue, "get", look)
    asyncio.run(listener.listen(place.queue, job.id))
    assert [(kind, told["status"], (told["progress"] or {}).get("done")) for kind, told in listener.heard] == [
        ("progress", "queued", 0),
        ("progress", "queued", 5),
        ("end", "cancelled", None),
    ]


def test_nobody_listens_any_more(place):
    job = place.queued()
    listener = Listener(enough=1)
    asyncio.run(listener.listen(place.queue, job.id))
    assert len(listener.heard) == 1


def test_a_job_that_is_deleted_ends_its_events(place):
    job = place.queued()

    class Deleter(Listener):
        async def after(self, count):
            if count == 1:
                place.queue.delete(job.id)

    listener = Deleter()
    asyncio.run(listener.listen(place.queue, job.id))
    assert [kind for kind, _ in listener.heard] == ["progress", "gone"]
    assert listener.heard[-1][1]["code"] == "job_not_found"


def test_proxies_hear_that_a_silent_job_lives(place, monkeypatch):
    monkeypatch.setattr("heygem.ui.api_events._SIGN_OF_LIFE_S", 0)
    job = place.queued()
    listener = Listener(enough=3)
    asyncio.run(listener.listen(place.queue, job.id))
    assert [kind for kind, _ in listener.heard] == ["progress", ": waiting\n\n", ": waiting\n\n"]


def test_events_over_http(place):
    job = place.queued()
    place.queue.run_next()
    answer = place.http.get(f"/api/v1/jobs/{job.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith("event: end\ndata: {") and answer.text.endswith("}\n\n")
