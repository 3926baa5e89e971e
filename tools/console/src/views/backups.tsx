// Backups of the embedded store: which there are, and the one that is being made.

import { useState } from "preact/hooks";

import { act, get, paths } from "../api";
import { bytes, count, seen, when } from "../format";
import { useLive } from "../live";
import { Awaited, Check, Choice, Empty, Field, Heading, Note, Problem } from "../parts/bits";
import { ActionDialog } from "../parts/dialog";
import { tell } from "../parts/toast";
import { server } from "../server";
import type { Backup, Backups as State } from "../types";
import { say } from "../words";

const interval = 3000;

export function Backups() {
  const { value, error, refresh } = useLive<State>(
    "backups", interval, (signal) => get(paths.backup, {}, signal));
  const [isAsking, setAsking] = useState(false);
  const mayAct = server.use().operator;
  const canBegin = mayAct && value && !value.refusal && value.state !== "running";
  return (
    <section>
      <Heading title={say("backups")}>
        {canBegin && (
          <button type="button" class="main" onClick={() => setAsking(true)}>
            {say("makeBackup")}</button>)}
      </Heading>
      <Problem error={error} />
      {!value ? <Awaited error={error} /> : value.refusal
        ? <Note kind="info">{seen(value.refusal)}</Note>
        : <><Progress state={value} /><Made backups={value.backups} error={error} /></>}
      {isAsking && <MakeBackup backups={value?.backups ?? []} onClose={() => setAsking(false)}
                               done={refresh} />}
    </section>
  );
}

/// How it goes with the backup that runs, or went with the last one.
function Progress({ state }: { state: State }) {
  const name = seen(state.name);
  if (state.state === "failed") {
    return <Note kind="bad">{say("backupFailed", { name, error: seen(state.error) })}</Note>;
  }
  if (state.state === "done") {
    return (
      <>
        <Note kind="info">{say("backupDone", { name })}</Note>
        {state.note && <Note kind="warn">{say("backupNote", { note: seen(state.note) })}</Note>}
      </>);
  }
  if (state.state !== "running") return null;
  const isKnown = state.groupsTotal > 0;
  return (
    <div class="card">
      <p role="status">{isKnown
        ? say("backupRuns", { name, done: count(state.groupsDone),
                              total: count(state.groupsTotal) })
        : say("backupBegins", { name })}</p>
      <progress aria-label={name}
                {...(isKnown ? { value: state.groupsDone, max: state.groupsTotal } : {})} />
    </div>
  );
}

function Made({ backups, error }: { backups: readonly Backup[]; error: Error | undefined }) {
  if (backups.length === 0) return <Empty error={error}>{say("none")}</Empty>;
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label={say("backups")}>
      <table>
        <thead><tr><th>{say("name")}</th><th>{say("created")}</th><th>{say("holds")}</th>
          <th>{say("upToGroup")}</th><th>{say("size")}</th></tr></thead>
        <tbody>
          {[...backups].reverse().map((each) => (
            <tr key={each.name}>
              <td>{seen(each.name)}</td><td class="whole">{when(each.created)}</td>
              <td>{each.base ? say("sinceBackup", { name: seen(each.base) })
                             : say("everything")}</td>
              <td>{count(each.lastGroup)}</td><td class="whole">{bytes(each.bytes)}</td>
            </tr>))}
        </tbody>
      </table>
    </div>
  );
}

/// `since` is the name of a base; empty: the server's choice, which is the newest backup that fits.
function MakeBackup({ backups, onClose, done }: {
  backups: readonly Backup[]; onClose: () => void; done: () => void }) {
  const full = "/";  // no name has a slash
  const [name, setName] = useState("");
  const [since, setSince] = useState("");
  const [verifies, setVerifies] = useState(false);
  const bases = [...backups].reverse().map(
    (each) => [each.name, say("sinceBackup", { name: seen(each.name) })] as const);
  return (
    <ActionDialog title={say("makeBackup")} hint={say("backupHint")} needsReason onClose={onClose}
                  run={async (reason) => {
                    const begun = await act<{ name: string }>("POST", paths.backup, {
                      body: { reason, ...(name.trim() ? { name: name.trim() } : {}),
                              ...(since === full ? { full: true } : since ? { base: since } : {}),
                              ...(since !== full && verifies ? { verify: true } : {}) },
                      reason });
                    tell(say("backupBegins", { name: seen(begun.name) }));
                    done();
                  }}>
      <Field label={say("backupName")} value={name} onInput={setName} class="wide" />
      <Choice label={say("holds")} value={since} onChange={setSince}
              options={[["", say("sinceNewest")], [full, say("everything")], ...bases]} />
      {since !== full && backups.length > 0 && (
        <Check label={say(since ? "verifyThis" : "verifyBase")} value={verifies}
               onChange={setVerifies} />)}
    </ActionDialog>
  );
}
