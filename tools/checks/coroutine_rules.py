"""Rules for coroutines: mistakes that compile, and code that GCC 12.2 compiles wrongly."""

import re

ASYNC_NAME = re.compile(r"\bAsync<[^;{}()]*>\s+(?:\w+::)*(\w+)\s*\(")
TASK_NAME = re.compile(r"\b(?:Task|awaitable)<[^;{}()]*>\s+(?:\w+::)*(\w+)\s*\(")
SUSPENDS = re.compile(r"\bco_(?:await|return|yield)\b")


def closing(code, opening):
    """The offset of the bracket that closes the one at `opening`, or the end of the text."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    left, right = code[opening], pairs[code[opening]]
    depth = 0
    for offset in range(opening, len(code)):
        depth += (code[offset] == left) - (code[offset] == right)
        if depth == 0:
            return offset
    return len(code)


def statement_end(code, begin):
    """The offset of the `;` that ends the statement at `begin`."""
    offset = begin
    while offset < len(code) and code[offset] != ";":
        offset = closing(code, offset) + 1 if code[offset] in "([{" else offset + 1
    return offset


def callee(expression):
    """The name of the last function called in `a.b(..).c(..)`, or an empty text."""
    names, offset = [], 0
    while offset < len(expression):
        if expression[offset] == "(":
            names.append(re.search(r"(\w*)\s*(?:<[^()]*>)?\s*$", expression[:offset]).group(1))
        if expression[offset] in "([{":
            offset = closing(expression, offset)
        offset += 1
    return names[-1] if names else ""


def no_dropped_results(tree):
    results = {name for s in tree.cpp for name in ASYNC_NAME.findall(s.code)}
    # A name that is also declared without a result may mean that function; only types would tell.
    results -= {name for s in tree.cpp for name in TASK_NAME.findall(s.code)}
    for source in tree.cpp:
        for found in re.finditer(r"\bco_await\b", source.code):
            before = source.code[:found.start()].rstrip()
            if not before.endswith((";", "{", "}", ":", ")", "else")):
                continue
            end = statement_end(source.code, found.end())
            name = callee(source.code[found.end():end])
            if name in results:
                yield source.finding(
                    source.line_of(found.start()), "dropped-result",
                    f"the Result of {name} is dropped: check it or use ignore_error")


def lambdas(code):
    """(captures, body, offset) of every lambda in blanked code, outer ones first."""
    for found in re.finditer(r"\[", code):
        before = code[:found.start()].rstrip()
        if before[-1:].isalnum() or before[-1:] in ("_", ")", "]", "["):
            if not before.endswith(("return", "co_await", "co_return")):
                continue
        if code[found.end():found.end() + 1] == "[":
            continue
        end = closing(code, found.start())
        head = re.compile(r"\s*(?:<[^{}()]*>)?\s*").match(code, end + 1).end()
        if head < len(code) and code[head] == "(":
            head = closing(code, head) + 1
        brace = re.compile(r"[\w\s:<>,&*\-]*\{").match(code, head)
        if brace:
            begin = brace.end() - 1
            yield code[found.end():end], code[begin:closing(code, begin) + 1], found.start()


def without_lambdas(body):
    for _, inner, _ in lambdas(body):
        body = body.replace(inner, "{}", 1)
    return body


def no_capturing_lambda_coroutines(tree):
    for source in tree.cpp:
        for captures, body, offset in lambdas(source.code):
            if captures.strip() and SUSPENDS.search(without_lambdas(body)):
                yield source.finding(
                    source.line_of(offset), "lambda-coroutine",
                    "a lambda that captures must not be a coroutine: its captures die first")


RULES = [no_dropped_results, no_capturing_lambda_coroutines]
