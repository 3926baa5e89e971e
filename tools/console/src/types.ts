// What the server's API answers (net/protocol/openapi/openapi.json).

export type Status = "prepared" | "submitted" | "aborting" | "succeed" | "failed";

export interface Attempt {
  time: string;
  branch_id: string;
  op: string;
  url: string;
  latency_ms: number;
  result: "success" | "failure" | "ongoing" | "error";
  answer: string;
  next_try_time: string | null;
}

export interface Why {
  state: "running" | "waiting" | "prepared" | "finished";
  explanation: string;
  next_attempt_time: string | null;
  /// Not there: the server is older than the console.
  end_time?: string | null;
  urls: string[];
  attempts: Attempt[];
}

export interface Transaction {
  gid: string;
  trans_type: string;
  status: Status;
  protocol: string;
  create_time: string;
  update_time: string;
  query_prepared?: string;
  options: string;
  custom_data?: string;
  result?: string;
  rollback_reason?: string;
  finish_time?: string;
  rollback_time?: string;
  next_cron_interval?: number;
  next_cron_time?: string;
  why?: Why;
}

export interface TransactionPage {
  transactions: Transaction[] | null;
  next_position: string;
}

export interface Branch {
  branch_id: string;
  op: string;
  status: Status;
  url?: string;
  bin_data?: string;
  create_time: string | null;
  update_time: string | null;
  finish_time?: string;
}

export interface QueryResult {
  transaction: Transaction | null;
  branches: Branch[];
  why?: Why;
}

export interface KeyValue {
  k: string;
  v: string;
  version: number;
  update_time: string | null;
}

export interface KeyValuePage {
  kv: KeyValue[] | null;
  next_position: string;
}

export interface Subscriber {
  url: string;
  remark: string;
}

export interface AuditRecord {
  ts: string;
  id: string;
  event: "begun" | "done" | "failed" | "refused";
  action: string;
  gid?: string;
  topic?: string;
  caller?: string;
  from?: string;
  by?: string;
  details?: string;
  reason?: string;
  result?: string;
  /// Of an action that named several transactions.
  gids?: string[];
}

export interface AuditPage {
  kept: boolean;
  records: AuditRecord[];
  next_position: string;
}

/// What this coordinator could not read or use.
export interface DamagedPage {
  records: { kind: "transaction" | "other"; name: string; error: string }[];
  next_position: string;
  total: number;
}

/// `/readyz`.
export interface Readiness {
  status: string;
  reasons?: string[];
  warnings?: string[];
  /// Whether it was started with --paused and has not begun.
  paused?: boolean;
}

/// `<base>/admin/console.json`.
export interface Facts {
  modes: string[];
  /// Who this coordinator is in a shared store.
  node?: string;
  viewer: boolean;
  operator: boolean;
}

export interface Counts {
  total: number;
  groups: { value: string; count: number; oldest?: string }[];
  complete?: boolean;
}

export interface Preview {
  matched: number;
  refused?: number;
  /// Why some would be refused.
  errors?: { gid: string; error: string }[];
  /// Of those that match a retry: a pause holds up what they do next.
  held?: number;
  /// The coordinator was started with --paused and has not begun.
  paused?: boolean;
  /// false: there are more.
  complete?: boolean;
  sample: { gid: string; status: Status; urls?: string[] }[];
}

export interface Job {
  id: string;
  /// `unknown`: the job's record cannot be read.
  action: string;
  state: "running" | "done" | "cancelled" | "failed";
  reason: string;
  caller: string;
  created: string;
  updated: string;
  limit?: number;
  branchId?: string;
  op?: string;
  done: number;
  failed: number;
  errors?: { gid: string; error: string }[];
  /// Why it waits or has failed.
  trouble?: string;
  select?: Record<string, string>;
}

/// What an action on named transactions did, if the server did it at once.
export interface Acted {
  done: number;
  failed: number;
  errors?: { gid: string; error: string }[];
  /// Of those that were retried: a pause holds up what they do next.
  held?: number;
}

export interface Pause {
  kind: "target" | "topic" | "mode";
  value: string;
  reason: string;
  caller: string;
  since: string;
  waiting?: number;
}

export interface Backup {
  name: string;
  /// Empty: it holds everything.
  base: string;
  created: string;
  firstGroup: number;
  lastGroup: number;
  bytes: number;
}

export interface Backups {
  /// Why no backups are made here.
  refusal?: string;
  state: "idle" | "running" | "done" | "failed";
  /// Of the backup that is being made, or of the last one.
  name: string;
  error?: string;
  /// Why it holds everything, if that was not asked for.
  note?: string;
  groupsDone: number;
  /// 0: not known yet.
  groupsTotal: number;
  backups: Backup[];
}
