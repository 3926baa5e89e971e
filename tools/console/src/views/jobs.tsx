import { useState } from "preact/hooks";

import { act, get, paths } from "../api";
import { count, seen, when } from "../format";
import { useLive } from "../live";
import { Heading, Loading, Problem } from "../parts/bits";
import { ActionDialog } from "../parts/dialog";
import { server } from "../server";
import type { Job } from "../types";
import { say } from "../words";

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
      {!value ? !error && <Loading /> : value.jobs.length === 0
        ? <p class="empty">{say("none")}</p>
        : value.jobs.map((job) => (
          <article key={job.id} class="card">
            <div class="heading">
              <h2>{seen(job.action)} <span class="quiet">{seen(job.id)}</span></h2>
              <span class={`job-${seen(job.state)}`}>{seen(job.state)}</span>
              {mayAct && job.state === "running" && (
                <button type="button" class="danger" onClick={() => setEnding(job)}
                        aria-label={`${say("cancelJob")} ${seen(job.id)}`}>
                  {say("cancelJob")}</button>)}
            </div>
            <p>{say("progressText", { done: count(job.done), failed: count(job.failed) })}
              {" · "}{seen(job.reason)} · {seen(job.caller)} · {when(job.created)}</p>
            {(job.errors ?? []).length > 0 && (
              <ul class="plain" aria-label={say("failures")}>
                {job.errors?.map((each) => (
                  <li key={each.gid}>{seen(each.gid)}: {seen(each.error)}</li>))}
              </ul>)}
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
