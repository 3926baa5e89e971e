// Values that are asked for again and again.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { token } from "./api";

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

/// Calls `load` at once, then every `interval` ms. It rests while nobody sees the page, and slows
/// down while the server is slow or fails. `key` says what is loaded: with another one, it begins
/// anew.
export function useLive<T>(key: string, interval: number,
                           load: (signal: AbortSignal) => Promise<T>): Live<T> {
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
    const turn = async () => {
      clearTimeout(timer);
      if (busy || abort.signal.aborted || document.hidden) return;
      busy = true;
      const begin = performance.now();
      try {
        const value = await latest.current(abort.signal);
        if (abort.signal.aborted) return;
        failures = 0;
        setState({ key, value });
      } catch (error) {
        if (abort.signal.aborted) return;
        failures += 1;
        const reason = error instanceof Error ? error : new Error(String(error));
        setState((old) => ({ ...(old.key === key ? old : { key }), error: reason }));
      } finally {
        busy = false;
      }
      timer = window.setTimeout(turn, waitFor(interval, performance.now() - begin, failures));
    };
    wake.current = () => void turn();
    document.addEventListener("visibilitychange", turn);
    void turn();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", turn);
    };
  }, [key, interval, credentials]);

  const refresh = useCallback(() => wake.current(), []);
  const own = state.key === key;
  return { value: own ? state.value : undefined, error: own ? state.error : undefined, refresh };
}
