// Actions on many transactions: how far they are, and what failed.

import { useState } from "preact/hooks";

import { act, get, paths } from "../api";
import { count, seen, when } from "../format";
import { useLive } from "../live";
import { Awaited, Empty, Heading, Note, Problem } from "../parts/bits";
import { ActionDialog } from "../parts/dialog";
import { server } from "../server";
import type { Job } from "../types";
import { named, say } from "../words";

const interval = 1500;

export function Jobs() {
  const { value, error, refresh } = useLive<{ jobs: Job[] }>(
    "jobs", interval, (signal) => get(paths.jobs, { limit: 100 }, signal));
  const [ending, setEnding] = useState<Job>();
  const mayAct = server.use().operator;
  return (
    <section>
      <Heading title={say("jobs")} />
      <Problem error={error} />
      {!value ? <Awaited error={error} /> : value.jobs.length === 0
        ? <Empty error={error}>{say("none")}</Empty>
        : value.jobs.map((job) => (
          <article key={job.id} class="card">
            <div class="heading">
              <h2>{named("action", job.action)} <span class="quiet">{seen(job.id)}</span></h2>
              <span class={`job-${seen(job.state)}`}>{named("state", job.state)}</span>
              {mayAct && job.state === "running" && (
                <button type="button" class="danger" onClick={() => setEnding(job)}
                        aria-label={`${say("cancelJob")} ${seen(job.id)}`}>
                  {say("cancelJob")}</button>)}
            </div>
            {job.action === "unknown" ? <Unreadable job={job} /> : <Known job={job} />}
          </article>))}
      {ending && (
        <ActionDialog title={say("cancelJob")} hint={seen(ending.id)} danger
                      onClose={() => setEnding(undefined)}
                      run={async (reason) => {
                        await act("POST", paths.cancelJob,
                                  { body: { id: ending.id, reason }, reason });
                        refresh();
                      }} />)}
    </section>
  );
}

const times = ["createdFrom", "createdTo"];

/// What a job meets: names of the API, as its selection has them.
function meetsOf(job: Job): string {
  const each = Object.entries({ ...job.select, ...(job.limit ? { limit: `${job.limit}` } : {}),
                                ...(job.branchId ? { branchId: job.branchId } : {}),
                                ...(job.op ? { op: job.op } : {}) });
  return each.map(([name, value]) => `${name} ${times.includes(name) ? when(value) : value}`)
    .join(" · ");
}

function Known({ job }: { job: Job }) {
  const told = [say("progressText", { done: count(job.done), failed: count(job.failed) }),
                seen(job.reason), seen(job.caller), when(job.created)];
  return (
    <>
      <p>{told.filter((each) => each !== "").join(" · ")}</p>
      {job.select && <p class="quiet">{say("meets", { what: seen(meetsOf(job)) })}</p>}
      {job.trouble && (
        <Note kind={job.state === "failed" ? "bad" : "warn"}>{seen(job.trouble)}</Note>)}
      {(job.errors ?? []).length > 0 && (
        <ul class="plain" aria-label={say("failures")}>
          {job.errors?.map((each) => (
            <li key={each.gid}>{seen(each.gid)}: {seen(each.error)}</li>))}
        </ul>)}
    </>
  );
}

/// A job whose record cannot be read: no more than this is known of it.
function Unreadable({ job }: { job: Job }) {
  return (
    <>
      <Note kind="bad">{say("unreadable")}</Note>
      <p class="quiet">{[when(job.created), seen(job.trouble)].filter(Boolean).join(" · ")}</p>
    </>
  );
}
