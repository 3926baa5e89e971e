// Requests to the server.

import { Store } from "./store";

const tokenKey = "concerto.token";

/// The token that the operator has entered. It is kept until the tab is closed, and sent to this
/// server alone.
export const token = new Store<string>(sessionStorage.getItem(tokenKey) ?? "");

/// Whether the server has refused a request because nobody is known.
export const needsToken = new Store<boolean>(false);

export function enterToken(value: string): void {
  if (value) sessionStorage.setItem(tokenKey, value);
  else sessionStorage.removeItem(tokenKey);
  needsToken.set(false);
  token.set(value);
}

export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export type Parameters = Record<string, string | number | boolean>;

interface Request {
  query?: Parameters;
  body?: unknown;
  reason?: string;
  signal?: AbortSignal;
}

/// A header's value is bytes: the server takes them for UTF-8.
function asBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text.replace(/\s+/g, " ").trim()));
}

async function send(method: string, path: string, request: Request): Promise<Response> {
  const headers: Record<string, string> = {};
  if (token.get()) headers["Authorization"] = `Bearer ${asBytes(token.get())}`;
  if (request.reason) headers["X-Concerto-Reason"] = asBytes(request.reason);
  if (method === "POST") headers["Content-Type"] = "application/json";
  const query = Object.entries(request.query ?? {}).map(([name, value]) => [name, String(value)]);
  const url = query.length > 0 ? `${path}?${new URLSearchParams(query)}` : path;
  const init: RequestInit = { method, headers, cache: "no-store" };
  if (request.body !== undefined) init.body = JSON.stringify(request.body);
  if (request.signal) init.signal = request.signal;
  return fetch(url, init);
}

async function refused(response: Response): Promise<ApiError> {
  if (response.status === 401) needsToken.set(true);
  const text = await response.text();
  try {
    const value = JSON.parse(text) as { message?: string; error?: string };
    return new ApiError(response.status, value.message ?? value.error ?? `${response.status}`);
  } catch {
    return new ApiError(response.status, text.slice(0, 200) || `${response.status}`);
  }
}

export async function get<T>(path: string, query: Parameters = {},
                             signal?: AbortSignal): Promise<T> {
  const response = await send("GET", path, signal ? { query, signal } : { query });
  if (!response.ok) throw await refused(response);
  return (await response.json()) as T;
}

export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  const response = await send("GET", path, signal ? { signal } : {});
  if (!response.ok) throw await refused(response);
  return response.text();
}

/// As `get`, also if the status says that something is wrong, as that of a probe does.
export async function getAnyStatus<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send("GET", path, signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function act<T>(method: "POST" | "DELETE", path: string,
                             request: Request = {}): Promise<T> {
  const response = await send(method, path, request);
  if (!response.ok) throw await refused(response);
  return (await response.json()) as T;
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
} as const;
