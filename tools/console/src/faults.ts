// What can go wrong with a request, and what goes wrong now.

import { serverNow } from "./clock";
import { Store } from "./store";

export type Fault =
  | "away"       // no answer came
  | "strange"    // something else than the coordinator has answered, such as a proxy
  | "unready"    // the coordinator refuses for now, such as while its store is away
  | "limited"    // this address, or this caller, asks too much
  | "token"      // the coordinator does not know who asks
  | "forbidden"  // the caller may not do this
  | "refused";   // this request alone is refused

export class ApiError extends Error {
  /// `status`: 0 if no answer came.
  constructor(readonly fault: Fault, readonly status: number, message: string) {
    super(message);
  }
}

export interface Trouble {
  fault: Fault;
  message: string;
  /// The server's time at which it began, in milliseconds since 1970.
  since: number;
}

// Faults that the whole page has, the one first that explains the others.
const common: readonly Fault[] = ["token", "away", "strange", "unready", "limited"];

export function isCommon(error: Error): error is ApiError {
  return error instanceof ApiError && common.includes(error.fault);
}

interface Report {
  error: ApiError;
  wake: () => void;
}

const reports = new Map<object, Report>();

/// What is wrong with the whole page now: the frame shows it. A view shows all else itself.
export const trouble = new Store<Trouble | undefined>(undefined);
/// How often it was over.
export const recoveries = new Store<number>(0);

function settle(): void {
  const all = [...reports.values()].map((each) => each.error);
  const fault = common.find((each) => all.some((error) => error.fault === each));
  const error = all.find((each) => each.fault === fault);
  const now = trouble.get();
  if (!error) trouble.set(undefined);
  else if (now?.fault !== error.fault || now.message !== error.message) {
    trouble.set({ fault: error.fault, message: error.message, since: now?.since ?? serverNow() });
  }
}

/// `owner` asks again and again, and had this fault. `wake`: asks at once.
export function reportFault(owner: object, error: Error, wake: () => void): void {
  if (isCommon(error)) reports.set(owner, { error, wake });
  else reports.delete(owner);
  settle();
}

/// `owner` had an answer. If there was none before, all others that have none ask again, too.
export function reportAnswer(owner: object): void {
  if (!reports.delete(owner)) return;
  settle();
  if (reports.size === 0) recoveries.set(recoveries.get() + 1);
  wakeAll();
}

/// `owner` asks no more.
export function forget(owner: object): void {
  if (reports.delete(owner)) settle();
}

export function wakeAll(): void {
  for (const { wake } of [...reports.values()]) wake();
}
