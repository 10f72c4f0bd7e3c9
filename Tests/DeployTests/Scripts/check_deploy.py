"""Checks deploy/ against schemas and against itself; prints what is wrong, one line each.

Kubernetes: the schemas of the PyPI package kubernetes-validate (strict: no unknown fields).
Compose: structural checks of our own, since the specification's schema is in no package here.
"""
import pathlib
import sys

import kubernetes_validate
import yaml

ENDPOINTS = {"/healthz", "/readyz"}
root = pathlib.Path(sys.argv[1])
problems: list[str] = []


def expect(condition: bool, what: str) -> None:
    if not condition:
        problems.append(what)


def kubernetes() -> None:
    version = kubernetes_validate.latest_version()
    kinds: dict[str, list[dict]] = {}
    for path in sorted((root / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            kinds.setdefault(document["kind"], []).append(document)
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                problems.append(f"{path.name}: {document['kind']}: {error}")
    workloads = kinds.get("StatefulSet", []) + kinds.get("Deployment", [])
    secrets = {s["metadata"]["name"] for s in kinds["Secret"]}
    services = {s["metadata"]["name"] for s in kinds["Service"]}
    expect(len(workloads) == 2, "a broker and workers")
    for workload in workloads:
        name, spec = workload["metadata"]["name"], workload["spec"]
        pod = spec["template"]["spec"]
        labels = spec["template"]["metadata"]["labels"].items()
        expect(spec["selector"]["matchLabels"].items() <= labels, f"{name}: selector")
        expect(pod["securityContext"].get("runAsNonRoot") is True, f"{name}: root")
        volumes = {v["name"] for v in pod["volumes"]}
        volumes |= {v["metadata"]["name"] for v in spec.get("volumeClaimTemplates", [])}
        for volume in pod["volumes"]:
            if "secret" in volume:
                expect(volume["secret"]["secretName"] in secrets, f"{name}: unknown secret")
        for container in pod["containers"]:
            expect({m["name"] for m in container["volumeMounts"]} <= volumes, f"{name}: mounts")
            ports = {p["name"] for p in container.get("ports", [])}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe in container:
                    http = container[probe]["httpGet"]
                    expect(http["path"] in ENDPOINTS, f"{name}: {http['path']} is no endpoint")
                    expect(http["port"] in ports, f"{name}: {http['port']} is no port")
        policies = [p["spec"]["podSelector"]["matchLabels"] for p in kinds["NetworkPolicy"]]
        expect(any(p.items() <= labels for p in policies), f"{name}: no network policy")
    scaler = kinds["HorizontalPodAutoscaler"][0]["spec"]
    metric = scaler["metrics"][0]["object"]
    expect(metric["metric"]["name"] == "turbine_jobs_waiting", "scales on another metric")
    expect(metric["describedObject"]["name"] in services, "scales on an unknown service")
    targets = {w["metadata"]["name"] for w in workloads}
    expect(scaler["scaleTargetRef"]["name"] in targets, "scales an unknown workload")


def compose() -> None:
    document = yaml.safe_load((root / "compose.yaml").read_text())
    allowed = {
        "image", "restart", "read_only", "cap_drop", "security_opt", "tmpfs", "build", "command",
        "ports", "volumes", "stop_grace_period", "healthcheck", "depends_on", "deploy"}
    services = document["services"]
    for name, service in services.items():
        expect(set(service) <= allowed, f"compose {name}: {set(service) - allowed}")
        for other in service.get("depends_on", {}):
            expect(other in services and "healthcheck" in services[other], f"compose: {other}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            expect(source.startswith("./") or source in document["volumes"], f"volume {source}")
        for port in service.get("ports", []):
            expect(port.startswith("127.0.0.1:"), f"compose: {port} is open to all")
        if "build" in service:
            expect((root / service["build"]["context"] / service["build"]["dockerfile"]).exists(),
                   "compose: no Dockerfile")


kubernetes()
compose()
print("\n".join(problems))
sys.exit(1 if problems else 0)
