// When the branches of a transaction were called, one lane for each operation of a branch.

import { duration, seen, when } from "../format";
import type { Attempt, Branch, Transaction } from "../types";
import { named, say } from "../words";

interface Lane {
  name: string;
  status: string;
  attempts: Attempt[];
  finished: string | undefined;
}

function lanesOf(branches: readonly Branch[], attempts: readonly Attempt[]): Lane[] {
  const lanes = new Map<string, Lane>();
  const lane = (branchId: string, op: string) => {
    const name = `${branchId} ${op}`;
    let found = lanes.get(name);
    if (!found) {
      found = { name, status: "", attempts: [], finished: undefined };
      lanes.set(name, found);
    }
    return found;
  };
  for (const branch of branches) {
    const found = lane(branch.branch_id, branch.op);
    found.status = branch.status;
    found.finished = branch.finish_time;
  }
  for (const attempt of attempts) lane(attempt.branch_id, attempt.op).attempts.push(attempt);
  return [...lanes.values()].filter((each) => each.attempts.length > 0 || each.finished);
}

const ms = (time: string) => new Date(time).getTime();

interface Props {
  trans: Transaction;
  branches: readonly Branch[];
  attempts: readonly Attempt[];
  next: string | null;
  now: number;
}

export function Timeline({ trans, branches, attempts, next, now }: Props) {
  const lanes = lanesOf(branches, attempts);
  const begin = ms(trans.create_time);
  const ended = trans.finish_time ?? trans.rollback_time;
  const times = [...attempts.flatMap((each) => [ms(each.time) + each.latency_ms]),
                 ...lanes.flatMap((each) => each.finished ? [ms(each.finished)] : []),
                 next ? ms(next) : 0, ended ? ms(ended) : now];
  const end = Math.max(begin + 1, ...times);
  const at = (time: number) =>
    `${Math.min(100, Math.max(0, 100 * (time - begin) / (end - begin)))}%`;
  const width = (span: number) => `${Math.max(0.6, 100 * span / (end - begin))}%`;
  return (
    <div class="timeline">
      <div class="scale" aria-hidden="true">
        <span>{when(trans.create_time)}</span>
        <span>{`+ ${duration((end - begin) / 1000)}`}</span>
      </div>
      <ul aria-label={say("timeline")}>
        {lanes.map((each) => (
          <li key={each.name} class="lane">
            <span class="lane-name">{seen(each.name)}</span>
            <span class="lane-line">
              {each.attempts.map((attempt) => (
                <span key={attempt.time} class={`try try-${attempt.result}`} role="img"
                      aria-label={`${when(attempt.time)}: ${named("result", attempt.result)}, ${
                        duration(attempt.latency_ms / 1000)}`}
                      title={`${when(attempt.time)}: ${named("result", attempt.result)}, ${
                        duration(attempt.latency_ms / 1000)}\n${seen(attempt.answer)}`}
                      style={{ left: at(ms(attempt.time)), width: width(attempt.latency_ms) }} />))}
              {each.finished && (
                <span class={`end end-${each.status}`} role="img"
                      aria-label={`${when(each.finished)}: ${each.status}`}
                      title={`${when(each.finished)}: ${each.status}`}
                      style={{ left: at(ms(each.finished)) }} />)}
            </span>
          </li>))}
        {next && (
          <li class="lane">
            <span class="lane-name quiet">{say("nextAt")}</span>
            <span class="lane-line">
              <span class="next" role="img" aria-label={when(next)} title={when(next)}
                    style={{ left: at(ms(next)) }} />
            </span>
          </li>)}
      </ul>
    </div>
  );
}
