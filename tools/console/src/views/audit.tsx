import { useState } from "preact/hooks";

import { get, paths } from "../api";
import { seen, when } from "../format";
import { useLive } from "../live";
import { Awaited, Empty, Field, Heading, Note, Problem, useSettled } from "../parts/bits";
import { type Column, Table } from "../parts/table";
import { changeQuery, pathOfTransaction, type Route } from "../route";
import type { AuditPage, AuditRecord } from "../types";
import { named, say } from "../words";

const interval = 5000;
const pageRows = 500;

const keyOf = (record: AuditRecord) => `${record.id} ${record.event} ${record.ts}`;

/// The transaction, the first of several, or the topic.
function whatOf({ gid, gids, topic }: AuditRecord) {
  const first = gid ?? gids?.[0];
  if (!first) return seen(topic);
  const others = (gids?.length ?? 1) - 1;
  return (
    <span title={seen(gids?.join(" "))}>
      <a href={pathOfTransaction(first)} tabIndex={-1}>{seen(first)}</a>
      {others > 0 && ` +${others}`}
    </span>
  );
}

function columns(): Column<AuditRecord>[] {
  return [
    { key: "ts", head: say("time"), width: "11.5rem", cell: (each) => when(each.ts) },
    { key: "action", head: say("action"), width: "minmax(8rem, 1fr)",
      cell: (each) => seen(each.action) },
    { key: "event", head: say("event"), width: "5.5rem",
      cell: (each) => <span class={`event-${each.event}`}>{named("event", each.event)}</span> },
    { key: "gid", head: say("gid"), width: "minmax(9rem, 1.2fr)",
      cell: whatOf },
    { key: "caller", head: say("caller"), width: "minmax(6rem, .8fr)",
      cell: (each) => seen(each.caller ?? each.from) },
    { key: "reason", head: say("reason"), width: "minmax(9rem, 1.6fr)",
      cell: (each) => <span title={seen(each.reason)}>{seen(each.reason)}</span> },
    { key: "result", head: say("result"), width: "minmax(9rem, 1.6fr)",
      cell: (each) => {
        const text = seen([each.result, each.details].filter(Boolean).join(" · "));
        return <span title={text}>{text}</span>;
      } },
  ];
}

/// Pages that have no record that fits are passed by, up to a limit.
async function readAudit(query: Record<string, string>, wanted: number,
                         signal: AbortSignal): Promise<AuditPage> {
  const found: AuditPage = { kept: true, records: [], next_position: "" };
  const filters = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ""));
  for (let pages = 0; pages < 20 && found.records.length < wanted; pages += 1) {
    const page = await get<AuditPage>(
      paths.audit, { ...filters, limit: pageRows, position: found.next_position }, signal);
    found.kept = page.kept;
    found.records.push(...page.records);
    found.next_position = page.next_position;
    if (!page.next_position) break;
  }
  return found;
}

export function Audit({ route }: { route: Route }) {
  const query = {
    gid: route.query.get("gid") ?? "", caller: route.query.get("caller") ?? "",
    action: route.query.get("action") ?? "",
  };
  const asked = useSettled(JSON.stringify(query), 300);
  const [wanted, setWanted] = useState(pageRows);
  const { value, error } = useLive(
    `audit ${asked} ${wanted}`, interval,
    (signal) => readAudit(JSON.parse(asked) as Record<string, string>, wanted, signal));
  const change = (some: Partial<typeof query>) => changeQuery({ ...query, ...some });
  return (
    <section class="list">
      <Heading title={say("audit")}>
        {value?.next_position && (
          <button type="button" onClick={() => setWanted(value.records.length + pageRows)}>
            {say("earlier")}</button>)}
      </Heading>
      <div class="filters" role="search" aria-label={say("filters")}>
        <Field label={say("gid")} value={query.gid} onInput={(gid) => change({ gid })}
               class="grow" />
        <Field label={say("caller")} value={query.caller}
               onInput={(caller) => change({ caller })} />
        <Field label={say("action")} value={query.action}
               onInput={(action) => change({ action })} />
      </div>
      <Problem error={error} />
      {!value ? <Awaited error={error} />
        : !value.kept ? <Note kind="info">{say("noAudit")}</Note>
        : value.records.length === 0
          ? <Empty error={error}>{say("noRecord")}</Empty>
        : <Table label={say("audit")} rows={value.records} columns={columns()} keyOf={keyOf} />}
    </section>
  );
}
