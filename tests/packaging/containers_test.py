"""The Dockerfile, the compose file and the chart: what can be told without a container engine. What
their steps do is for `tools/prove containers`.

Usage: containers_test.py <concertod>
"""

import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import main, need_module  # noqa: E402

import dockerfile  # noqa: E402

need_module("yaml", "python3-yaml")
import yaml  # noqa: E402

DOCKER = "tools/packaging/docker"
HELM = "tools/packaging/helm"
PORTS = {36789, 36790}


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def yaml_of(path):
    return yaml.safe_load(text_of(path))


class Containers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        keys = subprocess.run([cls.args.concertod, "--print-keys"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        cls.variables = set(re.findall(r"^\| `[\w.]+` \| `(\w+)` \|", keys, re.MULTILINE))
        cls.stages = dockerfile.read(os.path.join(ROOT, DOCKER, "Dockerfile"))
        cls.image = cls.stages[-1]
        cls.compose = yaml_of(f"{DOCKER}/compose.yml")
        cls.coordinators = {name: service for name, service in cls.compose["services"].items()
                            if service["image"] == "concerto"}

    def assert_is_a_configuration(self, environment):
        environment = {name: re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", value)
                       for name, value in environment.items()}
        self.assertLessEqual(set(environment), self.variables)
        done = subprocess.run([self.args.concertod, "--check-config"], env=environment, text=True,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_image_has_a_stage_for_the_build_and_names_its_bases(self):
        self.assertEqual([stage.name for stage in self.stages], ["build", None])
        for stage in self.stages:
            self.assertRegex(stage.base, r"^debian:12(-|$)")

    def test_the_image_copies_what_is_there(self):
        for text in (text for stage in self.stages for text in stage.texts("COPY")):
            *sources, _ = text.split()
            if not sources[0].startswith("--from="):
                for source in sources:
                    self.assertTrue(os.path.exists(os.path.join(ROOT, source)), source)

    def test_the_image_runs_as_a_user_with_a_number(self):
        user = self.image.last("USER")
        self.assertRegex(user, r"^[1-9]\d+:[1-9]\d+$")
        self.assertEqual(self.image.steps[-1][0], "ENTRYPOINT")
        self.assertEqual(self.image.last("VOLUME"), "/var/lib/concerto")
        pod = text_of(f"{HELM}/templates/_helpers.tpl")
        for key, number in zip(("runAsUser", "runAsGroup"), user.split(":"), strict=True):
            self.assertIn(f"{key}: {number}\n", pod)

    def test_the_image_has_the_ports_of_a_coordinator_and_a_health_check(self):
        self.assertEqual({int(port) for port in self.image.last("EXPOSE").split()}, PORTS)
        program, probe = self.image.command("HEALTHCHECK")
        self.assertEqual(probe, "livez")
        self.assertIn(f"{DOCKER}/healthcheck {program}", self.image.texts("COPY"))

    def test_the_image_and_the_coordinators_of_the_compose_file_are_configured(self):
        self.assert_is_a_configuration(self.image.environment())
        self.assertEqual(len(self.coordinators), 2)
        for service in self.coordinators.values():
            self.assert_is_a_configuration({**self.image.environment(), **service["environment"]})

    def test_the_coordinators_of_the_compose_file_may_do_little(self):
        for name, service in self.coordinators.items():
            self.assertIs(service["read_only"], True, name)
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertEqual(service["healthcheck"]["test"][1:],
                             [self.image.command("HEALTHCHECK")[0], "readyz"], name)
            endpoint = service["environment"]["MICRO_SERVICE_END_POINT"]
            self.assertEqual(endpoint, f"{name}:36790")
            self.assertLessEqual(set(service["depends_on"]), set(self.compose["services"]))
            self.assertEqual({int(port.rpartition(":")[2]) for port in service["ports"]}, PORTS)

    def test_the_services_of_the_compose_file(self):
        services = self.compose["services"]
        self.assertLessEqual({"postgres", "etcd", "prometheus", "grafana"}, set(services))
        for name, service in services.items():
            if name not in self.coordinators:
                self.assertRegex(service["image"], r":v?\d", name)
            for port in service.get("ports", ()):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port}")
            for volume in service.get("volumes", ()):
                source = volume.partition(":")[0]
                if source.startswith("."):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, DOCKER, source)), volume)
                else:
                    self.assertIn(source, self.compose["volumes"])

    def test_prometheus_asks_the_coordinators_as_its_rules_and_dashboard_expect(self):
        job = yaml_of(f"{DOCKER}/prometheus.yml")["scrape_configs"][0]
        self.assertEqual(job["metrics_path"], "/api/metrics")
        self.assertEqual(job["static_configs"][0]["targets"],
                         [f"{name}:36789" for name in self.coordinators])
        self.assertEqual(job["job_name"], "concerto")  # as in docs/monitoring
        source = yaml_of(f"{DOCKER}/grafana/provisioning/datasources/prometheus.yml")
        self.assertTrue(source["datasources"][0]["isDefault"])  # the dashboard takes the default

    def test_the_chart_has_this_version_and_describes_its_values(self):
        version = re.search(r"project\(Concerto VERSION ([\d.]+)", text_of("CMakeLists.txt"))[1]
        self.assertEqual(yaml_of(f"{HELM}/Chart.yaml")["appVersion"], version)
        values = yaml_of(f"{HELM}/values.yaml")
        described = json.loads(text_of(f"{HELM}/values.schema.json"))["properties"]
        self.assertEqual(set(values) | {"global"}, set(described))
        for name, value in values.items():
            if "properties" in described[name]:
                self.assertEqual(set(value), set(described[name]["properties"]), name)
        self.assertEqual({values["service"][key] for key in ("httpPort", "grpcPort")}, PORTS)

    def test_the_chart_sets_keys_that_exist(self):
        pod = text_of(f"{HELM}/templates/_helpers.tpl")
        names = set(re.findall(r"^- name: ([A-Z_]+)$", pod, re.MULTILINE)) - {"POD_IP"}
        self.assertLessEqual(names, self.variables)
        self.assertIn("STORE_DRIVER", names)


if __name__ == "__main__":
    main(Containers, lambda parser: parser.add_argument("concertod", type=os.path.abspath), __doc__)
