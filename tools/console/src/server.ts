// What this server has, and what the caller may do there.

import { get, paths, token } from "./api";
import { Store } from "./store";
import type { Facts, Readiness } from "./types";

export interface Server extends Facts {
  version: string;
  /// The paths of the API.
  routes: ReadonlySet<string>;
  /// What unfinished transactions can be counted by.
  countsBy: readonly string[];
  /// What lists can be selected by.
  selectsBy: readonly string[];
}

/// The parts of `/api/openapi.json` that matter here.
interface Description {
  paths: Record<string, {
    get?: { parameters?: { name?: string; schema?: { enum?: string[] } }[] };
  }>;
}

function parametersIn(description: Description, path: string) {
  return description.paths[path]?.get?.parameters ?? [];
}

function countsByIn(description: Description): string[] {
  const parameters = parametersIn(description, paths.count);
  return parameters.find((each) => each.name === "by")?.schema?.enum ?? [];
}

const nothingKnown: Server = {
  modes: [], viewer: false, operator: false, version: "", routes: new Set(), countsBy: [],
  selectsBy: [],
};

export const server = new Store<Server>(nothingKnown);

/// What `/readyz` says; nothing, while it says nothing.
export const readiness = new Store<Readiness | undefined>(undefined);

/// How often it was found that the server should be asked anew.
export const asks = new Store<number>(0);

/// Asks the server anew what the caller may do.
export function askAgain(): void {
  asks.set(asks.get() + 1);
}

export function has(known: Server, path: string): boolean {
  return known.routes.has(path);
}

/// Asks again, as after another token was entered.
export async function askServer(): Promise<void> {
  const asked = token.get();
  const facts = await get<Facts>(paths.console);
  const [version, openapi] = await Promise.all([
    get<{ version: string }>(paths.version).then((answer) => answer.version, () => ""),
    get<Description>(paths.openapi).catch((): Description => ({ paths: {} })),
  ]);
  if (asked !== token.get()) return;
  server.set({ ...facts, version, routes: new Set(Object.keys(openapi.paths)),
               countsBy: countsByIn(openapi),
               selectsBy: parametersIn(openapi, paths.all).map((each) => each.name ?? "") });
}
