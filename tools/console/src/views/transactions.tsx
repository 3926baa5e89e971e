// Lists of transactions: unfinished (the stuck ones first), failed, and all.

import { useCallback, useEffect, useMemo, useState } from "preact/hooks";

import { get, paths } from "../api";
import { explanationOf, type Filters, filtersOf, fitting, listsOf, noFilters, selectionOf }
  from "../filters";
import { age, count, duration, isFinished, seen, when } from "../format";
import { stuckAfterS, useListing } from "../listing";
import { Awaited, Choice, Empty, Field, Heading, Problem, StatusMark, useNow, useSettled }
  from "../parts/bits";
import { BulkBar } from "../parts/bulk";
import { type Column, Table } from "../parts/table";
import { changeQuery, go, type ListedView, pathOfTransaction, type Route } from "../route";
import { server } from "../server";
import type { Transaction, TransactionPage } from "../types";
import { say } from "../words";

const statuses = ["prepared", "submitted", "aborting", "succeed", "failed"];
/// So many are read for a search in what is shown.
const searchedRows = 10_000;
/// So many are searched at each letter; more, when nobody has typed for some time.
const searchedAtOnce = 20_000;
const settledMs = 150;
/// So many transactions can be named in one request (docs/operations.md).
const namedMax = 1000;

const keyOf = (row: Transaction) => row.gid;
const open = (row: Transaction) => go(pathOfTransaction(row.gid));

/// When it is called next, or when it has ended.
function timeOf(row: Transaction): string {
  const end = row.why?.end_time ?? row.finish_time ?? row.rollback_time;
  return isFinished(row.status) ? when(end) : when(row.why?.next_attempt_time);
}

/// `view`: one that has finished transactions names their end.
function columnsAt(now: number, view: ListedView): Column<Transaction>[] {
  const isStuck = (row: Transaction) =>
    !isFinished(row.status) && age(row.create_time, now) >= stuckAfterS;
  return [
    { key: "gid", head: say("gid"), width: "minmax(12.5rem, 1.6fr)",
      cell: (row) => <a href={pathOfTransaction(row.gid)} tabIndex={-1}
                        title={seen(row.gid)}>{seen(row.gid)}</a> },
    { key: "mode", head: say("mode"), width: "5rem", cell: (row) => seen(row.trans_type) },
    { key: "status", head: say("status"), width: "10.5rem",
      cell: (row) => (
        <><StatusMark status={row.status} />
          {isStuck(row) && <span class="mark">{say("stuck")}</span>}</>) },
    { key: "age", head: say("age"), width: "6.5rem",
      cell: (row) => <span title={when(row.create_time)}>
        {duration(Math.floor(age(row.create_time, now)))}</span> },
    { key: "at", head: say("at"), width: "minmax(8rem, 1.6fr)",
      cell: (row) => {
        const urls = seen(row.why?.urls.join(" ") ?? "");
        return <span title={urls}>{urls}</span>;
      } },
    { key: "why", head: say("why"), width: "minmax(10rem, 2fr)",
      cell: (row) => <span title={explanationOf(row)}>{explanationOf(row)}</span> },
    { key: "next", width: "11.5rem", cell: timeOf,
      head: say(view === "failed" ? "finished" : view === "search" ? "nextOrEnd" : "nextTry") },
  ];
}

/// The transaction whose whole gid was typed, if it is not in the list.
function useExact(words: string, rows: readonly Transaction[]): Transaction | undefined {
  const gid = useSettled(words.trim(), 250);
  const [found, setFound] = useState<Transaction>();
  const isThere = rows.some((row) => row.gid === gid);
  useEffect(() => {
    setFound(undefined);
    if (gid === "" || /\s/.test(gid) || isThere) return;
    const abort = new AbortController();
    get<TransactionPage>(paths.all, { gid, explain: true }, abort.signal)
      .then((page) => setFound(page.transactions?.[0]), () => undefined);
    return () => abort.abort();
  }, [gid, isThere]);
  return found?.gid === words.trim() ? found : undefined;
}

function FilterBar({ view, filters, change }: {
  view: ListedView; filters: Filters; change: (filters: Partial<Filters>) => void }) {
  const known = server.use();
  const modes = known.modes.map((mode) => [mode, mode] as const);
  const isAny = Object.values(filters).some((value) => value !== "");
  return (
    <div class="filters" role="search" aria-label={say("filters")}>
      <Field label={say("searchWords")} type="search" class="grow" value={filters.words}
             onInput={(words) => change({ words })} />
      <Choice label={say("mode")} value={filters.mode} onChange={(mode) => change({ mode })}
              options={[["", say("anyMode")], ...modes]} />
      {view === "search" && (
        <Choice label={say("status")} value={filters.status}
                onChange={(status) => change({ status })}
                options={[["", say("anyStatus")],
                          ...statuses.map((status) => [status, status] as const)]} />)}
      <Field label={say("target")} value={filters.target}
             onInput={(target) => change({ target })} />
      <Field label={say("lastError")} value={filters.error}
             onInput={(error) => change({ error })} />
      <Field label={say("olderThan")} value={filters.age} inputMode="numeric" class="narrow"
             onInput={(value) => change({ age: value })} />
      {known.selectsBy.includes("topic") && (
        <Field label={say("topic")} value={filters.topic} onInput={(topic) => change({ topic })}
               class="narrow" />)}
      {known.selectsBy.includes("owner") && known.node && (
        <Field label={say("owner")} value={filters.owner} onInput={(owner) => change({ owner })}
               class="narrow" />)}
      {isAny && <button type="button" onClick={() => change(noFilters)}>{say("clear")}</button>}
    </div>
  );
}

export function Transactions({ view, route }: { view: ListedView; route: Route }) {
  const filters = filtersOf(route.query);
  const change = (some: Partial<Filters>) => changeQuery({ ...filters, ...some });
  const asked = useSettled(JSON.stringify({ ...filters, words: "" }), 300);
  const listing = useListing(
    `${view} ${asked}`, (now) => listsOf(view, JSON.parse(asked) as Filters, now),
    filters.words ? searchedRows : 0);
  const exact = useExact(filters.words, listing.rows);
  const typed = useSettled(filters.words, settledMs);
  const words = listing.rows.length > searchedAtOnce ? typed : filters.words;
  const rows = useMemo(() => {
    const found = fitting(listing.rows, words);
    return exact ? [exact, ...found] : found;
  }, [listing.rows, words, exact]);

  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback((row: Transaction) => setSelected((old) => {
    const next = new Set(old);
    if (!next.delete(row.gid)) next.add(row.gid);
    return next;
  }), []);
  const now = Math.floor(useNow() / 1000) * 1000;
  const known = server.use();
  const isFiltered = Object.values(filters).some((value) => value !== "");
  const isSettled = words === filters.words;
  const canAct = known.operator && known.routes.has(paths.retry);
  const canSelect = isSettled && canAct && view !== "failed";
  // The server knows nothing of the words: then those that are shown are named one by one.
  const named = useMemo(() => selected.size > 0 || words === "" ? selected
    : new Set(rows.filter((row) => !isFinished(row.status)).slice(0, namedMax)
                  .map((row) => row.gid)), [selected, words, rows]);
  const clear = () => {
    setSelected(new Set());
    if (filters.words) change({ words: "" });
  };
  const columns = columnsAt(now, view);
  if (canSelect) {
    columns.unshift({
      key: "select", head: say("select"), width: "3.6rem",
      cell: (row) => (
        <input type="checkbox" tabIndex={-1} checked={selected.has(row.gid)}
               aria-label={`${say("select")} ${seen(row.gid)}`} onChange={() => toggle(row)} />),
    });
  }

  const shown = rows.length === listing.rows.length
    ? say("shown", { count: `${count(rows.length)}${listing.more ? "+" : ""}` })
    : say("shownOf", { count: count(rows.length), all: count(listing.rows.length) });
  return (
    <section class="list">
      <Heading title={say(view as "unfinished" | "failed" | "search")}>
        <span class="quiet" role="status">
          {listing.loaded ? shown : !listing.error && say("loading")}</span>
        {view !== "failed" && (
          <BulkBar mayAct={canSelect && rows.length > 0} selected={named}
                   selection={selectionOf(view, filters)} clear={clear} done={listing.refresh} />)}
      </Heading>
      <FilterBar view={view} filters={filters} change={change} />
      <Problem error={listing.error} />
      {!listing.loaded || (rows.length === 0 && listing.more) ? <Awaited error={listing.error} />
        : rows.length === 0 ? <Empty error={listing.error}>
            {say(view === "unfinished" && !isFiltered ? "noneStuck" : "none")}</Empty>
        : <Table label={say(view as "unfinished" | "failed" | "search")} rows={rows}
                 columns={columns} keyOf={keyOf} onOpen={open} onEnd={listing.loadMore}
                 {...(canSelect ? { selected, onSelect: toggle } : {})} />}
    </section>
  );
}
