// Long lists of transactions, page by page, that stay up to date.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { get, paths, token, type Parameters } from "./api";
import { waitFor } from "./live";
import type { Transaction, TransactionPage } from "./types";

export const unfinishedStatuses = "prepared,submitted,aborting";
/// Younger ones are at work.
export const stuckAfterS = 60;

const pageRows = 500;
export const rowsMax = 100_000;
const interval = 3000;

/// Lists that are shown one after the other, as they are at this time.
export type Lists = (now: number) => Parameters[];

export interface Listing {
  rows: readonly Transaction[];
  more: boolean;
  /// Whether a first answer has come.
  loaded: boolean;
  error: Error | undefined;
  loadMore: () => void;
  refresh: () => void;
}

type State = Omit<Listing, "loadMore" | "refresh">;

const nothing: State = { rows: [], more: false, loaded: false, error: undefined };

/// Reads the lists until there are `wanted` rows. `show` gets what is there after each page.
export async function walk(lists: Parameters[], wanted: number, signal: AbortSignal,
                           show: (rows: Transaction[]) => void): Promise<State> {
  const rows: Transaction[] = [];
  const known = new Set<string>();
  for (const [at, list] of lists.entries()) {
    let position = "";
    do {
      if (rows.length >= wanted) return { rows, more: true, loaded: true, error: undefined };
      const query = { ...list, explain: true, limit: pageRows, position };
      const page = await get<TransactionPage>(paths.all, query, signal);
      for (const each of page.transactions ?? []) {
        if (known.has(each.gid)) continue;
        known.add(each.gid);
        rows.push(each);
      }
      position = page.next_position;
      if (position || at + 1 < lists.length) show([...rows]);
    } while (position);
  }
  return { rows, more: false, loaded: true, error: undefined };
}

/// `key` says what the lists are: with another one, the listing begins anew. `least`: as many rows
/// are read at least.
export function useListing(key: string, lists: Lists, least: number): Listing {
  const [state, setState] = useState<State & { key: string }>({ ...nothing, key });
  const wanted = useRef(0);
  const wake = useRef<() => void>(() => undefined);
  const latest = useRef(lists);
  latest.current = lists;
  const credentials = token.use();

  useEffect(() => {
    wanted.current = pageRows;
    wake.current();
  }, [key]);
  useEffect(() => {
    if (least > wanted.current) {
      wanted.current = least;
      wake.current();
    }
  }, [least, key]);

  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    let failures = 0;
    let isFirst = true;
    let busy = false;
    let again = false;
    const turn = async () => {
      clearTimeout(timer);
      again = busy;
      if (busy || abort.signal.aborted || document.hidden) return;
      busy = true;
      const begin = performance.now();
      const show = (rows: Transaction[]) => {
        // A list that is read again is shown when it is complete, so that no row jumps.
        setState((old) => rows.length > old.rows.length || isFirst || old.key !== key
          ? { rows, more: true, loaded: true, error: undefined, key } : old);
      };
      try {
        const goal = Math.min(rowsMax, Math.max(wanted.current, pageRows));
        const found = await walk(latest.current(Date.now()), goal, abort.signal, show);
        if (abort.signal.aborted) return;
        failures = 0;
        isFirst = false;
        setState({ ...found, key });
      } catch (failure) {
        if (abort.signal.aborted) return;
        failures += 1;
        const error = failure instanceof Error ? failure : new Error(String(failure));
        setState((old) => ({ ...(old.key === key ? old : { ...nothing, key }), error }));
      } finally {
        busy = false;
      }
      const wait = again ? 0 : waitFor(interval, performance.now() - begin, failures);
      timer = window.setTimeout(turn, wait);
    };
    wake.current = () => void turn();
    document.addEventListener("visibilitychange", turn);
    void turn();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", turn);
    };
  }, [key, credentials]);

  const own = state.key === key ? state : nothing;
  const isComplete = !own.more;
  const shown = own.rows.length;
  const loadMore = useCallback(() => {
    if (isComplete || wanted.current > shown) return;
    wanted.current = Math.min(rowsMax, shown + 2 * pageRows);
    wake.current();
  }, [isComplete, shown]);
  const refresh = useCallback(() => wake.current(), []);
  const { rows, more, loaded, error } = own;
  return { rows, more, loaded, error, loadMore, refresh };
}
