// What a list selects. The address of the view has it.

import type { Parameters } from "./api";
import { seen } from "./format";
import { stuckAfterS, unfinishedStatuses } from "./listing";
import type { ListedView } from "./route";
import type { Transaction } from "./types";

export interface Filters {
  words: string;
  mode: string;
  status: string;
  target: string;
  error: string;
  age: string;
  topic: string;
  owner: string;
}

export const noFilters: Filters = {
  words: "", mode: "", status: "", target: "", error: "", age: "", topic: "", owner: "",
};

export function filtersOf(query: URLSearchParams): Filters {
  const filters = { ...noFilters };
  for (const name of Object.keys(filters) as (keyof Filters)[]) {
    filters[name] = query.get(name) ?? "";
  }
  return filters;
}

function seconds(age: string): number {
  return Math.max(0, Math.floor(Number(age) || 0));
}

/// What the server selects for a view, as parameters of `all` and members of `select`.
export function selectionOf(view: ListedView, filters: Filters): Parameters {
  const selection: Parameters = {};
  const status = view === "unfinished" ? unfinishedStatuses
    : view === "failed" ? "failed" : filters.status;
  if (status) selection["status"] = status;
  if (filters.mode) selection["transType"] = filters.mode;
  if (filters.target.trim()) selection["target"] = filters.target.trim();
  if (filters.error.trim()) selection["lastError"] = filters.error.trim();
  if (filters.topic.trim()) selection["topic"] = filters.topic.trim();
  if (filters.owner.trim()) selection["owner"] = filters.owner.trim();
  if (seconds(filters.age) > 0) selection["minAge"] = seconds(filters.age);
  return selection;
}

/// The lists of a view, one after the other: of unfinished transactions the stuck ones come first.
export function listsOf(view: ListedView, filters: Filters, now: number): Parameters[] {
  const selection = selectionOf(view, filters);
  if (view !== "unfinished" || seconds(filters.age) >= stuckAfterS) return [selection];
  return [{ ...selection, minAge: stuckAfterS },
          { ...selection, createTimeStart: now - (stuckAfterS + 2) * 1000 }];
}

const haystacks = new WeakMap<Transaction, string>();

function haystack(trans: Transaction): string {
  let text = haystacks.get(trans);
  if (text === undefined) {
    const why = trans.why;
    text = [trans.gid, trans.trans_type, trans.status, why?.urls.join(" "), why?.explanation,
            trans.rollback_reason, why?.attempts.map((each) => each.answer).join(" ")]
      .join(" ").toLowerCase();
    haystacks.set(trans, text);
  }
  return text;
}

/// The rows in which each word occurs somewhere.
export function fitting(rows: readonly Transaction[], words: string): readonly Transaction[] {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (wanted.length === 0) return rows;
  return rows.filter((row) => wanted.every((word) => haystack(row).includes(word)));
}

export function explanationOf(trans: Transaction): string {
  return seen(trans.why?.explanation ?? trans.rollback_reason ?? "");
}
