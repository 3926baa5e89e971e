// Requests to the server.

import { serverClock } from "./clock";
import { ApiError, type Fault } from "./faults";
import { whilePending } from "./pending";
import { base } from "./route";
import { Store } from "./store";

const tokenKey = "concerto.token";

/// The token that the operator has entered. It is kept until the tab is closed, and sent to this
/// server alone.
export const token = new Store<string>(sessionStorage.getItem(tokenKey) ?? "");

/// Whether the server has refused a request because nobody is known.
export const needsToken = new Store<boolean>(false);
/// Where it has refused it.
const refusedPaths = new Set<string>();

export function enterToken(value: string): void {
  if (value) sessionStorage.setItem(tokenKey, value);
  else sessionStorage.removeItem(tokenKey);
  refusedPaths.clear();
  needsToken.set(false);
  token.set(value);
}

export type Parameters = Record<string, string | number | boolean>;

interface Request {
  query?: Parameters;
  body?: unknown;
  reason?: string;
  signal?: AbortSignal | undefined;
}

interface Answer {
  response: Response;
  text: string;
}

/// Without an answer for so long, what only reads is given up and asked again.
const readingMaxMs = 60_000;

/// A header's value is bytes: the server takes them for UTF-8.
function asBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text.replace(/\s+/g, " ").trim()));
}

function headersOf(method: string, request: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  if (token.get()) headers["Authorization"] = `Bearer ${asBytes(token.get())}`;
  if (request.reason) headers["X-Concerto-Reason"] = asBytes(request.reason);
  if (method === "POST") headers["Content-Type"] = "application/json";
  return headers;
}

function signalOf(method: string, signal: AbortSignal | undefined): AbortSignal | undefined {
  if (method !== "GET") return signal;
  const limit = AbortSignal.timeout(readingMaxMs);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

/// Sends a request, and reads the answer to its end.
async function send(method: string, path: string, request: Request): Promise<Answer> {
  const query = Object.entries(request.query ?? {}).map(([name, value]) => [name, String(value)]);
  const url = query.length > 0 ? `${path}?${new URLSearchParams(query)}` : path;
  const init: RequestInit = { method, headers: headersOf(method, request), cache: "no-store" };
  if (request.body !== undefined) init.body = JSON.stringify(request.body);
  const signal = signalOf(method, request.signal);
  if (signal) init.signal = signal;
  const asked = token.get();
  const begin = performance.now();
  try {
    const response = await fetch(url, init);
    serverClock.learn(response.headers.get("Date"), begin, performance.now());
    const text = await response.text();
    noteToken(asked, path, response);
    return { response, text };
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new ApiError("away", 0, error instanceof Error ? error.message : String(error));
  }
}

/// A token that is not known any more is asked for; one that is known again is not.
function noteToken(asked: string, path: string, response: Response): void {
  if (asked !== token.get()) return;
  if (response.status === 401) {
    refusedPaths.add(path);
    needsToken.set(true);
  } else if (response.ok && refusedPaths.has(path)) {
    refusedPaths.clear();
    needsToken.set(false);
  }
}

function isHtml({ response, text }: Answer): boolean {
  return /html/i.test(response.headers.get("Content-Type") ?? "") || /^\s*<(!|html)/i.test(text);
}

/// Of an answer that is not the coordinator's.
function strange({ response, text }: Answer): ApiError {
  const title = /<title>\s*([^<]{1,80})/i.exec(text)?.[1]?.trim();
  const type = response.headers.get("Content-Type") ?? "";
  return new ApiError("strange", response.status,
                      `${response.status} ${title ?? type}`.trim());
}

const faults: Record<number, Fault> = {
  401: "token", 403: "forbidden", 429: "limited", 503: "unready",
};

function refused(answer: Answer): ApiError {
  const { response: { status }, text } = answer;
  const fault = faults[status] ?? "refused";
  try {
    const value = JSON.parse(text) as { message?: string; error?: string } | null;
    return new ApiError(fault, status, value?.message ?? value?.error ?? `${status}`);
  } catch {
    // The coordinator itself has no gateways, and writes no markup.
    if (isHtml(answer) || status === 502 || status === 504) return strange(answer);
    return new ApiError(fault, status, text.slice(0, 200) || `${status}`);
  }
}

/// The object that the coordinator has answered with. It has this member.
function objectIn<T>(answer: Answer, member?: string): T {
  try {
    const value: unknown = JSON.parse(answer.text);
    if (typeof value === "object" && value !== null && (!member || member in value)) {
      return value as T;
    }
  } catch {
    // See below.
  }
  throw strange(answer);
}

export async function get<T>(path: string, query: Parameters = {},
                             signal?: AbortSignal): Promise<T> {
  const answer = await whilePending(send("GET", path, { query, signal }));
  if (!answer.response.ok) throw refused(answer);
  return objectIn<T>(answer, members[path]);
}

export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  const answer = await whilePending(send("GET", path, { signal }));
  if (!answer.response.ok) throw refused(answer);
  if (isHtml(answer)) throw strange(answer);
  return answer.text;
}

/// As `get`, also if the status says that something is wrong, as that of a probe does.
export async function getAnyStatus<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await whilePending(send("GET", path, { signal }));
  if ([401, 403, 429].includes(answer.response.status)) throw refused(answer);
  return objectIn<T>(answer, members[path]);
}

export async function act<T>(method: "POST" | "DELETE", path: string,
                             request: Request = {}): Promise<T> {
  const answer = await whilePending(send(method, path, request));
  if (!answer.response.ok) throw refused(answer);
  return objectIn<T>(answer);
}

export const paths = {
  all: "/api/dtmsvr/all",
  query: "/api/dtmsvr/query",
  retryOne: "/api/dtmsvr/resetNextCronTime",
  stopOne: "/api/dtmsvr/forceStop",
  scan: "/api/dtmsvr/scanKV",
  subscribe: "/api/dtmsvr/subscribe",
  unsubscribe: "/api/dtmsvr/unsubscribe",
  topic: "/api/dtmsvr/topic/",
  version: "/api/dtmsvr/version",
  audit: "/api/concerto/audit",
  count: "/api/concerto/count",
  damaged: "/api/concerto/damaged",
  retry: "/api/concerto/retry",
  stop: "/api/concerto/stop",
  skip: "/api/concerto/skip",
  edit: "/api/concerto/edit",
  jobs: "/api/concerto/jobs",
  cancelJob: "/api/concerto/cancelJob",
  pauses: "/api/concerto/pauses",
  pause: "/api/concerto/pause",
  resume: "/api/concerto/resume",
  begin: "/api/concerto/begin",
  backup: "/api/concerto/backup",
  metrics: "/metrics",
  ready: "/readyz",
  openapi: "/api/openapi.json",
  console: `${base}/admin/console.json`,
} as const;

/// What each answer has. Something else that answers JSON, such as a page to sign in, has not.
const members: Record<string, string> = {
  [paths.all]: "transactions", [paths.query]: "branches", [paths.scan]: "kv",
  [paths.version]: "version", [paths.audit]: "records", [paths.count]: "groups",
  [paths.jobs]: "jobs", [paths.pauses]: "pauses", [paths.backup]: "backups",
  [paths.openapi]: "paths", [paths.ready]: "status", [paths.console]: "viewer",
  [paths.damaged]: "total",
};
