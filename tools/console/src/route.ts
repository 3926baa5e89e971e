// The views and their addresses. Each address can be kept, sent and opened again.

import { Store } from "./store";

export const views = [
  "overview", "unfinished", "failed", "damaged", "search", "topics", "coordinator", "cluster",
  "pauses", "jobs", "backups", "audit",
] as const;
export type ListedView = (typeof views)[number];
export type View = ListedView | "transaction";

export interface Route {
  view: View;
  gid: string;
  query: URLSearchParams;
}

/// AdminBasePath of the server.
export const base =
  document.querySelector<HTMLMetaElement>('meta[name="concerto-base"]')?.content ?? "";

const root = `${base}/admin/`;

// Views of the reference's admin page.
const formerViews: Record<string, View> = {
  "global-transactions/all": "search",
  "global-transactions/unfinished": "unfinished",
  "global-transactions": "search",
  transactions: "search",
  "kv/topics": "topics",
  kv: "topics",
};

export function parseRoute(path: string, search: string): Route {
  const query = new URLSearchParams(search);
  const rest = path.startsWith(root) ? path.slice(root.length).replace(/\/+$/, "") : "";
  const slash = rest.indexOf("/");
  const first = slash < 0 ? rest : rest.slice(0, slash);
  if (first === "transaction") {
    const gid = slash > 0 ? decode(rest.slice(slash + 1)) : query.get("gid") ?? "";
    if (gid !== "") return { view: "transaction", gid, query };
  }
  const listed = views.find((view) => view === rest);
  return { view: listed ?? formerViews[rest] ?? formerViews[first] ?? "overview", gid: "", query };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function pathOf(view: ListedView, query: Record<string, string> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const search = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  return `${root}${view}${search}`;
}

/// Browsers take steps such as `..` out of a path, however they are written.
export function pathOfTransaction(gid: string): string {
  return /^\.\.?$/.test(gid) ? `${root}transaction?${new URLSearchParams({ gid })}`
    : `${root}transaction/${encodeURIComponent(gid)}`;
}

function current(): Route {
  return parseRoute(location.pathname, location.search);
}

export const route = new Store<Route>(current());

export function go(path: string): void {
  history.pushState(null, "", path);
  route.set(current());
  scrollTo(0, 0);
}

/// Another query of the same view. The history gets no entry for each letter that is typed.
export function changeQuery(query: Record<string, string>): void {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const search = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  history.replaceState(null, "", location.pathname + search);
  route.set(current());
}

/// Links within the console change the view; all others, and those that are to be opened elsewhere,
/// are left to the browser.
function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const path = link?.getAttribute("href") ?? "";
  if (!link || link.target || !path.startsWith(root)) return;
  event.preventDefault();
  go(path);
}

export function startRouting(): void {
  document.addEventListener("click", follow);
  addEventListener("popstate", () => route.set(current()));
}
