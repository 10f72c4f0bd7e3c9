"""Checks deploy/ against schemas and against itself: check_deploy.py FOLDER [--commands]

Prints what is wrong, one line each. With --commands, prints instead the command lines of the
program that the files hold, each as a JSON list, for the program itself to check.

Kubernetes: the schemas of the PyPI package kubernetes-validate (strict: no unknown fields).
Compose: the specification's schema, as the PyPI package check-jsonschema brings it.
Prometheus: expressions are parsed by promql-parser.
"""
import importlib.util
import json
import pathlib
import re
import sys

import jsonschema
import kubernetes_validate
import promql_parser
import yaml

ENDPOINTS = {"/healthz", "/readyz"}
root = pathlib.Path(sys.argv[1])
problems: list[str] = []
commands: list[list[str]] = []


def expect(condition: bool, what: str) -> None:
    if not condition:
        problems.append(what)


def guarded(name: str, command: list[str]) -> None:
    """Notes a command; what other machines reach must be guarded."""
    commands.append(command)
    options = dict(part.lstrip("-").partition("=")[::2] for part in command[1:])
    expect("insecure" not in options, f"{name}: open to everybody")
    expect("keys" in options, f"{name}: no keys")
    if "http" in options:
        expect("http-token" in options, f"{name}: the status page has no token")


def kubernetes() -> None:
    folder = root / "kubernetes"
    custom = yaml.safe_load((folder / "kustomization.yaml").read_text())
    expect(custom["kind"] == "Kustomization", "no kustomization")
    paths = {p.name for p in folder.glob("*.yaml")} - {"kustomization.yaml"}
    expect(set(custom["resources"]) == paths, "kustomization: resources are not the files")
    secrets: dict[str, set[str]] = {}
    for secret in custom["secretGenerator"]:
        pairs = [file.partition("=") for file in secret["files"]]
        expect(all((pair[2] or pair[0]).startswith("keys/") for pair in pairs), "not in keys/")
        secrets[secret["name"]] = {pair[0].rpartition("/")[2] for pair in pairs}
    kinds: dict[str, list[dict]] = {}
    version = kubernetes_validate.latest_version()
    for name in sorted(paths):
        for document in yaml.safe_load_all((folder / name).read_text()):
            kinds.setdefault(document["kind"], []).append(document)
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                problems.append(f"{name}: {document['kind']}: {error}")
    expect("Secret" not in kinds, "a secret is among the files")
    workloads = kinds.get("StatefulSet", []) + kinds.get("Deployment", [])
    expect(len(workloads) == 2, "a broker and workers")
    policies = [p["spec"]["podSelector"]["matchLabels"] for p in kinds["NetworkPolicy"]]
    used = set()
    for load in workloads:
        used |= workload(load, secrets)
        labels = load["spec"]["template"]["metadata"]["labels"].items()
        name = load["metadata"]["name"]
        expect(any(p.items() <= labels for p in policies), f"{name}: no network policy")
    expect(used == set(secrets), "secrets made and secrets used differ")
    services(kinds, workloads)


def workload(document: dict, secrets: dict[str, set[str]]) -> set[str]:
    """Checks a workload against itself; returns the secrets that it mounts."""
    name, spec = document["metadata"]["name"], document["spec"]
    pod = spec["template"]["spec"]
    labels = spec["template"]["metadata"]["labels"].items()
    expect(spec["selector"]["matchLabels"].items() <= labels, f"{name}: selector")
    expect(pod["securityContext"].get("runAsNonRoot") is True, f"{name}: root")
    volumes = {v["name"]: v.get("secret") for v in pod["volumes"]}
    volumes |= {v["metadata"]["name"]: None for v in spec.get("volumeClaimTemplates", [])}
    for secret in filter(None, volumes.values()):
        expect(secret["secretName"] in secrets, f"{name}: unknown secret")
        # What root mounts, the pod's group must be able to read, and nobody else.
        expect(secret["defaultMode"] == 0o440 and "fsGroup" in pod["securityContext"],
               f"{name}: {secret['secretName']} cannot be read, or by all")
    for container in pod["containers"]:
        mounted = {m["name"] for m in container["volumeMounts"]}
        expect(mounted == set(volumes), f"{name}: mounts")
        files = set()
        for mount in container["volumeMounts"]:
            secret = volumes.get(mount["name"])
            for key in secrets.get(secret["secretName"], ()) if secret else ():
                path = mount["mountPath"] if "subPath" in mount else f"{mount['mountPath']}/{key}"
                if mount.get("subPath", key) == key:
                    files.add(path)
        guarded(name, container["args"])
        for part in container["args"]:
            option, _, value = part.partition("=")
            if option == "--http-token":
                expect(value in files, f"{name}: {value} is not mounted")
            if option == "--keys":
                expect(any(f.startswith(f"{value}/") and f.endswith("_secret") for f in files),
                       f"{name}: no secret key in {value}")
        ports = {p["name"] for p in container.get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if probe in container:
                http = container[probe]["httpGet"]
                expect(http["path"] in ENDPOINTS, f"{name}: {http['path']} is no endpoint")
                expect(http["port"] in ports, f"{name}: {http['port']} is no port")
    return {s["secretName"] for s in volumes.values() if s}


def services(kinds: dict[str, list[dict]], workloads: list[dict]) -> None:
    names = {s["metadata"]["name"] for s in kinds["Service"]}
    broker = kinds["StatefulSet"][0]["spec"]
    expect(broker["serviceName"] in names and broker["replicas"] == 1, "broker: service, number")
    expect(len(broker["volumeClaimTemplates"]) == 1, "broker: no volume of its own")
    ports = {p["name"] for p in broker["template"]["spec"]["containers"][0]["ports"]}
    for service in kinds["Service"]:
        expect({p["targetPort"] for p in service["spec"]["ports"]} <= ports, "service: ports")
    scaler = kinds["HorizontalPodAutoscaler"][0]["spec"]
    metric = scaler["metrics"][0]["object"]
    expect(metric["metric"]["name"] == "turbine_jobs_waiting", "scales on another metric")
    expect(metric["describedObject"]["name"] in names, "scales on an unknown service")
    targets = {w["metadata"]["name"] for w in workloads}
    expect(scaler["scaleTargetRef"]["name"] in targets, "scales an unknown workload")
    adapter = yaml.safe_load((root / "prometheus/adapter.yaml").read_text())
    rule = adapter["rules"][0]
    expect(rule["seriesQuery"] == metric["metric"]["name"], "adapter: metric")
    scraped(kinds, rule["resources"]["overrides"], metric["describedObject"]["name"])


def scraped(kinds: dict[str, list[dict]], overrides: dict, described: str) -> None:
    """Prometheus reaches the service from its own namespace; the adapter finds it by the labels."""
    ports = {s["metadata"]["name"]: {p["port"] for p in s["spec"]["ports"]}
             for s in kinds["Service"]}
    sources = [peer for policy in kinds["NetworkPolicy"] for rule in policy["spec"]["ingress"]
               if any(p["port"] == 8080 for p in rule["ports"]) for peer in rule["from"]]
    expect(sources != [] and all("namespaceSelector" in s for s in sources), "who may scrape")
    job = yaml.safe_load((root / "prometheus/scrape.yaml").read_text())["scrape_configs"][0]
    for config in job["static_configs"]:
        labels = config.get("labels", {})
        missing = set(overrides) - set(labels)
        expect(not missing, f"scrape: the adapter looks for the labels {sorted(missing)}")
        values = {overrides[name]["resource"]: labels.get(name) for name in overrides}
        expect(values.get("service") == described, "scrape: the HPA looks at another service")
        for target in config["targets"]:
            host, _, port = target.partition(":")
            name, *rest = host.split(".")
            expect(rest[:2] == [values.get("namespace"), "svc"],
                   f"scrape: {target} does not resolve from another namespace")
            expect(name == values.get("service") and int(port) in ports.get(name, ()),
                   f"scrape: {target} is no port of the service")


def compose() -> None:
    document = yaml.safe_load((root / "compose.yaml").read_text())
    package = importlib.util.find_spec("check_jsonschema").submodule_search_locations[0]
    schema = json.loads(
        (pathlib.Path(package) / "builtin_schemas/vendor/compose-spec.json").read_text())
    document.pop("x-common")
    for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(document):
        problems.append(f"compose: {'/'.join(map(str, error.path))}: {error.message}")
    services = document["services"]
    for name, service in services.items():
        guarded(f"compose {name}", service["command"])
        for other in service.get("depends_on", {}):
            expect(other in services and "healthcheck" in services[other], f"compose: {other}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            expect(source.startswith("./") or source in document["volumes"], f"volume {source}")
        for secret in service.get("secrets", []):
            expect(secret in document["secrets"], f"compose: no secret {secret}")
        for part in service["command"]:
            if part.startswith("--http-token="):
                secret = part.removeprefix("--http-token=/run/secrets/")
                expect(secret in service.get("secrets", []), f"compose: {part}")
        for port in service.get("ports", []):
            expect(port.startswith("127.0.0.1:"), f"compose: {port} is open to all")
        if "build" in service:
            expect((root / service["build"]["context"] / service["build"]["dockerfile"]).exists(),
                   "compose: no Dockerfile")


def units() -> None:
    for path in sorted((root / "systemd").glob("*.service")):
        lines = path.read_text().splitlines()
        values = dict(
            line.removeprefix("Environment=").split("=", 1)
            for line in lines if line.startswith("Environment="))
        values["STATE_DIRECTORY"] = "/var/lib/turbine"
        start = next(line for line in lines if line.startswith("ExecStart="))
        words = start.removeprefix("ExecStart=").split()
        expect(words[0] == "/usr/local/bin/turbine", f"{path.name}: another program")
        command = []
        for word in words[1:]:
            # $NAME is split and may vanish, ${NAME} is one word.
            whole = re.fullmatch(r"\$(\w+)", word)
            command += values[whole[1]].split() if whole else [
                re.sub(r"\$\{(\w+)\}", lambda m: values[m[1]], word)]
        commands.append(command)
        expect(all("127.0.0.1" in v for k, v in values.items() if "END" in k or "ADDR" in k),
               f"{path.name}: open to other machines without keys")


def prometheus() -> None:
    scrape = yaml.safe_load((root / "prometheus/scrape.yaml").read_text())
    expect(scrape["rule_files"] == ["alerts.yaml"], "scrape: rules")
    expect("credentials_file" in scrape["scrape_configs"][0]["authorization"], "scrape: token")
    names = set()
    for group in yaml.safe_load((root / "prometheus/alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            name = rule["alert"]
            expect(set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, f"{name}: field")
            expect(name not in names, f"{name}: twice")
            expect(re.fullmatch(r"\d+[smh]", rule.get("for", "0s")) is not None, f"{name}: for")
            expect(rule["labels"]["severity"] in ("page", "ticket"), f"{name}: severity")
            names.add(name)
            try:
                promql_parser.parse(rule["expr"])
            except ValueError as error:
                problems.append(f"{name}: {error}")
    page = (root.parent / "docs/operations.md").read_text()
    missing = {name for name in names if f"`{name}`" not in page}
    expect(not missing, f"alarms without an explanation: {missing}")
    unknown = set(re.findall(r"^\| `(Turbine\w+)`", page, re.M)) - names
    expect(not unknown, f"explained alarms that do not exist: {unknown}")


kubernetes()
compose()
units()
prometheus()
if "--commands" in sys.argv:
    print("\n".join(map(json.dumps, commands)))
else:
    print("\n".join(problems))
    sys.exit(1 if problems else 0)
