import httpx
import pytest
from api_place import DATA, Place
from live_server import Server


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords():
    """A try that costs next to nothing, where what is tested is not its cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("heygem.passwords._COST", 16)
        yield


@pytest.fixture(scope="module", params=["open", "signed in"])
def server(request, tmp_path_factory):
    """The server as it is, and with users: what it refuses it has to refuse to those who are signed in as well."""
    auth = {"auth": "ann:s3cret"} if request.param == "signed in" else {}
    running = Server(tmp_path_factory.mktemp("server"), **auth)
    yield running
    running.close()


@pytest.fixture(scope="module")
def http(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        client.post("/login", data={"name": "ann", "password": "s3cret"})
        yield client


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path, input_dir=DATA, max_batch_clips=2, max_upload_mb=1)
    yield made
    made.queue.close()


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()
