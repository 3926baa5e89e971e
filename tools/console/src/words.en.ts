// The console's words in English. `{name}` is replaced, and so is `{name?one:others}`, by
// the first if the value is 1.

export const english = {
  // Views
  overview: "Overview", unfinished: "Unfinished", failed: "Failed", search: "Search",
  topics: "Topics", coordinator: "Coordinator", pauses: "Pauses", jobs: "Bulk actions",
  audit: "Audit", transaction: "Transaction", cluster: "Cluster", backups: "Backups",
  damaged: "Damaged",
  // The frame
  navigation: "Views", skipToContent: "Skip to the content", language: "Language",
  colours: "Colours", system: "As the system", light: "Light", dark: "Dark",
  ready: "ready", notReady: "not ready", readOnly: "read only",
  readOnlyHint: "This caller may look and not act.",
  token: "Token", tokenHint: "The server asks for a token. It is kept until this tab is closed.",
  enter: "Enter", forget: "Forget the token", signIn: "Enter a token",
  noViewer: "This caller may not see lists. Enter the token of a viewer or an operator.",
  loading: "Loading …", failedView: "The answer has an error: {error}. It is asked again.",
  mayNot: "This caller may not do that: {error}",
  notShown: "This view cannot show what the coordinator has answered: {error}",
  showAgain: "Show the view again", notKnown: "not known",
  // What goes wrong with the whole page
  tokenWrong: "The coordinator does not take this token any more. Enter another one.",
  trouble_away: "The coordinator does not answer ({error}). What is shown is that of {time}. It " +
    "is asked again and again.",
  trouble_strange: "Something else than the coordinator answers, such as a proxy ({error}). What " +
    "is shown is that of {time}. The coordinator is asked again and again.",
  trouble_unready: "The coordinator refuses requests for now: {error}. What is shown is that of " +
    "{time}. It is asked again and again.",
  trouble_limited: "Too much is asked from this address: {error}. What is shown is that of " +
    "{time}. The next request is in a minute.",
  slow: "The coordinator answers slowly ({time}), so it is asked less often, and what is shown " +
    "may be old.",
  maybeDone: "No answer of the coordinator came ({error}), so it is not known whether this was " +
    "done. Look at it before you try again.",
  notNow: "The coordinator refuses for now: {error}. Look at it before you try again.",
  // Transactions
  gid: "gid", mode: "Mode", status: "Status", created: "Created", age: "Age", at: "At",
  why: "Why", nextTry: "Next try", anyMode: "Any mode", anyStatus: "Any status",
  target: "Service or URL", lastError: "Error", olderThan: "Older than, s",
  searchWords: "Search in what is shown, or a whole gid",
  stuck: "stuck", select: "Select",
  shown: "{count} {count?transaction:transactions}",
  shownOf: "{count} of {all} loaded {all?transaction:transactions}",
  none: "There are none.", noneStuck: "Nothing is unfinished.",
  noneOld: "No transaction has been unfinished for longer than a minute.",
  filters: "Filters", clear: "Clear", nextOrEnd: "Next try or end",
  // Damaged records
  records: "{count} damaged {count?record:records}",
  recordsOf: "The first {count} of {all} damaged records",
  noDamage: "None known.", showDamaged: "Show the damaged ones",
  damagedHint: "What this coordinator has met and could not read or use since its start. Another " +
    "coordinator may have met others. No list of transactions has those that cannot be read.",
  // One transaction
  notFound: "There is no transaction {gid}.", updated: "Updated",
  finished: "Finished", options: "Options", customData: "Custom data", result: "Result",
  rollbackReason: "Reason of the rollback", queryPrepared: "query_prepared",
  whyHeading: "What it does", next: "Next try: {time} (in {left})",
  endedAt: "Ended: {time}",
  timeline: "Timeline", branches: "Branches", attempts: "Last attempts", branch: "Branch",
  op: "Operation", took: "Took", answer: "Answer", time: "Time", details: "Details",
  begun: "begun", nextAt: "next try",
  noAttempts: "No attempt is remembered. The journal of attempts is empty after a restart.",
  payload: "Payload", json: "JSON", text: "Text", hex: "Hex", bytes: "{count} {count?byte:bytes}",
  showPayload: "Show the payload of {branch} {op}", cut: "Cut after {count}.", showAll: "Show all",
  // Actions
  retryNow: "Try now", forceStop: "Force stop", skip: "Skip the branch", edit: "Change the branch",
  retryHint: "The transaction is tried at once and not only at its next time.",
  stopHint: "The transaction ends as failed. Its branches stay as they are: what was done is not " +
    "compensated.",
  skipHint: "The branch counts as done and is not called any more.",
  editHint: "The branch is called with this URL and payload from now on. What is empty stays.",
  reason: "Reason, for the audit log", reasonNeeded: "A reason is needed.",
  cancel: "Cancel", done: "Done.",
  retried: "{gid} is tried now.", stopped: "{gid} has ended as failed.",
  skipped: "The branch of {gid} counts as done.", edited: "The branch of {gid} was changed.",
  newUrl: "URL", newPayload: "Payload", branchId: "Branch",
  rowNeeded: "The branch and the operation are needed: the view of a transaction shows both.",
  // Bulk
  retryAll: "Try all …", stopAll: "Stop all …", skipAll: "Skip branches …",
  bulkHeading: "{action}: {what}", selected: "{count} selected", allFiltered: "all that fit",
  limit: "At most", preview: "Preview",
  matched: "{count} {count?transaction is:transactions are} concerned.",
  held: "{count} of them {count?waits:wait} on: what they call next is paused (view Pauses).",
  heldOne: "The transaction waits on: what it calls next is paused (view Pauses).",
  previewPaused: "This coordinator was started with --paused: until it begins, it calls nobody, " +
    "and bulk actions wait.",
  refusedMany: "{count} would be refused:", refusedOne: "This would be refused: {error}",
  heldAfter: "{count} of them {count?waits:wait} on because of a pause.",
  matchedMore: "At least {count} {count?transaction is:transactions are} concerned.",
  started: "Bulk action {id} has begun.",
  action: "Action", state: "State", caller: "Caller", failures: "Failures",
  progressText: "{done} done, {failed} failed", cancelJob: "Cancel it",
  unreadable: "A bulk action whose record cannot be read: nothing is done for it, and nothing " +
    "more is known of it.",
  meets: "For {what}",
  // Pauses
  pause: "Pause", resume: "Resume", kind: "Kind", value: "Value", since: "Since",
  waiting: "Waiting", topic: "Topic", addPause: "Pause calls",
  pauseHint: "Nothing that fits is called until it is resumed.",
  // Overview
  finishedPerSecond: "Succeeded per second", failedPerSecond: "Failed per second",
  inFlight: "In flight", unfinishedCount: "Unfinished", oldest: "Oldest unfinished",
  p50: "Median latency", p99: "99 % latency", store: "Store", disk: "Disk used", free: "Disk free",
  recoveryLag: "Recovery lag", rates: "Transactions per second", latency: "Latency of requests",
  load: "Unfinished and in flight", targets: "Services", calls: "Calls/s", errors: "Errors",
  meanLatency: "Mean latency", waitingFor: "Waiting", noMetrics: "The server shows no metrics.",
  succeededSeries: "succeeded", failedSeries: "failed", health: "Health",
  good: "good", bad: "errors", idle: "no calls", stuckFirst: "Stuck now", showThem: "Show all",
  noTargets: "No service was called yet.",
  // Topics
  version: "Version", subscribe: "Subscribe", url: "URL",
  remark: "Remark", unsubscribe: "Unsubscribe", removeTopic: "Delete the topic",
  unsubscribeHint: "{url} gets no more messages of {topic}.",
  removeTopicHint: "{topic} and all its subscriptions are deleted.", noTopics: "No topic yet.",
  // Audit
  event: "Event", noAudit: "This coordinator keeps no audit log (Audit.File).",
  noRecord: "No record at this coordinator. Each coordinator of a cluster has an audit log of " +
    "its own, and the record of an action on a selection names no transactions.",
  earlier: "Earlier records",
  // A start with --paused
  startedPaused: "This coordinator was started with --paused: it calls no service and refuses " +
    "applications until it begins.",
  begin: "Begin", hasBegun: "The coordinator works now.",
  beginHint: "The coordinator goes on with the unfinished transactions of its store: it calls " +
    "their services, and takes requests of applications.",
  // Cluster
  thisIs: "this coordinator is {node}", thisOne: "this one", transactions: "Transactions",
  atRest: "none: they wait for their time",
  notShared: "The store is not shared: this coordinator has it alone.",
  clusterHint: "The coordinators that work on transactions at this moment. One that has nothing " +
    "to do, or cannot be reached, is not in the list.",
  // Backups
  makeBackup: "Make a backup", name: "Name", holds: "What it holds", everything: "everything",
  size: "Size", upToGroup: "Up to group", sinceBackup: "what came after {name}",
  sinceNewest: "what came after the newest backup", backupName: "Name; the time, if empty",
  backupHint: "The coordinator goes on working. The backup is written to its Backup.Directory.",
  backupRuns: "{name}: {done} of {total} groups are copied.", backupBegins: "{name} has begun.",
  backupDone: "{name} was the last backup; it is complete.",
  backupNote: "Note: {note}",
  verifyBase: "Read all that it builds on before; if that is damaged, copy everything",
  verifyThis: "Read all that it builds on before; if that is damaged, make no backup",
  backupFailed: "The backup {name} failed: {error}",
  // Coordinator
  shards: "Shards", allocator: "Allocator", memory: "Memory", payloadBytes: "Payloads in memory",
  transactionsInMemory: "Transactions in memory", alarms: "Waiting for a time",
  leasesLost: "Leases lost", registered: "Registered", yes: "yes", no: "no", owners: "Owners",
  owner: "Owner", storeState: "State of the store",
  handshakes: "Failed TLS handshakes", wrongTokens: "Wrong tokens",
  // Values of the protocol
  damaged_transaction: "transaction", damaged_other: "other record",
  action_retry: "retry", action_stop: "stop", action_skip: "skip", action_unknown: "unknown",
  event_begun: "begun", event_done: "done", event_failed: "failed", event_refused: "refused",
  kind_target: "target", kind_topic: "topic", kind_mode: "mode",
  result_success: "success", result_failure: "failure", result_ongoing: "ongoing",
  result_error: "error",
  state_running: "running", state_waiting: "waiting", state_prepared: "prepared",
  state_finished: "finished", state_done: "done", state_cancelled: "cancelled",
  state_failed: "failed", state_serving: "serving", state_recovering: "recovering",
  state_refusing: "refusing",
} as const;

export type Word = keyof typeof english;
