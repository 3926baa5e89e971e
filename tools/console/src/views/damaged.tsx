// What this coordinator could not read or use.

import { get, paths } from "../api";
import { count, seen } from "../format";
import { useLive } from "../live";
import { Awaited, Empty, Heading, Problem } from "../parts/bits";
import { pathOf, pathOfTransaction } from "../route";
import { readiness } from "../server";
import type { DamagedPage } from "../types";
import { named, say } from "../words";

const interval = 5000;
const recordsMax = 1000;
/// Of these the overview tells.
const recordsShown = 5;

/// The first `most`, by name.
function useDamaged(most: number) {
  return useLive<DamagedPage>(`damaged ${most}`, interval,
                              (signal) => get(paths.damaged, { limit: most }, signal));
}

/// What has been met is told also while the store cannot be read. If that is nothing, nobody knows
/// what is damaged.
function Nothing({ error }: { error: Error | undefined }) {
  const ready = readiness.use();
  const reasons = (ready?.reasons?.length ?? 0) - (ready?.paused ? 1 : 0);
  if (!error && reasons > 0) return <p class="empty">{say("notKnown")}</p>;
  return <Empty error={error}>{say("noDamage")}</Empty>;
}

export function Damaged() {
  const { value, error } = useDamaged(recordsMax);
  const shown = value?.records.length ?? 0;
  const sentence = shown < (value?.total ?? 0) ? "recordsOf" : "records";
  return (
    <section>
      <Heading title={say("damaged")}>
        {value && shown > 0 && <span class="quiet" role="status">
          {say(sentence, { count: count(shown), all: count(value.total) })}</span>}
      </Heading>
      <p class="quiet">{say("damagedHint")}</p>
      <Problem error={error} />
      {!value ? <Awaited error={error} /> : shown === 0 ? <Nothing error={error} />
        : <Records records={value.records} />}
    </section>
  );
}

/// The part of the overview: nothing, as long as no record is known to be damaged.
export function DamagedNow() {
  const { value } = useDamaged(recordsShown);
  if (!value || value.records.length === 0) return null;
  return (
    <>
      <div class="heading">
        <h2>{say("damaged")}</h2>
        <span class="bad">{say("records", { count: count(value.total) })}</span>
        <a href={pathOf("damaged")}>{say("showDamaged")}</a>
      </div>
      <Records records={value.records} />
    </>
  );
}

function Records({ records }: { records: DamagedPage["records"] }) {
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label={say("damaged")}>
      <table>
        <thead><tr><th>{say("kind")}</th><th>{say("name")}</th><th>{say("why")}</th></tr></thead>
        <tbody>
          {records.map((each) => (
            <tr key={`${each.kind} ${each.name}`}>
              <td class="whole">{named("damaged", each.kind)}</td>
              <td>{each.kind === "transaction"
                ? <a href={pathOfTransaction(each.name)}>{seen(each.name)}</a> : seen(each.name)}
              </td>
              <td class="answer">{seen(each.error)}</td>
            </tr>))}
        </tbody>
      </table>
    </div>
  );
}
