// Who works on what in a shared store.

import { get, paths } from "../api";
import { age, count, duration, seen } from "../format";
import { unfinishedStatuses } from "../listing";
import { useLive } from "../live";
import { Awaited, Heading, Note, Problem, useNow } from "../parts/bits";
import { pathOf } from "../route";
import { server, type Server } from "../server";
import type { Counts } from "../types";
import { say } from "../words";

const interval = 5000;
/// What the server calls transactions that nobody has.
const noOwner = "nobody";

export function Cluster() {
  const known = server.use();
  return (
    <section>
      <Heading title={say("cluster")}>
        {known.node && <span class="quiet">{say("thisIs", { node: seen(known.node) })}</span>}
      </Heading>
      {known.version !== "" && !known.node && known.viewer && (
        <Note kind="info">{say("notShared")}</Note>)}
      {known.viewer && known.node && known.countsBy.includes("owner") && <Owners known={known} />}
    </section>
  );
}

/// Each coordinator that has leases. This one is shown even if it has none.
function Owners({ known }: { known: Server }) {
  const now = useNow();
  const { value, error } = useLive<Counts>("owners", interval, (signal) => get(
    paths.count, { by: "owner", status: unfinishedStatuses }, signal));
  const groups = value?.groups ?? [];
  const isListed = groups.some((each) => each.value === known.node);
  const rows = isListed ? groups : [...groups, { value: known.node ?? "", count: 0 }];
  return (
    <>
      <p class="quiet">{say("clusterHint")}</p>
      <Problem error={error} />
      {!value ? <Awaited error={error} /> : (
        <div class="scrolls" tabIndex={0} role="region" aria-label={say("owners")}>
          <table>
            <thead><tr><th>{say("coordinator")}</th><th>{say("unfinishedCount")}</th>
              <th>{say("oldest")}</th><th>{say("transactions")}</th></tr></thead>
            <tbody>{rows.map((each) => (
              <Owner key={each.value} owner={each} known={known} now={now} />))}</tbody>
          </table>
        </div>)}
    </>
  );
}

function Owner({ owner, known, now }: {
  owner: Counts["groups"][number]; known: Server; now: number }) {
  const isListable = owner.count > 0 && known.selectsBy.includes("owner");
  return (
    <tr>
      <td>{owner.value === noOwner ? say("atRest") : seen(owner.value)}
        {owner.value === known.node && <span class="mark">{say("thisOne")}</span>}</td>
      <td>{count(owner.count)}</td>
      <td class="whole">
        {owner.oldest ? duration(Math.round(age(owner.oldest, now))) : "–"}</td>
      <td>{isListable && (
        <a href={pathOf("unfinished", { owner: owner.value })}
           aria-label={`${say("showThem")} ${seen(owner.value)}`}>{say("showThem")}</a>)}</td>
    </tr>
  );
}
