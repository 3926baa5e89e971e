// How long answers take.

import { Store } from "./store";

/// An answer that takes longer is worth a word.
export const slowAfterMs = 5000;

const begun = new Map<object, number>();
const slow = new Map<object, number>();

/// How many milliseconds the slowest of those who ask has waited for its answer; 0: nobody waits
/// long.
export const slowness = new Store<number>(0);

/// Looks at what is still to be answered.
export function lookAtPending(): void {
  const now = performance.now();
  const times = [...[...begun.values()].map((begin) => now - begin), ...slow.values()];
  const most = Math.max(0, ...times);
  slowness.set(most < slowAfterMs ? 0 : Math.floor(most / 1000) * 1000);
}

export async function whilePending<T>(work: Promise<T>): Promise<T> {
  const key = {};
  begun.set(key, performance.now());
  try {
    return await work;
  } finally {
    begun.delete(key);
  }
}

/// `owner`, who asks again and again, had to wait so long for its last answer.
export function reportTime(owner: object, tookMs: number): void {
  if (tookMs >= slowAfterMs) slow.set(owner, tookMs);
  else slow.delete(owner);
  lookAtPending();
}

/// `owner` asks no more.
export function forgetTime(owner: object): void {
  slow.delete(owner);
}
