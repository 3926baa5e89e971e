"""When each alert of docs/monitoring/alerts.yml fires, and when it does not.

A case has the series of a coordinator in promtool's notation, a point in each minute. `fires` makes
the alert fire at the time `at`; `quiet` does not, though it comes close. Series get the labels job
and instance.
"""

from dataclasses import dataclass, field

MIB = 1 << 20
GIB = 1 << 30
DAY = 24 * 3600


@dataclass
class Case:
    alert: str
    at: str
    fires: dict  # series -> values
    quiet: dict
    summary: str
    labels: dict = field(default_factory=dict)  # beside job, instance and severity
    without_instance: bool = False


SUCCESS, ERROR, FAILURE = (
    f'concerto_branch_calls_total{{target="http://stock",outcome="{outcome}"}}'
    for outcome in ("success", "error", "failure"))
SAGA_OK = 'concerto_transactions_ended_total{model="saga",status="succeed"}'
SAGA_FAILED = 'concerto_transactions_ended_total{model="saga",status="failed"}'
STOCK = {"target": "http://stock"}
SYNCS = [f'concerto_store_sync_seconds_bucket{{le="{bound}"}}' for bound in ("0.25", "1", "+Inf")]
REDIS = [f"concerto_store_refused_by_{why}_total"
         for why in ("memory", "disk", "replicas", "role", "rights", "state")]
EXPIRY = 'concerto_tls_certificate_expiry_timestamp_seconds{use="server"}'
NEWEST_BACKUP = "concerto_backup_newest_timestamp_seconds"
FREE = "concerto_store_free_bytes"
OLDEST = "concerto_oldest_unfinished_age_seconds"


def state(name):
    return f'concerto_store_state{{state="{name}"}}'


CASES = [
    Case("ConcertoDown", "5m", {"up": "1 1 0x9"}, {"up": "1 1 0 1x9"},
         "coordinator c1 cannot be scraped"),
    Case("ConcertoNotReady", "5m", {"concerto_ready": "0x9"}, {"concerto_ready": "0 0 1x9"},
         "coordinator c1 is not ready"),
    Case("ConcertoPaused", "20m", {"concerto_paused": "1x30"}, {"concerto_paused": "1x9 0x20"},
         "coordinator c1 was started paused and waits"),
    Case("ConcertoNotRegistered", "5m", {"concerto_registered": "0x9"},
         {"concerto_registered": "1x9"}, "coordinator c1 is not in the registry"),
    Case("ConcertoOldestUnfinished", "10m", {OLDEST: "3500+60x20"}, {OLDEST: "3600x20"},
         "the oldest unfinished transaction is 1h 8m 20s old", without_instance=True),
    Case("ConcertoRecoveryBehind", "5m", {"concerto_recovery_lag_seconds": "11x9"},
         {"concerto_recovery_lag_seconds": "10x9"}, "coordinator c1 is 11s behind"),
    Case("ConcertoTransactionsWait", "15m",
         {'concerto_transactions_waiting{target="http://stock"}': "150x20"},
         {'concerto_transactions_waiting{target="http://stock"}': "100x20"},
         "150 transactions wait for http://stock", STOCK, True),
    Case("ConcertoBranchErrors", "30m", {SUCCESS: "0+80x40", ERROR: "0+20x40"},
         {SUCCESS: "0+95x40", ERROR: "0+5x40"}, "20% of the calls to http://stock end in errors",
         STOCK, True),
    Case("ConcertoBranchRefusals", "40m", {SUCCESS: "0+40x50", FAILURE: "0+60x50"},
         {SUCCESS: "0+50x50", FAILURE: "0+50x50"}, "http://stock refuses 60% of its calls",
         STOCK, True),
    Case("ConcertoTransactionsFail", "40m", {SAGA_OK: "0+80x50", SAGA_FAILED: "0+20x50"},
         {SAGA_OK: "0+95x50", SAGA_FAILED: "0+5x50"}, "20% of the saga transactions fail",
         {"model": "saga"}, True),
    Case("ConcertoAlertsLost", "5m", {'concerto_alerts_total{result="lost"}': "0 0 3x9"},
         {'concerto_alerts_total{result="lost"}': "3x9",
          'concerto_alerts_total{result="sent"}': "0+1x9"},
         "alerts of coordinator c1 do not reach the web hook", {"result": "lost"}),
    Case("ConcertoDamagedTransactions", "5m",
         {"concerto_store_damaged_records": "0x9", "concerto_transactions_damaged": "2x9"},
         {"concerto_store_damaged_records": "0x9", "concerto_transactions_damaged": "0x9"},
         "coordinator c1 has met 2 damaged records"),
    Case("ConcertoStoreAway", "5m", {state("serving"): "0x9", state("recovering"): "1x9"},
         {state("serving"): "1x9", state("recovering"): "0x9"},
         "the store of coordinator c1 is away", {"state": "recovering"}),
    Case("ConcertoStoreFailed", "5m", {"concerto_store_failed": "0 1x9"},
         {"concerto_store_failed": "0x9"}, "the store of coordinator c1 takes no more writes"),
    Case("ConcertoStoreRefuses", "5m", {state("refusing"): "1x9"}, {state("refusing"): "0x9"},
         "the store of coordinator c1 takes no new transactions", {"state": "refusing"}),
    Case("ConcertoDiskRunsFull", "5m", {FREE: f"{200 * MIB}x9"}, {FREE: f"{256 * MIB}x9"},
         "200MiB are free for the store of coordinator c1"),
    Case("ConcertoDiskFullInADay", "8h", {FREE: f"{15 * GIB}-{10 * MIB}x600"},
         {FREE: f"{15 * GIB}-{2 * MIB}x600"}, "the disk of coordinator c1 is full within a day"),
    Case("ConcertoDiskSlow", "30m", {SYNCS[0]: "0x40", SYNCS[1]: "0+60x40", SYNCS[2]: "0+60x40"},
         {SYNCS[0]: "0+60x40", SYNCS[1]: "0+60x40", SYNCS[2]: "0+60x40"},
         "a sync of coordinator c1 takes 992.5ms"),
    Case("ConcertoTransactionsRefused", "5m", {"concerto_store_refused_total": "0 0 0 7x9"},
         {"concerto_store_refused_total": "7x9"}, "coordinator c1 has refused new transactions"),
    Case("ConcertoChangesFail", "15m", {"concerto_store_failed_changes_total": "0+3x20"},
         {"concerto_store_failed_changes_total": "0 3x20"},
         "the database refuses changes of coordinator c1"),
    Case("ConcertoRedisRefuses", "10m",
         {name: f"0+{number}x20" for number, name in enumerate(REDIS)},
         {name: "5x20" for name in REDIS}, "Redis refuses changes of coordinator c1"),
    Case("ConcertoLeasesLost", "5m", {"concerto_leases_lost_total": "0 0 1x9"},
         {"concerto_leases_lost_total": "1x9"},
         "coordinator c1 has lost transactions to another one"),
    Case("ConcertoCallsPastLease", "5m", {"concerto_calls_past_lease_total": "0 0 1x9"},
         {"concerto_calls_past_lease_total": "1x9"},
         "calls of coordinator c1 ended after their lease"),
    Case("ConcertoBackupOld", "37h", {NEWEST_BACKUP: "0x2400"}, {NEWEST_BACKUP: f"{2 * 3600}x2400"},
         "the newest backup of coordinator c1 is 1d 13h 0m 0s old"),
    Case("ConcertoCertificateEnds", "2h", {EXPIRY: f"{10 * DAY}x200"}, {EXPIRY: f"{15 * DAY}x200"},
         "the certificate (server) of coordinator c1 ends in 9d 22h 0m 0s", {"use": "server"}),
    Case("ConcertoCertificateEndsSoon", "1h", {EXPIRY: f"{2 * DAY}x99"}, {EXPIRY: f"{3 * DAY}x99"},
         "the certificate (server) of coordinator c1 ends in 1d 23h 0m 0s", {"use": "server"}),
    Case("ConcertoAuditGap", "30m", {"concerto_audit_unrecorded_total": "0x9 4x40"},
         {"concerto_audit_unrecorded_total": "4x60"},
         "the audit log of coordinator c1 has gaps"),
    Case("ConcertoWrongTokens", "30m", {"concerto_wrong_tokens_total": "0+30x40"},
         {"concerto_wrong_tokens_total": "0+2x40"}, "wrong tokens arrive at coordinator c1"),
    Case("ConcertoLimitsRefuse", "15m", {'concerto_limited_requests_total{kind="bytes"}': "0+3x20"},
         {'concerto_limited_requests_total{kind="bytes"}': "0 3x20"},
         "coordinator c1 refuses a client that sends too much (bytes)", {"kind": "bytes"}),
    Case("ConcertoHandshakesFail", "30m",
         {'concerto_tls_handshake_failures_total{port="grpc"}': "0+30x40"},
         {'concerto_tls_handshake_failures_total{port="grpc"}': "0+2x40"},
         "TLS handshakes at the grpc port of coordinator c1 fail", {"port": "grpc"}),
    Case("ConcertoDescriptorsShort", "10m",
         {"process_open_fds": "950x20", "process_max_fds": "1000x20"},
         {"process_open_fds": "900x20", "process_max_fds": "1000x20"},
         "coordinator c1 has used 95% of its file descriptors"),
    Case("ConcertoStoreDescriptorWaits", "5m", {"concerto_store_descriptor_waits": "1x9"},
         {"concerto_store_descriptor_waits": "0x9"},
         "the store of coordinator c1 waits for a file descriptor"),
    Case("ConcertoRequestsGivenUp", "5m", {"concerto_buffers_given_up_total": "0 0 2x9"},
         {"concerto_buffers_given_up_total": "2x9"},
         "coordinator c1 had to give up requests under way"),
]
