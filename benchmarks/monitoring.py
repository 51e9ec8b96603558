"""What the rules of N models cost a real Prometheus, against Sloth's rules for the same objectives in the same run.

Both evaluate the same scraped series. Ours are all rules of a model; Sloth's are those of its two objectives, so the
time per rule is the fair comparison. The windows of days contain only minutes here: their full cost is not included.
"""

import subprocess
import time
import urllib.request
from pathlib import Path

import yaml

from benchmarks.peers import sloth
from components.files.sources import Sources
from components.files.yaml_text import dump
from components.kubernetes.staged_model import StagedModel
from components.monitoring.model_rules import rule_groups
from components.settings.stack import StackSettings
from components.stack import load_stack
from sandbox.harness.clone import Clone, copy_project, one_model
from sandbox.harness.loopback import LoopbackServer, QuietHandler
from sandbox.harness.prometheus import Prometheus, prometheus

SIZES = (1, 10, 100)
PODS = 2
# Long enough for each group of rules to be evaluated; the slowest has an interval of two minutes.
SECONDS = 150
# Every objective and every kind of quality gauge that the generic runtime supports.
_MODEL = """\
owner: team-a
image: registry.example.com/team/model
runtime: generic
resources:
  requests: {cpu: "1", memory: 2Gi, nvidia.com/gpu: "1"}
  limits: {cpu: "2", memory: 4Gi, nvidia.com/gpu: "1"}
rollout: {maxSurge: 1}
slo:
  availability: "99.9"
  latency: {objective: "99", threshold: 0.5s}
quality:
  distance: {metric: drift_distance, kind: drift, threshold: "0.2", direction: above}
  valid: {metric: valid_share, labels: {job: quality}, kind: dataQuality, threshold: "0.95", direction: below}
  age: {metric: trained_at_seconds, kind: staleness, threshold: "86400"}
"""
_EDGES = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf")


def measure(folder: Path) -> list[dict[str, object]]:
    """Rules, seconds of evaluating all of them once, and series, of ours and Sloth's for each size."""
    plain = Clone(copy_project(folder / "sandbox"))
    plain.python("sandbox", "tools", "--all")
    binaries = plain.path / ".sandbox" / "bin"
    rows: list[dict[str, object]] = []
    for size in SIZES:
        names = [f"m{number:03}" for number in range(size)]
        ours = _ours(folder / f"ours-{size}", names)
        peer = _sloths(folder / f"sloth-{size}", names)
        with _exporter(names) as exporter:
            target = exporter.address.removeprefix("http://")
            none = _run(binaries, folder / f"none-{size}", {}, target)
            a = _run(binaries, folder / f"a-{size}", ours, target)
            b = _run(binaries, folder / f"b-{size}", peer, target)
        rows.append(
            {
                "models": size,
                "scraped_series": none["series"],
                "rules": a["rules"],
                "sloth_rules": b["rules"],
                "seconds": round(a["seconds"], 4),
                "sloth_seconds": round(b["seconds"], 4),
                "time_ratio_per_rule": round(a["seconds"] / a["rules"] / (b["seconds"] / b["rules"]), 2),
                "series": a["series"] - none["series"],
                "sloth_series": b["series"] - none["series"],
            }
        )
    return rows


def _ours(folder: Path, names: list[str]) -> dict[str, str]:
    stack = load_stack(Sources.of(one_model(folder, _MODEL, replicas=PODS)), "test").settings
    return {f"{name}.yaml": _groups(stack, name) for name in names}


def _groups(stack: StackSettings, name: str) -> str:
    model = stack.models[0].model_copy(update={"name": name})
    return dump({"groups": rule_groups(StagedModel(model, stack))})


def _sloths(folder: Path, names: list[str]) -> dict[str, str]:
    folder.mkdir(parents=True)
    found = {}
    for name in names:
        selector = f'namespace="ml-test",app_kubernetes_io_name="{name}"'
        requests, duration = "model_requests_total", "model_request_duration_seconds"
        slos = [
            _slo("availability", 99.9, f'{requests}{{{selector},code=~"5.."}}', f"{requests}{{{selector}}}"),
            {
                **_slo("latency", 99, "", f"{duration}_count{{{selector}}}"),
                "sli": {
                    "events": {
                        "error_query": f"sum(rate({duration}_count{{{selector}}}[{{{{.window}}}}])) - "
                        f'sum(rate({duration}_bucket{{{selector},le="0.5"}}[{{{{.window}}}}]))',
                        "total_query": f"sum(rate({duration}_count{{{selector}}}[{{{{.window}}}}]))",
                    }
                },
            },
        ]
        spec, out = folder / f"{name}.spec.yaml", folder / f"{name}.yaml"
        spec.write_text(yaml.safe_dump({"version": "prometheus/v1", "service": name, "slos": slos}))
        subprocess.run(
            [sloth(), "generate", "-i", spec, "-o", out], check=True, capture_output=True, timeout=60
        )
        found[f"{name}.yaml"] = out.read_text()
    return found


def _slo(name: str, objective: float, errors: str, total: str) -> dict[str, object]:
    alert = {"disable": False, "labels": {}}
    return {
        "name": name,
        "objective": objective,
        "sli": {
            "events": {
                "error_query": f"sum(rate({errors}[{{{{.window}}}}]))",
                "total_query": f"sum(rate({total}[{{{{.window}}}}]))",
            }
        },
        "alerting": {"name": f"{name}Burn", "page_alert": alert, "ticket_alert": alert},
    }


def _run(binaries: Path, folder: Path, rules: dict[str, str], target: str) -> dict[str, float]:
    (folder / "rules").mkdir(parents=True)
    for name, text in rules.items():
        (folder / "rules" / name).write_text(text)
    scrape = {"job_name": "models", "honor_labels": True, "static_configs": [{"targets": [target]}]}
    config = {
        "global": {"scrape_interval": "15s", "evaluation_interval": "30s"},
        "rule_files": [str(folder / "rules" / "*.yaml")],
        "scrape_configs": [scrape],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    with prometheus(binaries / "prometheus", folder / "config.yaml", folder) as server:
        time.sleep(SECONDS)
        return _cost(server)


def _cost(server: Prometheus) -> dict[str, float]:
    groups = server.api("rules")["groups"]
    with urllib.request.urlopen(f"{server.address}/metrics", timeout=30) as response:
        lines = response.read().decode().splitlines()
    (series,) = [float(line.split()[1]) for line in lines if line.startswith("prometheus_tsdb_head_series ")]
    return {
        "rules": sum(len(group["rules"]) for group in groups),
        "seconds": sum(group["evaluationTime"] for group in groups),
        "series": series,
    }


def _exporter(names: list[str]) -> LoopbackServer:
    """A server that exposes the metrics of so many models with two replicas each, with counters that grow."""
    started = time.monotonic()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.answer("".join(_shown(name, time.monotonic() - started) for name in names).encode())

    return LoopbackServer(Handler)


def _shown(name: str, seconds: float) -> str:
    lines = []
    for pod in range(PODS):
        labels = {
            "namespace": "ml-test",
            "pod": f"{name}-5d9c7b8f6-abcd{pod}",
            "app_kubernetes_io_name": name,
            "app_kubernetes_io_version": "v1",
        }
        values: list[tuple[str, dict[str, str], float]] = [
            ("model_requests_total", {"code": "200"}, 100 * seconds),
            ("model_requests_total", {"code": "500"}, 0.01 * seconds),
        ]
        values += [("model_request_duration_seconds_bucket", {"le": edge}, 100 * seconds) for edge in _EDGES]
        values += [
            ("model_request_duration_seconds_count", {}, 100 * seconds),
            ("model_requests_in_flight", {}, 1),
            ("model_loaded", {}, 1),
            ("model_load_failures_total", {}, 0),
        ]
        for metric, own, value in values:
            text = ",".join(f'{key}="{item}"' for key, item in {**labels, **own}.items())
            lines.append(f"{metric}{{{text}}} {value}\n")
    return "".join(lines)
