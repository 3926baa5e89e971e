"""docs/monitoring: alert rules, dashboard and scrape configuration. promtool checks them,
and a running coordinator says which metrics and labels there are.

Usage: monitoring_test.py <concertod>
"""

import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
DOCS = os.path.join(HERE, "..", "..", "docs")
MONITORING = os.path.join(DOCS, "monitoring")
sys.path[:0] = [os.path.join(HERE, "..", "support"),
                os.path.join(HERE, "..", "integration", "operations")]
sys.dont_write_bytecode = True

from concerto_testing import BranchServer, Concertod, http_call, http_json, main  # noqa: E402
from concerto_testing import need_module, need_program  # noqa: E402
from concerto_testing.certificates import Authority  # noqa: E402
from metrics_text import parse  # noqa: E402

from alert_cases import CASES  # noqa: E402

need_module("yaml", "python3-yaml")
import yaml  # noqa: E402

ALERTS = os.path.join(MONITORING, "alerts.yml")
NAME = re.compile(r"\b(?:concerto|dtm|process)_\w+")
SERIES = re.compile(r"\b((?:concerto|dtm|process)_\w+)\{([^}]*)\}")
# What Grafana puts in place of its variables.
VARIABLES = {"$__rate_interval": "5m", "$instance": ".*", "$job": "concerto"}


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def rules():
    for group in yaml.safe_load(text_of(ALERTS))["groups"]:
        yield from group["rules"]


def dashboard():
    return json.loads(text_of(MONITORING, "dashboard.json"))


def panels():
    """The panels that show something, those in collapsed rows included."""
    for panel in dashboard()["panels"]:
        if panel["type"] != "row":
            yield panel


def expressions():
    """(what shows it, expression in PromQL) of dashboard and rules."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            yield panel["title"], expression


def base_name(name, families):
    """The family that a name belongs to, which may be a part of a histogram."""
    base = re.sub("_(bucket|sum|count)$", "", name)
    return base if base in families and families[base].type == "histogram" else name


def conditional():
    """Name -> condition: metrics of which the page says that they are not always there."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.+) \|$", text_of(MONITORING, "README.md"),
                      re.MULTILINE)
    return {name: condition for names, condition in rows for name in NAME.findall(names)}


def with_labels(series):
    name, _, labels = series.partition("{")
    return f'{name}{{job="concerto",instance="c1"{"," if labels else "}"}{labels}'


def promtool_test(case):
    """The tests of one case, as promtool reads them."""
    (rule,) = [rule for rule in rules() if rule["alert"] == case.alert]
    labels = {"job": "concerto", "severity": rule["labels"]["severity"], **case.labels}
    if not case.without_instance:
        labels["instance"] = "c1"
    expected = {"exp_labels": labels,
                "exp_annotations": {**rule["annotations"], "summary": case.summary}}
    for series, alerts in ((case.fires, [expected]), (case.quiet, [])):
        yield {"interval": "1m",
               "input_series": [{"series": with_labels(name), "values": values}
                                for name, values in series.items()],
               "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert,
                                    "exp_alerts": alerts}]}


class Monitoring(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.promtool_path = need_program("promtool", "prometheus")
        cls.families = cls.scrape()

    @classmethod
    def scrape(cls):
        """The metrics of a coordinator with TLS that has ended one saga well and one badly."""
        authority = Authority(cls.directory)
        authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        context = authority.context()
        settings = {"Shards": 1, "Tls.CertFile": authority.file("server.pem"),
                    "Tls.KeyFile": authority.file("server.key")}
        branches = BranchServer()
        branches.script("no", (409, "FAILURE"))
        with Concertod(cls.args.concertod, cls.directory, settings,
                       context=context) as coordinator:
            for gid, name, status in (("good", "yes", "succeed"), ("bad", "no", "failed")):
                url = branches.url(name)
                saga = {"gid": gid, "trans_type": "saga", "payloads": ["{}"],
                        "steps": [{"action": url, "compensate": branches.url("back")}]}
                http_json("POST", coordinator.api + "/submit", saga, context=context)
                coordinator.wait_for_status(gid, status)
            page = http_call("GET", coordinator.root + "/api/metrics", context=context)
        branches.close()
        return parse(page.body.decode())

    def promtool(self, *arguments):
        done = subprocess.run([self.promtool_path, *arguments], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)

    def write(self, name, value):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(value, file)  # JSON is YAML
        return path

    def test_rules_and_scrape_configuration_are_valid(self):
        self.promtool("check", "rules", "--lint-fatal", ALERTS)
        self.promtool("check", "config", os.path.join(MONITORING, "prometheus.yml"))

    def test_each_alert_fires_when_it_should(self):
        self.assertEqual([case.alert for case in CASES], [rule["alert"] for rule in rules()])
        tests = [test for case in CASES for test in promtool_test(case)]
        self.promtool("test", "rules", self.write("alerts_test.yml",
                                                  {"rule_files": [os.path.abspath(ALERTS)],
                                                   "tests": tests}))

    def test_each_alert_says_what_to_do(self):
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
                   for title in re.findall(r"^#+ (.+)$", text_of(DOCS, "operations.md"), re.M)}
        for rule in rules():
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("critical", "warning"))
                self.assertEqual(set(rule["annotations"]), {"summary", "description", "runbook"})
                page, _, anchor = rule["annotations"]["runbook"].partition("#")
                self.assertEqual(page, "docs/operations.md")
                self.assertIn(anchor, anchors)

    def test_the_page_has_each_alert(self):
        rows = re.findall(r"^\| `(Concerto\w+)` \| (\w+) \|", text_of(MONITORING, "README.md"),
                          re.MULTILINE)
        self.assertEqual(rows, [(rule["alert"], rule["labels"]["severity"]) for rule in rules()])

    def test_each_expression_of_the_dashboard_is_one(self):
        records = [{"record": f"panel:{number}", "expr": expression}
                   for number, (_, expression) in enumerate(expressions())]
        self.promtool("check", "rules", self.write(
            "dashboard.yml", {"groups": [{"name": "dashboard", "rules": records}]}))

    def test_each_metric_is_there_or_its_condition_is_told(self):
        known, told = set(self.families), conditional()
        for shown_by, expression in expressions():
            for name in NAME.findall(expression):
                base = base_name(name, self.families)
                self.assertTrue(base in known or base in told, f"{shown_by}: {name}")
        self.assertEqual(set(told) & known, set(), "always there")
        operations = text_of(DOCS, "operations.md")
        for name in told:
            short = re.sub("^concerto_store_refused_by", "..", name)
            self.assertTrue(name in operations or short in operations, name)

    def test_each_label_is_there(self):
        for shown_by, expression in expressions():
            for name, matchers in SERIES.findall(expression):
                base = base_name(name, self.families)
                if base not in self.families:
                    continue
                there = {label for key in self.families[base].samples for label, _ in key}
                wanted = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", matchers))
                self.assertLessEqual(wanted, there | {"le", "job", "instance"},
                                     f"{shown_by}: {name}")
                for label, value in re.findall(r'(\w+)="([^"$]+)"', matchers):
                    values = {dict(key).get(label) for key in self.families[base].samples}
                    if label not in ("job", "instance", "le"):
                        self.assertIn(value, values, f"{shown_by}: {name}")

    def test_the_dashboard_can_be_imported(self):
        board = dashboard()
        self.assertEqual(board["uid"], "concerto")
        self.assertIsNone(board["id"])
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(set(ids)), len(ids))
        names = {variable["name"] for variable in board["templating"]["list"]}
        self.assertEqual(names, {"datasource", "job", "instance"})
        places = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & places, f"{panel['title']} covers another panel")
            places |= cells
        for panel in panels():
            self.assertTrue(panel["description"] and panel["fieldConfig"]["defaults"]["unit"])
            self.assertEqual(panel["datasource"]["uid"], "${datasource}")
            for target in panel["targets"]:
                for name in NAME.findall(target["expr"]):
                    self.assertRegex(target["expr"],
                                     name + r'\{job="\$job",instance=~"\$instance"', panel["title"])


if __name__ == "__main__":
    def add_arguments(parser):
        parser.add_argument("concertod")

    main(Monitoring, add_arguments, __doc__)
