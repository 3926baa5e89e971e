// Values that are asked for again and again.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { token } from "./api";
import { ApiError, forget, reportAnswer, reportFault } from "./faults";
import { forgetTime, reportTime } from "./pending";

const waitMax = 60_000;
/// A server is asked for at most this part of the time.
const share = 10;

export interface Live<T> {
  value: T | undefined;
  error: Error | undefined;
  refresh: () => void;
}

/// How long to wait before the next request: longer if answers take long, or if none come.
export function waitFor(interval: number, tookMs: number, failures: number): number {
  return Math.min(waitMax, Math.max(interval * 2 ** Math.min(failures, 6), tookMs * share));
}

/// How long to wait after a failure. Wrong tokens are counted as guesses, so they are not repeated.
export function waitAfter(error: Error, interval: number, tookMs: number,
                          failures: number): number {
  const isGuess = error instanceof ApiError && ["token", "limited"].includes(error.fault);
  return isGuess ? waitMax : waitFor(interval, tookMs, failures);
}

/// Calls `load` at once, then every `interval` ms. It rests while nobody sees the page, and slows
/// down while the server is slow or fails, until somebody else has an answer. `key` says what is
/// loaded: with another one, it begins anew. `probes`: it slows down for nothing but a wrong token.
export function useLive<T>(key: string, interval: number,
                           load: (signal: AbortSignal) => Promise<T>, probes = false): Live<T> {
  const [state, setState] = useState<{ key: string; value?: T; error?: Error }>({ key });
  const wake = useRef<() => void>(() => undefined);
  const latest = useRef(load);
  latest.current = load;
  const credentials = token.use();

  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    let failures = 0;
    let busy = false;
    const owner = {};
    const turn = async () => {
      clearTimeout(timer);
      if (busy || abort.signal.aborted || document.hidden) return;
      busy = true;
      const begin = performance.now();
      let wait = interval;
      try {
        const value = await latest.current(abort.signal);
        if (abort.signal.aborted) return;
        failures = 0;
        setState({ key, value });
        reportAnswer(owner);
        wait = waitFor(interval, performance.now() - begin, 0);
      } catch (failure) {
        if (abort.signal.aborted) return;
        if (!probes) failures += 1;
        const error = failure instanceof Error ? failure : new Error(String(failure));
        setState((old) => ({ ...(old.key === key ? old : { key }), error }));
        reportFault(owner, error, () => void turn());
        wait = waitAfter(error, interval, performance.now() - begin, failures);
      } finally {
        busy = false;
      }
      reportTime(owner, performance.now() - begin);
      timer = window.setTimeout(turn, wait);
    };
    wake.current = () => void turn();
    document.addEventListener("visibilitychange", turn);
    void turn();
    return () => {
      abort.abort();
      clearTimeout(timer);
      forget(owner);
      forgetTime(owner);
      document.removeEventListener("visibilitychange", turn);
    };
  }, [key, interval, credentials, probes]);

  const refresh = useCallback(() => wake.current(), []);
  const own = state.key === key;
  return { value: own ? state.value : undefined, error: own ? state.error : undefined, refresh };
}
