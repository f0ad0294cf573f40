"""What a cluster without the internet needs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from localcluster import binaries

from platformchart import bundle, images
from platformchart.errors import ChartError

pytestmark = pytest.mark.chart

POD = """
apiVersion: v1
kind: Pod
metadata: {name: {{ .Chart.Name }}}
spec:
  initContainers: [{name: first, image: "quay.io/org/first:1"}]
  containers:
    - name: only
      image: {{ .Values.image }}
      args: ["--sidecar-image=public.ecr.aws/org/sidecar:v2", "--verbose"]
"""


@pytest.fixture(scope="module")
def helm() -> Path:
    return binaries.ensure(["helm"], print)["helm"]


@pytest.fixture
def umbrella(tmp_path: Path) -> Path:
    """A little chart that depends on another."""
    about = {"apiVersion": "v2", "version": "0.1.0"}
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    repository = "https://charts.example.org"
    wanted = [{"name": "inner", "version": "0.1.0", "repository": repository}]
    for folder, more in ((inner, {}), (outer, {"dependencies": wanted})):
        (folder / "templates").mkdir(parents=True)
        (folder / "Chart.yaml").write_text(yaml.safe_dump({**about, "name": folder.name, **more}))
        (folder / "values.yaml").write_text(f"image: registry.example.org/{folder.name}:v1\n")
        (folder / "templates" / "pod.yaml").write_text(POD)
    return outer


def packed(helm: Path, umbrella: Path) -> None:
    inner = umbrella.parent / "inner"
    command: list[str | Path] = [
        helm,
        "package",
        str(inner),
        "--destination",
        str(umbrella / "charts"),
    ]
    subprocess.run(command, check=True, capture_output=True)


def made(helm: Path, umbrella: Path, **values: Any) -> Path:
    target, changes = umbrella.parent / "dist", umbrella.parent / "values.yaml"
    changes.write_text(yaml.safe_dump(values))
    bundle.make(helm, changes, "1.36.0", print, umbrella, target)
    return target


def test_a_bundle_is_the_chart_with_all_in_it_and_its_images(helm: Path, umbrella: Path) -> None:
    packed(helm, umbrella)
    target = made(helm, umbrella)
    assert {path.name for path in target.iterdir()} == {"outer-0.1.0.tgz", "images.txt"}
    assert (target / "images.txt").read_text().splitlines() == [
        "public.ecr.aws/org/sidecar:v2",
        "quay.io/org/first:1",
        "registry.example.org/inner:v1",
        "registry.example.org/outer:v1",
    ]
    listed = subprocess.run(
        ["tar", "--list", "--file", str(target / "outer-0.1.0.tgz")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "outer/charts/inner" in listed.stdout


def test_the_values_of_a_cluster_say_which_images(helm: Path, umbrella: Path) -> None:
    packed(helm, umbrella)
    target = made(helm, umbrella, image="mine.example.org/outer:v9")
    assert "mine.example.org/outer:v9\n" in (target / "images.txt").read_text()


def test_without_the_charts_there_is_no_bundle(helm: Path, umbrella: Path) -> None:
    """Half a list of images would be found out on a cluster that cannot fetch the rest."""
    with pytest.raises(ChartError, match=r"images would be missing: .*; run `make bundle` where"):
        made(helm, umbrella)
    assert not (umbrella.parent / "dist").exists()


def test_values_that_are_wrong_are_reported_in_helms_words(helm: Path, umbrella: Path) -> None:
    packed(helm, umbrella)
    (umbrella / "values.schema.json").write_text('{"properties": {"image": {"type": "string"}}}')
    with pytest.raises(ChartError, match=r"helm template: [^;]*image[^;]*; "):
        made(helm, umbrella, image=1)


def test_no_objects_have_no_images() -> None:
    assert images.of([]) == []


def test_images_are_found_in_custom_objects_and_variables() -> None:
    """But nothing that only looks like one: a URL, a name without a tag."""
    variables = [
        {"name": "RELATED_IMAGE", "value": "ghcr.io/org/agent@sha256:" + "0" * 64},
        {"name": "URL", "value": "https://example.org/a:b"},
        {"name": "GROUP", "value": "networking.k8s.io/v1"},
    ]
    objects = [
        {"kind": "Own", "spec": {"image": "custom:1"}},
        {"kind": "Pod", "spec": {"containers": [{"image": "custom:1", "env": variables}]}},
    ]
    assert images.of(objects) == ["custom:1", "ghcr.io/org/agent@sha256:" + "0" * 64]
