// What every view says if something is wrong with the whole page: the coordinator is away, slow,
// refuses, or something else answers.

import { useEffect } from "preact/hooks";

import { getAnyStatus, paths } from "../api";
import { trouble, wakeAll } from "../faults";
import { duration, seen, when } from "../format";
import { useLive } from "../live";
import { lookAtPending, slowness } from "../pending";
import { readiness } from "../server";
import type { Readiness } from "../types";
import { say, type Word } from "../words";
import { Note } from "./bits";

const interval = 3000;
const lookMs = 500;

/// Asks how the coordinator is, also while all else fails.
export function useHealth(): { refresh: () => void } {
  const { value, error, refresh } = useLive(
    "ready", interval, (signal) => getAnyStatus<Readiness>(paths.ready, signal), true);
  const now = error ? undefined : value;
  useEffect(() => {
    const before = readiness.get();
    readiness.set(now);
    if (now?.status === "ok" && before?.status !== "ok") wakeAll();
  }, [now]);
  useEffect(() => {
    const timer = window.setInterval(lookAtPending, lookMs);
    return () => clearInterval(timer);
  }, []);
  return { refresh };
}

export function Health() {
  const now = trouble.use();
  const slowMs = slowness.use();
  if (now && now.fault !== "token") {
    const time = when(new Date(now.since).toISOString());
    return (
      <Note kind="bad" class="trouble">
        {say(`trouble_${now.fault}` as Word, { error: seen(now.message), time })}</Note>);
  }
  return slowMs > 0
    ? <Note kind="warn" class="trouble">{say("slow", { time: duration(slowMs / 1000) })}</Note>
    : null;
}
