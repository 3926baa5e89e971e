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
  check(Number.isNaN(growth(older, older, "gone")), "the growth of what is not there is no number");
  checkEqual(quantile(older, newer, "h", 0.5).toFixed(3), "0.100", "the median");
  checkEqual(quantile(older, newer, "h", 0.75).toFixed(3), "0.550", "between two bounds");
  check(Number.isNaN(quantile(newer, newer, "h", 0.5)), "nothing was counted");
}

/// The overview of a server that does not give its numbers.
function samples({ parseMetrics, pointOf }) {
  const full = parseMetrics('concerto_transactions_unfinished{model="saga"} 3\n' +
                            'concerto_transactions_ended_total{status="succeed"} 7\n' +
                            'concerto_transactions_ended_total{status="failed"} 0\n');
  const at = (metrics) => {
    const { succeeded, failed, unfinished, inFlight } =
      pointOf({ time: 10, metrics: full }, 12, metrics);
    return [succeeded, failed, unfinished, inFlight].map((value) => value ?? "unknown");
  };
  checkEqual(at(full), [0, 0, 3, "unknown"], "what is given");
  checkEqual(at(parseMetrics("up 1\n")), Array(4).fill("unknown"), "what is not given is not 0");
}

function clock({ ServerClock }) {
  const zero = Date.parse("2026-11-30T20:00:00Z");
  const date = (ms) => new Date(ms).toUTCString();
  const own = new ServerClock(zero - 3_600_000);
  checkEqual(own.at(0), zero - 3_600_000, "the browser's clock, before any answer");
  own.learn(null, 0, 5);
  own.learn("never", 0, 5);
  checkEqual(own.at(0), zero - 3_600_000, "answers without a date");
  // At 0 by the browser's clock it is 20:00:00.300 at the server.
  for (const now of [0, 150, 400, 690, 710, 1200]) own.learn(date(zero + 300 + now), now, now + 20);
  const wrong = Math.abs(own.at(5000) - (zero + 5300));
  check(wrong < 50, `the server's time is ${wrong} ms off`);
  own.learn(date(zero + 90_000), 3000, 3020);
  check(Math.abs(own.at(3000) - zero - 90_500) < 600, "the server's clock was set");
}

const placesIn = (text) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
/// Terms that are the same in both languages.
const terms = /\b(gid|URL|JSON|TLS|query_prepared|Audit\.File|Backup\.Directory)\b|--paused/g;

/// The compiler finds a word that is missing in one language.
function words({ chinese, english }) {
  checkEqual(Object.keys(chinese).sort(), Object.keys(english).sort(), "the words");
  for (const [word, text] of Object.entries(chinese)) {
    checkEqual(placesIn(text), placesIn(english[word]), `what is filled in: ${word}`);
    const rest = text.replace(/\{\w+\}/g, "").replace(terms, "");
    check(!/[A-Za-z]/.test(rest), `English in Chinese: ${word}: ${text}`);
    check(!/[\u3000-\u9fff\uff00-\uffef]/.test(english[word]), `Chinese in English: ${word}`);
  }
}

function texts({ bytes, duration, named, parseRoute, pathOfTransaction, say, seen, waitFor }) {
  checkEqual([named("state", "running"), named("state", "a\u202eb"), named("event", "toString")],
             ["running", "a\\u202eb", "toString"], "values of the protocol");
  checkEqual(["1", "2", "1,001"].map((count) => say("matched", { count })),
             ["1 transaction is concerned.", "2 transactions are concerned.",
              "1,001 transactions are concerned."], "one and many");
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
  checkEqual(["a b", "..", ".", "...", "%2e", "中/?#"].map((gid) => {
    const { pathname, search } = new URL(pathOfTransaction(gid), "http://here");
    return parseRoute(pathname, search).gid;
  }), ["a b", "..", ".", "...", "%2e", "中/?#"], "addresses of transactions");
  checkEqual([waitFor(1000, 5, 0), waitFor(1000, 500, 0), waitFor(1000, 5, 3),
              waitFor(1000, 5, 50)], [1000, 5000, 8000, 60_000], "how long a page waits");
}

/// As while the store is away: what is not known is no zero.
function whileAway({ parseMetrics, pointOf, targetsOf }) {
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
    const parts = await load(directory, [
      "payload", "metrics", "format", "route", "live", "sampling", "clock", "words", "words.en",
      "words.zh"]);
    payloads(parts);
    metrics(parts);
    samples(parts);
    whileAway(parts);
    clock(parts);
    words(parts);
    texts(parts);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
