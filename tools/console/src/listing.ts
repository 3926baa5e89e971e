// Long lists of transactions, page by page, that stay up to date.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { get, paths, token, type Parameters } from "./api";
import { serverNow } from "./clock";
import { forget, reportAnswer, reportFault } from "./faults";
import { waitAfter, waitFor } from "./live";
import { forgetTime, reportTime } from "./pending";
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

/// How far the lists were read.
interface Cursor {
  lists: Parameters[];
  at: number;
  position: string;
  rows: Transaction[];
  known: Set<string>;
}

/// Reads on until there are `wanted` rows. `show` is called after each page.
async function advance(cursor: Cursor, wanted: number, signal: AbortSignal,
                       show: () => void): Promise<void> {
  while (cursor.at < cursor.lists.length && cursor.rows.length < wanted) {
    const query = { ...cursor.lists[cursor.at], explain: true, limit: pageRows,
                    position: cursor.position };
    const page = await get<TransactionPage>(paths.all, query, signal);
    for (const each of page.transactions ?? []) {
      if (cursor.known.has(each.gid)) continue;
      cursor.known.add(each.gid);
      cursor.rows.push(each);
    }
    cursor.position = page.next_position;
    if (!cursor.position) cursor.at += 1;
    show();
  }
}

/// The turns in which one listing is read: anew from time to time, and on when more rows are
/// wanted.
class Reader {
  wanted = pageRows;
  private cursor: Cursor | undefined;
  private readonly abort = new AbortController();
  private timer = 0;
  private failures = 0;
  private busy = false;
  private again: "no" | "on" | "anew" = "no";

  constructor(private readonly lists: () => Parameters[],
              private readonly show: (state: State) => void,
              private readonly fail: (error: Error) => void) {}

  close(): void {
    this.abort.abort();
    clearTimeout(this.timer);
    forget(this);
    forgetTime(this);
  }

  want(rows: number): void {
    if (rows <= this.wanted) return;
    this.wanted = Math.min(rowsMax, rows);
    void this.turn(false);
  }

  async turn(isAnew: boolean): Promise<void> {
    if (this.busy) {
      if (this.again !== "anew") this.again = isAnew ? "anew" : "on";
      return;
    }
    clearTimeout(this.timer);
    if (this.abort.signal.aborted || document.hidden) return;
    this.busy = true;
    this.again = "no";
    const begin = performance.now();
    let wait = interval;
    try {
      await this.read(isAnew);
      if (this.abort.signal.aborted) return;
      this.failures = 0;
      reportAnswer(this);
      wait = waitFor(interval, performance.now() - begin, 0);
    } catch (failure) {
      if (this.abort.signal.aborted) return;
      this.failures += 1;
      const error = failure instanceof Error ? failure : new Error(String(failure));
      this.fail(error);
      reportFault(this, error, () => void this.turn(true));
      wait = waitAfter(error, interval, performance.now() - begin, this.failures);
    } finally {
      this.busy = false;
    }
    reportTime(this, performance.now() - begin);
    const isNext = this.again as "no" | "on" | "anew";
    this.timer = window.setTimeout(() => void this.turn(isNext !== "on"),
                                   isNext === "no" || this.failures > 0 ? wait : 0);
  }

  /// A list that is read anew is shown when as much is there as before, so that no row jumps.
  private async read(isAnew: boolean): Promise<void> {
    const before = this.cursor;
    const cursor = isAnew || !before
      ? { lists: this.lists(), at: 0, position: "", rows: [], known: new Set<string>() } : before;
    const show = () => {
      if (this.abort.signal.aborted) return;
      const more = cursor.at < cursor.lists.length;
      this.show({ rows: [...cursor.rows], more, loaded: true, error: undefined });
    };
    const isQuiet = before !== undefined && cursor !== before;
    await advance(cursor, this.wanted, this.abort.signal, isQuiet ? () => undefined : show);
    this.cursor = cursor;
    show();
  }
}

/// `key` says what the lists are: with another one, the listing begins anew. `least`: as many rows
/// are read at least.
export function useListing(key: string, lists: Lists, least: number): Listing {
  const [state, setState] = useState<State & { key: string }>({ ...nothing, key });
  const reader = useRef<Reader>();
  const latest = useRef(lists);
  latest.current = lists;
  const credentials = token.use();

  useEffect(() => {
    const own = new Reader(
      () => latest.current(serverNow()),
      (next) => setState({ ...next, key }),
      (error) => setState((old) => ({ ...(old.key === key ? old : { ...nothing, key }), error })));
    reader.current = own;
    const seenAgain = () => void own.turn(true);
    document.addEventListener("visibilitychange", seenAgain);
    void own.turn(true);
    return () => {
      own.close();
      document.removeEventListener("visibilitychange", seenAgain);
    };
  }, [key, credentials]);
  useEffect(() => reader.current?.want(least), [least, key, credentials]);

  const { rows, more, loaded, error } = state.key === key ? state : nothing;
  const shown = rows.length;
  const loadMore = useCallback(() => {
    // A long list grows by larger parts, so that its end can be reached.
    if (more) reader.current?.want(shown + Math.max(2 * pageRows, shown));
  }, [more, shown]);
  const refresh = useCallback(() => void reader.current?.turn(true), []);
  return { rows, more, loaded, error, loadMore, refresh };
}
