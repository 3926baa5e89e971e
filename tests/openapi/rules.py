"""What has to hold for the description itself, whatever the server does.

Each rule yields a text for everything that is wrong.
"""

import json
import os
import re
import sys

from jsonschema import Draft202012Validator, exceptions

from description import Description, mismatch, target_of, without_references

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tools"))

from checks import route_rows  # noqa: E402  (the path has to be set first)

STRUCTURE = os.path.join(HERE, "structure.schema.json")
ROUTES = os.path.join(ROOT, route_rows.PATH)
# These members have values, not parts of the description.
VALUES = ("example", "examples", "default", "enum", "const")
# A schema has one of these, which says what the value is.
KINDS = {"type", "enum", "const", "allOf", "oneOf"}


def nodes(node, place=""):
    """Every object of the description with its place."""
    if isinstance(node, dict):
        yield place, node
        for name, value in node.items():
            if name not in VALUES:
                yield from nodes(value, f"{place}/{name}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from nodes(value, f"{place}/{number}")


def is_openapi(document):
    with open(STRUCTURE, encoding="utf-8") as file:
        structure = json.load(file)
    Draft202012Validator.check_schema(structure)
    for error in Draft202012Validator(structure).iter_errors(document):
        error = exceptions.best_match([error])  # of several alternatives, the one that fits best
        yield f"/{'/'.join(map(str, error.absolute_path))}: {error.message[-300:]}"


def references_resolve(document):
    for place, node in nodes(document):
        if "$ref" not in node:
            continue
        try:
            target_of(document, node["$ref"])
            without_references(document, node)
        except (LookupError, ValueError) as error:
            yield f"{place}: {node['$ref']} leads nowhere: {error!r}"


def components_are_used(document):
    used = {node["$ref"] for _, node in nodes(document) if "$ref" in node}
    for kind, components in document["components"].items():
        for name in components:
            if f"#/components/{kind}/{name}" not in used:
                yield f"/components/{kind}/{name} is not used"


def schemas_are_schemas(document):
    schemas = [(f"/components/schemas/{name}", schema)
               for name, schema in document["components"]["schemas"].items()]
    schemas += [(place, node["schema"]) for place, node in nodes(document)
                if isinstance(node.get("schema"), dict)]
    for place, schema in schemas:
        whole = without_references(document, schema)
        try:
            Draft202012Validator.check_schema(whole)
        except exceptions.SchemaError as error:
            yield f"{place}: {'/'.join(map(str, error.path))}: {error.message[-300:]}"
            continue
        for inner_place, node in nodes(whole, place):
            if "default" in node and (text := mismatch(node, node["default"])):
                yield f"{inner_place}: the default does not match: {text}"


def examples_match(document):
    for place, node in nodes(document):
        if not isinstance(node.get("schema"), dict):
            continue
        schema = without_references(document, node["schema"])
        examples = {name: example["value"] for name, example in node.get("examples", {}).items()}
        if "example" in node:
            examples[""] = node["example"]
        for name, value in examples.items():
            if text := mismatch(schema, value):
                yield f"{place}: example {name} does not match: {text}"


def operations_have_names(document):
    tags = {tag["name"] for tag in document["tags"]}
    seen = {}
    for operation in Description(document).operations:
        name = operation.item["operationId"]
        if name in seen:
            yield f"{operation}: operationId {name} is that of {seen[name]}"
        seen[name] = operation
        for tag in set(operation.item["tags"]) - tags:
            yield f"{operation}: tag {tag} is not declared"
    for tag in tags - {tag for one in seen.values() for tag in one.item["tags"]}:
        yield f"tag {tag} is not used"


def parameters_are_declared(document):
    for operation in Description(document).operations:
        keys = [(parameter["in"], parameter["name"]) for parameter in operation.parameters]
        if len(set(keys)) != len(keys):
            yield f"{operation}: a parameter is declared twice"
        wanted = set(re.findall(r"\{(\w+)\}", operation.path))
        declared = {name for place, name in keys if place == "path"}
        for name in wanted ^ declared:
            yield f"{operation}: {name} is in the path or in the parameters, but not in both"


def paths_are_distinct(document):
    shapes = {}
    for path in document["paths"]:
        shape = re.sub(r"\{\w+\}", "{}", path)
        if shape in shapes:
            yield f"{path} matches the same requests as {shapes[shape]}"
        shapes[shape] = path


def answers_are_closed(document):
    """Schemas of answers must be closed: a schema that allows any member would match too much."""
    for operation in Description(document).operations:
        for status, response in operation.responses.items():
            for place, node in nodes(response["content"], f"{operation} {status}"):
                if "properties" not in node or re.search("/(if|then|else)$", place):
                    continue
                if node.get("additionalProperties") is not False:
                    yield f"{place}: additionalProperties is not false"
                if not node.get("required"):
                    yield f"{place}: no member is required"
                for name in set(node.get("required", ())) - set(node["properties"]):
                    yield f"{place}: {name} is required, but not described"
                for name, member in node["properties"].items():
                    if isinstance(member, bool) or not KINDS & member.keys():
                        yield f"{place}: {name} may be anything"


def changing_gets_are_marked(document):
    """A GET that does more than read has x-changes, by the table of routes."""
    with open(ROUTES, encoding="utf-8") as file:
        rows = {row.path: row for row in route_rows.route_rows(file.read())}
    for operation in Description(document).operations:
        row = rows.get(re.sub(r"\{\w+\}", "*", operation.path))
        if operation.method != "GET" or row is None:
            continue
        if (row.deed != "reads") != ("x-changes" in operation.item):
            yield f"{operation}: the table of routes says '{row.deed}', x-changes differs"


# The later rules rely on the earlier ones.
FIRST_RULES = (is_openapi, references_resolve)
RULES = (components_are_used, schemas_are_schemas, examples_match, operations_have_names,
         parameters_are_declared, paths_are_distinct, answers_are_closed,
         changing_gets_are_marked)


def broken_rules(document):
    """What is wrong with the description, as texts."""
    found = [f"{rule.__name__}: {text}" for rule in FIRST_RULES for text in rule(document)]
    if not found:
        found = [f"{rule.__name__}: {text}" for rule in RULES for text in rule(document)]
    return found
