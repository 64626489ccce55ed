"""The examples in deploy/ agree with the settings and with the server."""

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from app import EXIT_BAD_START, EXIT_PROCESS_LOST
from heygem.settings import PROJECT_DIR, Settings

DEPLOY = PROJECT_DIR / "deploy"
UNIT = (DEPLOY / "heygem.service").read_text(encoding="utf-8")
DEFAULTS = Settings()


def unit_values(key):
    return re.findall(rf"^{key}=(.*)$", UNIT, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def kubernetes():
    """Every object of the example, by kind."""
    text = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    return {item["kind"]: item for item in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def container(kubernetes):
    [container] = kubernetes["Deployment"]["spec"]["template"]["spec"]["containers"]
    return container


def check_environment(environment):
    """It is accepted as it is, and leads nowhere that the process may not write."""
    settings = Settings.from_env(environment)
    for folder in ("models_dir", "outputs_dir", "cache_dir"):
        assert f"HEYGEM_{folder.upper()}" in environment
    assert settings.cache_dir.is_relative_to(settings.outputs_dir)  # one disk: uploads are linked, not copied
    return settings


def test_the_units_environment_is_of_our_settings_and_inside_what_it_may_write():
    settings = check_environment(dict(value.split("=", 1) for value in unit_values("Environment")))
    assert unit_values("StateDirectory") == ["heygem"] and unit_values("LogsDirectory") == ["heygem"]
    for path in (settings.models_dir, settings.outputs_dir, settings.cache_dir):
        assert path.is_relative_to("/var/lib/heygem")
    assert settings.log_file.is_relative_to("/var/log/heygem")


def test_the_unit_starts_our_server_and_knows_its_exit_statuses():
    [start], [folder] = unit_values("ExecStart"), unit_values("WorkingDirectory")
    assert start == f"{folder}/.venv/bin/python {folder}/app.py"
    assert unit_values("RestartForceExitStatus") == [str(EXIT_PROCESS_LOST)]
    assert unit_values("RestartPreventExitStatus") == [str(EXIT_BAD_START)]
    assert int(unit_values("TimeoutStopSec")[0]) > DEFAULTS.stop_grace_s + 5
    assert unit_values("KillMode") == ["mixed"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path):
    # Its user and program are not on this machine, which would be all that it says.
    here = UNIT.replace("/opt/heygem/.venv/bin/python", "/bin/true").replace("User=heygem", "User=root")
    (tmp_path / "heygem.service").write_text(here)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "heygem.service"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_containers_environment_is_of_our_settings_and_on_its_disk(kubernetes, container):
    settings = check_environment({item["name"]: item["value"] for item in container["env"]})
    mounts = {mount["name"]: Path(mount["mountPath"]) for mount in container["volumeMounts"]}
    for path in (settings.models_dir, settings.outputs_dir, settings.cache_dir, settings.log_file):
        assert path.is_relative_to(mounts["data"])
    volumes = {volume["name"]: volume for volume in kubernetes["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert set(mounts) == set(volumes)
    claim = volumes["data"]["persistentVolumeClaim"]["claimName"]
    assert claim == kubernetes["PersistentVolumeClaim"]["metadata"]["name"]
    assert container["ports"][0]["containerPort"] == settings.port == DEFAULTS.port
    assert settings.host == "0.0.0.0" and settings.allow_public


def test_compiled_functions_have_a_place_although_the_container_is_read_only(container):
    assert container["securityContext"]["readOnlyRootFilesystem"]
    home = next(item["value"] for item in container["env"] if item["name"] == "HOME")
    assert home in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_probes_ask_what_the_server_answers(container):
    paths = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: probe["path"] for name, probe in paths.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {probe["port"] for probe in paths.values()} == {container["ports"][0]["name"]}


def test_one_pod_owns_the_queue_and_is_given_time_to_stop(kubernetes, container):
    spec = kubernetes["Deployment"]["spec"]
    assert spec["replicas"] == 1 and spec["strategy"]["type"] == "Recreate"
    wait_s = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > wait_s + DEFAULTS.stop_grace_s + 5


def test_the_service_finds_the_pod(kubernetes, container):
    service, labels = kubernetes["Service"]["spec"], kubernetes["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    assert kubernetes["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert service["ports"][0]["targetPort"] == container["ports"][0]["name"]


def test_comments_name_settings_that_exist():
    text = UNIT + (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"HEYGEM_[A-Z0-9_]+", text)) <= {f"HEYGEM_{field.name.upper()}" for field in fields(Settings)}
