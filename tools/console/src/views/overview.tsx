// How it goes: rates, latency, what is unfinished, the store, the services.

import { get, paths } from "../api";
import { ApiError } from "../faults";
import { explanationOf } from "../filters";
import { age, bytes, count, duration, perSecond, seen } from "../format";
import { stuckAfterS, unfinishedStatuses } from "../listing";
import { useLive } from "../live";
import { total, valuesOf, type Metrics } from "../metrics";
import { Heading, Loading, Note, Problem, StatusMark, useNow } from "../parts/bits";
import { Chart } from "../parts/chart";
import { pathOf, pathOfTransaction } from "../route";
import { sample, type Point, type Samples, type TargetHealth } from "../sampling";
import { has, readiness, server } from "../server";
import type { TransactionPage } from "../types";
import { named, say } from "../words";
import { DamagedNow } from "./damaged";

const interval = 2000;
const stuckShown = 10;
const targetsShown = 50;

export function Overview() {
  const known = server.use();
  const samples = useLive("samples", interval, sample);
  const ready = readiness.use();
  const noMetrics = samples.error instanceof ApiError &&
    [403, 404].includes(samples.error.status);
  return (
    <section>
      <Heading title={say("overview")}>
        {ready && (
          <span class={ready.status === "ok" ? "good" : "bad"} role="status">
            {ready.status === "ok" ? say("ready") : say("notReady")}</span>)}
      </Heading>
      {ready?.reasons?.map((each) => <Note key={each} kind="bad">{seen(each)}</Note>)}
      {ready?.warnings?.map((each) => <Note key={each} kind="warn">{seen(each)}</Note>)}
      {noMetrics ? <Note kind="info">{say("noMetrics")}</Note> : <Problem error={samples.error} />}
      {samples.value ? <Numbers samples={samples.value} /> : !samples.error && <Loading />}
      {known.viewer && has(known, paths.damaged) && <DamagedNow />}
      {known.viewer && <Stuck />}
      {samples.value && <Targets targets={samples.value.targets} />}
    </section>
  );
}

function stateOf(metrics: Metrics): string {
  const states = valuesOf(metrics, "concerto_store_state", "state");
  return states.find((state) => total(metrics, "concerto_store_state", { state }) === 1) ?? "";
}

/// A number that the server does not give is not 0.
function known(value: number, show: (value: number) => string): string {
  return Number.isFinite(value) ? show(value) : say("notKnown");
}

function Numbers({ samples }: { samples: Samples }) {
  const { metrics, points } = samples;
  const last = points[points.length - 1];
  const of = (name: string) => total(metrics, name);
  const state = stateOf(metrics);
  const disk = of("concerto_store_disk_bytes");
  const free = of("concerto_store_free_bytes");
  const cards: [string, string, boolean?][] = [
    [say("finishedPerSecond"), known(last?.succeeded ?? NaN, perSecond)],
    [say("failedPerSecond"), known(last?.failed ?? NaN, perSecond), (last?.failed ?? 0) > 0],
    [say("p50"), duration(last?.p50 ?? NaN)],
    [say("p99"), duration(last?.p99 ?? NaN)],
    [say("unfinishedCount"), known(of("concerto_transactions_unfinished"), count)],
    [say("inFlight"), known(of("concerto_transactions_in_flight"), count)],
    [say("oldest"), known(of("concerto_oldest_unfinished_age_seconds"), duration),
     of("concerto_oldest_unfinished_age_seconds") > stuckAfterS],
    [say("recoveryLag"), known(of("concerto_recovery_lag_seconds"), duration),
     of("concerto_recovery_lag_seconds") > 10],
    [say("store"), state ? named("state", state) : say("notKnown"), state !== "serving"],
    ...(Number.isFinite(disk) ? [[say("disk"), bytes(disk)] as [string, string]] : []),
    ...(Number.isFinite(free) ? [[say("free"), bytes(free)] as [string, string]] : []),
  ];
  const times = points.map((point) => point.time);
  const line = (name: keyof Point) => points.map((point) => point[name]);
  return (
    <>
      <dl class="cards">
        {cards.map(([name, value, isBad]) => (
          <div key={name} class={isBad ? "card bad-card" : "card"}>
            <dt>{name}</dt><dd>{value}</dd></div>))}
      </dl>
      <div class="charts">
        <Chart label={say("rates")} times={times} show={perSecond}
               series={[{ label: say("succeededSeries"), colour: "--good",
                          values: line("succeeded") },
                        { label: say("failedSeries"), colour: "--bad",
                          values: line("failed") }]} />
        <Chart label={say("latency")} times={times} show={duration}
               series={[{ label: "50 %", colour: "--main", values: line("p50") },
                        { label: "99 %", colour: "--warn", values: line("p99") }]} />
        <Chart label={say("load")} times={times} show={count}
               series={[{ label: say("unfinishedCount"), colour: "--warn",
                          values: line("unfinished") },
                        { label: say("inFlight"), colour: "--main",
                          values: line("inFlight") }]} />
      </div>
    </>
  );
}

function Stuck() {
  const now = useNow();
  const { value, error } = useLive<TransactionPage>("stuck", 3000, (signal) => get(paths.all, {
    status: unfinishedStatuses, minAge: stuckAfterS, explain: true, limit: stuckShown }, signal));
  const rows = value?.transactions ?? [];
  return (
    <>
      <div class="heading">
        <h2>{say("stuckFirst")}</h2>
        <a href={pathOf("unfinished")}>{say("showThem")}</a>
      </div>
      <Problem error={error} />
      {!value ? error ? <p class="quiet">{say("notKnown")}</p> : <Loading />
        : rows.length === 0 ? <p class="quiet">{say("noneOld")}</p> : (
        <div class="scrolls" tabIndex={0} role="region" aria-label={say("stuckFirst")}>
          <table>
            <thead><tr><th>{say("gid")}</th><th>{say("status")}</th><th>{say("age")}</th>
              <th>{say("why")}</th></tr></thead>
            <tbody>
              {rows.map((each) => (
                <tr key={each.gid}>
                  <td><a href={pathOfTransaction(each.gid)}>{seen(each.gid)}</a></td>
                  <td><StatusMark status={each.status} /></td>
                  <td class="whole">{duration(Math.round(age(each.create_time, now)))}</td>
                  <td>{explanationOf(each)}</td>
                </tr>))}
            </tbody>
          </table>
        </div>)}
    </>
  );
}

function healthOf(target: TargetHealth): "bad" | "good" | "idle" {
  if (target.waiting > 0 || target.errorsPerSecond > 0) return "bad";
  return target.callsPerSecond > 0 ? "good" : "idle";
}

function Targets({ targets }: { targets: readonly TargetHealth[] }) {
  return (
    <>
      <h2>{say("targets")}</h2>
      {targets.length === 0 ? <p class="quiet">{say("noTargets")}</p> : (
        <div class="scrolls" tabIndex={0} role="region" aria-label={say("targets")}>
          <table>
            <thead><tr><th>{say("target")}</th><th>{say("health")}</th>
              <th>{say("waitingFor")}</th><th>{say("calls")}</th><th>{say("errors")}</th>
              <th>{say("meanLatency")}</th></tr></thead>
            <tbody>
              {targets.slice(0, targetsShown).map((each) => (
                <tr key={each.target}>
                  <td class="url"><a href={pathOf("unfinished", { target: each.target })}>
                    {seen(each.target)}</a></td>
                  <td><span class={healthOf(each)}>{say(healthOf(each))}</span></td>
                  <td>{count(each.waiting)}</td><td>{perSecond(each.callsPerSecond)}</td>
                  <td>{perSecond(each.errorsPerSecond)}</td><td>{duration(each.latency)}</td>
                </tr>))}
            </tbody>
          </table>
        </div>)}
    </>
  );
}
