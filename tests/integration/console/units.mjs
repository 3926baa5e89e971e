// Parts of the console that need no browser: payloads, metrics, texts from outside, addresses.

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { check, checkEqual, setting } from "./browser.mjs";

/// What the modules find in a browser.
globalThis.localStorage ??= { getItem: () => null, setItem: () => undefined };
globalThis.sessionStorage ??= { getItem: () => null, setItem: () => undefined };
globalThis.document = { querySelector: () => ({ content: "/dtm" }) };
globalThis.location = { pathname: "/dtm/", search: "" };
if (!globalThis.navigator) globalThis.navigator = { language: "en" };

async function load(directory, names) {
  const { build } = createRequire(join(setting.packages, "package.json"))("esbuild");
  await build({
    entryPoints: names.map((name) => join(setting.packages, "src", `${name}.ts`)),
    outdir: directory, bundle: true, format: "esm", outExtension: { ".js": ".mjs" },
    jsx: "automatic", jsxImportSource: "preact", logLevel: "error" });
  const modules = await Promise.all(
    names.map((name) => import(pathToFileURL(join(directory, `${name}.mjs`)).href)));
  return Object.assign({}, ...modules);
}

function payloads({ bestForm, hexLines, indented, payloadOf }) {
  const of = (bytes) => payloadOf(Buffer.from(bytes).toString("base64"));
  checkEqual(indented('{"a":[1,{"b":"x, {y}"}],"e":{},"n":12345678901234567890}'),
             '{\n  "a": [\n    1,\n    {\n      "b": "x, {y}"\n    }\n  ],\n  "e": {},\n' +
             '  "n": 12345678901234567890\n}', "JSON keeps its digits and its texts");
  for (const text of ["", "7", '"a"', "{", "null"]) {
    checkEqual(indented(text), undefined, `not worth an indent: ${text}`);
  }
  checkEqual(bestForm(of('{"a":1}')), "json", "JSON");
  checkEqual(bestForm(of("hé\n")), "text", "text");
  checkEqual(bestForm(of([10, 3, 97, 98, 99])), "hex", "protobuf, which may look like text");
  checkEqual(bestForm(of([0xff, 0xfe])), "hex", "bytes that are not UTF-8");
  checkEqual(hexLines(new Uint8Array([0x7b, 0x0a, 0x41])),
             `00000000  7b 0a 41${" ".repeat(39)}  {.A`, "a line of hexadecimal digits");
}

function metrics({ growth, parseMetrics, quantile, total, valuesOf }) {
  const bucket = (le, value) => `h_bucket{t="x",le="${le}"} ${value}\n`;
  const older = parseMetrics('# HELP c x\nc{a="1"} 5\nc{a="2"} 7\n' +
                             bucket("0.1", 10) + bucket("1", 10) + bucket("+Inf", 10));
  const newer = parseMetrics('c{a="1"} 9\nc{a="2"} 3\nq{u="a\\"b\\\\c"} 1e3\n' +
                             bucket("0.1", 60) + bucket("1", 110) + bucket("+Inf", 110));
  checkEqual(total(newer, "c"), 12, "a sum");
  check(Number.isNaN(total(newer, "nothing")), "what is not there is no number");
  checkEqual(valuesOf(newer, "q", "u"), ['a"b\\c'], "a label with quotes");
  checkEqual(total(newer, "q"), 1000, "a number with an exponent");
  checkEqual(growth(older, newer, "c", { a: "1" }), 4, "growth");
  checkEqual(growth(older, newer, "c", { a: "2" }), 3, "growth after a restart");
  checkEqual(quantile(older, newer, "h", 0.5).toFixed(3), "0.100", "the median");
  checkEqual(quantile(older, newer, "h", 0.75).toFixed(3), "0.550", "between two bounds");
  check(Number.isNaN(quantile(newer, newer, "h", 0.5)), "nothing was counted");
}

function texts({ bytes, duration, parseRoute, seen, waitFor }) {
  checkEqual(seen("a\u202eb\u0007\n<b>"), "a\\u202eb\\u0007\n<b>", "hidden characters");
  checkEqual([0.0004, 0.25, 3, 75, 90061].map(duration),
             ["0.40 ms", "250 ms", "3.0 s", "1 m 15 s", "1 d 1 h"], "durations");
  checkEqual(bytes(1536), "1.5 KiB", "bytes");
  const at = (path) => {
    const { view, gid } = parseRoute(path, "");
    return gid ? `${view} ${gid}` : view;
  };
  checkEqual(["/dtm/", "/dtm/admin/failed/", "/dtm/admin/transaction/a%2Fb%25", "/dtm/admin/x",
              "/dtm/admin/global-transactions/all", "/dtm/admin/transaction/%E0"].map(at),
             ["overview", "failed", "transaction a/b%", "overview", "search",
              "transaction %E0"], "addresses");
  checkEqual([waitFor(1000, 5, 0), waitFor(1000, 500, 0), waitFor(1000, 5, 3),
              waitFor(1000, 5, 50)], [1000, 5000, 8000, 60_000], "how long a page waits");
}

/// As while the store is away: what is not known is no zero.
function samples({ parseMetrics, pointOf, targetsOf }) {
  const page = 'concerto_store_state{state="refusing"} 1\n' +
    'concerto_branch_calls_total{target="a"} 1\nconcerto_transactions_waiting{target="b"} 7\n';
  const away = parseMetrics(page);
  const { unfinished, inFlight } = pointOf({ time: 1, metrics: away }, 3, away);
  checkEqual([unfinished, inFlight], [null, null], "nothing is known");
  const known = parseMetrics(`${page}concerto_transactions_unfinished{model="saga"} 0\n`);
  checkEqual(pointOf(undefined, 3, known).unfinished, 0, "a zero that is known");
  const waiting = (metrics) => Object.fromEntries(
    targetsOf(metrics, metrics, 1).map((each) => [each.target, each.waiting]));
  checkEqual(waiting(known), { b: 7, a: 0 }, "none waits for a");
  check(Number.isNaN(waiting(away).a), "nobody knows what waits for a");
  checkEqual(waiting(away).b, 7, "what is told");
}

export async function run() {
  const directory = mkdtempSync(join(tmpdir(), "console-units-"));
  try {
    const parts = await load(directory, ["payload", "metrics", "format", "route", "live",
                                         "sampling"]);
    payloads(parts);
    metrics(parts);
    samples(parts);
    texts(parts);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
