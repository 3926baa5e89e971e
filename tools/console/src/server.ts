// What this server has, and what the caller may do there.

import { get, paths, token } from "./api";
import { base } from "./route";
import { Store } from "./store";
import type { Facts } from "./types";

export interface Server extends Facts {
  version: string;
  /// The paths of the API.
  routes: ReadonlySet<string>;
}

const nothingKnown: Server = {
  modes: [], viewer: false, operator: false, version: "", routes: new Set(),
};

export const server = new Store<Server>(nothingKnown);

export function has(known: Server, path: string): boolean {
  return known.routes.has(path);
}

/// Asks again, as after another token was entered.
export async function askServer(): Promise<void> {
  const asked = token.get();
  const facts = await get<Facts>(`${base}/admin/console.json`);
  const [version, openapi] = await Promise.all([
    get<{ version: string }>(paths.version).then((answer) => answer.version, () => ""),
    get<{ paths: Record<string, unknown> }>(paths.openapi).then(
      (answer) => Object.keys(answer.paths), () => [] as string[]),
  ]);
  if (asked !== token.get()) return;
  server.set({ ...facts, version, routes: new Set(openapi) });
}
