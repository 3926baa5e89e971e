"""An OpenAPI description: its operations, with every reference replaced by what it means."""

import json
import re
import urllib.parse
from dataclasses import dataclass

from jsonschema import Draft202012Validator, exceptions, validators

METHODS = ("get", "post", "put", "delete", "patch", "head", "options", "trace")
SCHEMAS = "#/components/schemas/"
SHOWN_CHARS_MAX = 300


def _check_content(validator, schema, instance, parent):
    """In JSON Schema contentSchema is only an annotation. Here it also applies to texts that are
    JSON."""
    if not isinstance(instance, str) or parent.get("contentMediaType") != "application/json":
        return
    try:
        value = json.loads(instance)
    except ValueError as error:
        yield exceptions.ValidationError(f"{instance!r} is not JSON: {error}")
        return
    yield from validator.descend(value, schema)


SchemaValidator = validators.extend(Draft202012Validator, {"contentSchema": _check_content})


@dataclass
class Mismatch:
    rule: str   # the place in the schema
    text: str

    def __str__(self):
        return self.text


def mismatch(schema, value):
    """Why a value does not match a schema without references. None if it matches."""
    error = exceptions.best_match(SchemaValidator(schema).iter_errors(value))
    if error is None:
        return None
    place = "".join(f"[{part!r}]" for part in error.absolute_path)
    message = error.message
    if len(message) > SHOWN_CHARS_MAX:
        message = f"... {message[-SHOWN_CHARS_MAX:]}"
    return Mismatch("/".join(map(str, error.absolute_schema_path)), f"{place or 'it'}: {message}")


def typed(schema, text):
    """The value of a parameter or header: an integer if the schema asks for one."""
    try:
        return int(text) if schema.get("type") == "integer" else text
    except ValueError:
        return text


def target_of(document, reference):
    """The object that `#/components/...` refers to. LookupError if there is none."""
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def without_references(document, node, open_references=()):
    """A copy of `node` without references. What is written beside a schema's reference applies,
    too."""
    if isinstance(node, list):
        return [without_references(document, item, open_references) for item in node]
    if not isinstance(node, dict):
        return node
    members = {name: without_references(document, value, open_references)
               for name, value in node.items() if name != "$ref"}
    if "$ref" not in node:
        return members
    reference = node["$ref"]
    if reference in open_references:
        raise ValueError(f"{reference} refers to itself")
    target = without_references(document, target_of(document, reference),
                                (*open_references, reference))
    if reference.startswith(SCHEMAS) and members:
        return {**members, "allOf": [target, *members.get("allOf", [])]}
    return {**target, **members}


@dataclass
class Operation:
    """One method of one path, without references."""
    method: str           # upper case
    path: str             # with {names}
    any_method: bool      # whether every other method has the same answers
    item: dict            # the operation object

    def __str__(self):
        return f"{self.method} {self.path}"

    def answers(self, method):
        """Whether the operation answers this method. A GET that changes nothing also answers HEAD.
        """
        if self.any_method or self.method == method:
            return True
        return method == "HEAD" and self.method == "GET" and "x-changes" not in self.item

    @property
    def parameters(self):
        return self.item.get("parameters", [])

    @property
    def request_schema(self):
        body = self.item.get("requestBody")
        return body["content"]["application/json"]["schema"] if body else None

    def parameter_problems(self, query):
        """Pairs of a parameter's name and what is wrong with its value in this query string."""
        sent = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        described = {one["name"]: one for one in self.parameters if one["in"] == "query"}
        for name in sent.keys() - described.keys():
            yield name, "not described"
        for name, parameter in described.items():
            if name in sent:
                wrong = mismatch(parameter["schema"], typed(parameter["schema"], sent[name]))
                if wrong:
                    yield name, str(wrong)
            elif parameter.get("required"):
                yield name, "required, but absent"

    @property
    def responses(self):
        return self.item["responses"]


class Description:
    """Raises LookupError or ValueError for references that lead nowhere or in a circle."""

    def __init__(self, document):
        self.document = document
        self.operations = []
        for path, item in document["paths"].items():
            for method in METHODS:
                if method in item:
                    self.operations.append(Operation(
                        method.upper(), path, "x-any-method" in item,
                        without_references(document, item[method])))
        # Paths without names come first, because they are meant if both match.
        self._patterns = [(re.compile(_pattern(operation.path)), operation) for operation in
                          sorted(self.operations, key=lambda operation: "{" in operation.path)]

    def find(self, method, path):
        """The operation that serves a request. None if there is none."""
        for pattern, operation in self._patterns:
            if pattern.fullmatch(path) and operation.answers(method):
                return operation
        return None


def _pattern(path):
    return "".join("[^/]+" if part.startswith("{") else re.escape(part)
                   for part in re.split(r"(\{\w+\})", path))
