// What the overview draws: samples of the metrics, kept while the page is open.

import { getText, paths } from "./api";
import { serverNow } from "./clock";
import { type Metrics, growth, parseMetrics, quantile, total, valuesOf } from "./metrics";

export interface Point {
  /// Seconds since 1970.
  time: number;
  succeeded: number | null;
  failed: number | null;
  p50: number | null;
  p99: number | null;
  unfinished: number | null;
  inFlight: number | null;
}

export interface TargetHealth {
  target: string;
  callsPerSecond: number;
  errorsPerSecond: number;
  /// Seconds; not a number without a call.
  latency: number;
  /// Not a number if it is not known.
  waiting: number;
}

export interface Samples {
  metrics: Metrics;
  points: readonly Point[];
  targets: readonly TargetHealth[];
}

const pointsMax = 300;
/// Calls are counted over so many samples, because a service may be called seldom.
const targetWindow = 15;

/// Without a sample for so many seconds, nothing is known of the time between.
const gapS = 15;

const known = (value: number) => (Number.isFinite(value) ? value : null);
const or0 = (value: number) => (Number.isFinite(value) ? value : 0);

export function pointOf(before: { time: number; metrics: Metrics } | undefined, now: number,
                        metrics: Metrics): Point {
  const point: Point = {
    time: now, succeeded: null, failed: null, p50: null, p99: null,
    unfinished: known(total(metrics, "concerto_transactions_unfinished")),
    inFlight: known(total(metrics, "concerto_transactions_in_flight")),
  };
  if (!before || now <= before.time) return point;
  const seconds = now - before.time;
  const rate = (status: string) =>
    known(growth(before.metrics, metrics, "concerto_transactions_ended_total", { status }) /
          seconds);
  const handled = "concerto_server_response_seconds";
  return {
    ...point, succeeded: rate("succeed"), failed: rate("failed"),
    p50: known(quantile(before.metrics, metrics, handled, 0.5)),
    p99: known(quantile(before.metrics, metrics, handled, 0.99)),
  };
}

/// Where no line is drawn.
function gapAt(time: number): Point {
  return { time, succeeded: null, failed: null, p50: null, p99: null, unfinished: null,
           inFlight: null };
}

export function targetsOf(older: Metrics, newer: Metrics, seconds: number): TargetHealth[] {
  const names = new Set([
    ...valuesOf(newer, "concerto_branch_calls_total", "target"),
    ...valuesOf(newer, "concerto_transactions_waiting", "target"),
  ]);
  // A service for which none waits has no sample; but without an answer of the store the
  // coordinator may have let go of those that did.
  const isKnown = Number.isFinite(total(newer, "concerto_transactions_unfinished"));
  const each = [...names].filter((target) => target !== "").map((target) => {
    const calls = growth(older, newer, "concerto_branch_calls_total", { target });
    const errors =
      growth(older, newer, "concerto_branch_calls_total", { target, outcome: "error" });
    const latency = "concerto_branch_latency_seconds";
    const waiting = total(newer, "concerto_transactions_waiting", { target });
    return {
      target, callsPerSecond: or0(calls) / seconds, errorsPerSecond: or0(errors) / seconds,
      latency: growth(older, newer, `${latency}_sum`, { target }) /
        growth(older, newer, `${latency}_count`, { target }),
      waiting: isKnown ? or0(waiting) : waiting,
    };
  });
  return each.sort((a, b) => or0(b.waiting) - or0(a.waiting) ||
                             b.errorsPerSecond - a.errorsPerSecond ||
                             b.callsPerSecond - a.callsPerSecond);
}

const earlier: { time: number; metrics: Metrics }[] = [];
let points: Point[] = [];

/// Takes one sample more.
export async function sample(signal: AbortSignal): Promise<Samples> {
  const metrics = parseMetrics(await getText(paths.metrics, signal));
  const before = earlier[earlier.length - 1];
  // A plot goes on to the right, also when a clock was set back.
  const time = Math.max(serverNow() / 1000, (before?.time ?? 0) + 0.001);
  const gap = before && time - before.time > gapS ? [gapAt((before.time + time) / 2)] : [];
  points = [...points, ...gap, pointOf(before, time, metrics)].slice(-pointsMax);
  const oldest = earlier[0];
  const targets = oldest ? targetsOf(oldest.metrics, metrics, time - oldest.time)
    : targetsOf(metrics, metrics, 1);
  earlier.push({ time, metrics });
  if (earlier.length > targetWindow) earlier.shift();
  return { metrics, points, targets };
}
