#include "config_keys.hpp"

namespace concerto::tools {
namespace {

constexpr KeyRange port{0, 65'535};
constexpr KeyRange positive{1};
constexpr KeyRange seconds_range{0, 1'000'000'000};
constexpr KeyRange any = KeyRange::any();
constexpr std::string_view of_branch_writes =
    "accepted and unused: results of calls are always written in groups, before a step that "
    "depends on them";

// The field of a row. Generic, so that the row names only the member.
#define CONCERTO_FIELD(member) [](Config& c) -> auto& { return c.member; }

const KeyRow standard_rows[] = {
    {"Store.Driver", CONCERTO_FIELD(store.driver),
     "leveldb, the embedded store (boltdb means the same); mysql, postgres or redis, which several "
     "coordinators may share; memory for tests"},
    {"Store.Path", CONCERTO_FIELD(store.path), "directory of the embedded store"},
    {.path = "Store.FinishedBytesMax",
     .field = CONCERTO_FIELD(store.finished_bytes_max),
     .help = "when the embedded store is larger, its oldest finished transactions are dropped",
     .range = positive,
     .in_bytes = true,
     .reloads = true},
    {.path = "Store.FreeBytesMin",
     .field = CONCERTO_FIELD(store.free_bytes_min),
     .help = "with less free space on the embedded store's disk, the log and /readyz warn; 0: "
             "they never warn",
     .in_bytes = true},
    {"Store.Host", CONCERTO_FIELD(store.host),
     "host of the database server; for mysql and postgres also several hosts with commas between "
     "them, of which the first that takes writes is used; for redis also host:port,host:port,.. of "
     "a cluster or of Sentinels"},
    {"Store.Port", CONCERTO_FIELD(store.port),
     "port of the database server; not used for a host of redis that names its port", any},
    {"Store.User", CONCERTO_FIELD(store.user), "user of the database; for redis it may be empty"},
    {.path = "Store.Password",
     .field = CONCERTO_FIELD(store.password),
     .help = "the user's password",
     .secrecy = Secrecy::secret},
    {"Store.PasswordFile", CONCERTO_FIELD(store.password_file),
     "file with the password, in place of Store.Password"},
    {"Store.Db", CONCERTO_FIELD(store.db), "name of the database, for mysql and postgres"},
    {"Store.Schema", CONCERTO_FIELD(store.schema),
     "schema of the tables, for postgres (its search_path)"},
    {"Store.MaxOpenConns", CONCERTO_FIELD(store.open_connections_max),
     "connections to the database, for mysql and postgres; from 2 to 16 are used, whatever larger "
     "number is given; 0 or less: as many as are useful",
     any},
    {"Store.MaxIdleConns", CONCERTO_FIELD(store.idle_connections_max),
     "connections that stay open without work, for mysql and postgres; 0 or less: none", any},
    {"Store.ConnMaxLifeTime", CONCERTO_FIELD(store.connection_life_time),
     "minutes after which a connection is replaced, for mysql and postgres; 0 or less: never", any},
    {"Store.TlsMode", CONCERTO_FIELD(store.tls_mode),
     "TLS to the database server: disable; prefer (if the server has it, not for redis); require "
     "(whoever the server is); verify-ca (its certificate is signed as TlsCaFile says); "
     "verify-full (and has the name of the host)"},
    {"Store.TlsCaFile", CONCERTO_FIELD(store.tls_ca_file),
     "certificates (PEM) that the server's has to be signed by"},
    {"Store.TlsCertFile", CONCERTO_FIELD(store.tls_cert_file),
     "certificate (PEM) of this client, if the server asks for one"},
    {"Store.TlsKeyFile", CONCERTO_FIELD(store.tls_key_file), "key (PEM) of that certificate"},
    {"Store.Lease", CONCERTO_FIELD(store.lease),
     "seconds for which a coordinator has a transaction of a shared store before another one may "
     "take it; 0: 15 for mysql and postgres, 10 for redis; otherwise from 5 on",
     KeyRange{0, 3'600}},
    {"Store.DataExpire", CONCERTO_FIELD(store.data_expire),
     "seconds after its wake time for which redis keeps an unfinished transaction, at least 1; in "
     "other stores it never expires",
     any},
    {.path = "Store.FinishedDataExpire",
     .field = CONCERTO_FIELD(store.finished_data_expire),
     .help = "seconds after which a finished transaction may be dropped; mysql and postgres drop "
             "none as long as this key is not set",
     .range = seconds_range,
     .reloads = true,
     .is_set = CONCERTO_FIELD(store.finished_data_expire_is_set)},
    {.path = "Store.FailedDataExpire",
     .field = CONCERTO_FIELD(store.failed_data_expire),
     .help = "seconds after which a failed transaction may be dropped, to keep it longer; 0: as "
             "FinishedDataExpire",
     .range = seconds_range,
     .reloads = true},
    {"Store.RedisPrefix", CONCERTO_FIELD(store.redis_prefix),
     "what the keys in redis begin with; a cluster needs the braces"},
    {"Store.RedisSentinelMaster", CONCERTO_FIELD(store.redis_sentinel_master),
     "name of the master, if Store.Host lists Sentinels"},
    {"Store.RedisWaitReplicas", CONCERTO_FIELD(store.redis_wait_replicas),
     "replicas of redis that must have a change before it is acknowledged (WAIT)",
     KeyRange{0, 100}},
    {"Store.RedisWaitOnDisk", CONCERTO_FIELD(store.redis_wait_on_disk),
     "1: the master and these replicas must have synced a change before it is acknowledged "
     "(WAITAOF, from Redis 7.2 on)"},
    {"TransCronInterval", CONCERTO_FIELD(trans_cron_interval),
     "seconds between two looks for what other coordinators have left, in a shared store; below 1: "
     "1; not used by the embedded store, whose transactions have alarms",
     any},
    {"TimeoutToFail", CONCERTO_FIELD(coordinator.timeout_to_fail),
     "seconds after which the application of a prepared transaction is asked, or the "
     "transaction is rolled back",
     seconds_range},
    {"RetryInterval", CONCERTO_FIELD(coordinator.retry_interval),
     "seconds before a transaction is tried again; doubled after each error", seconds_range},
    {"RequestTimeout", CONCERTO_FIELD(coordinator.request_timeout),
     "seconds that one branch call may take", seconds_range},
    {"BackoffMax", CONCERTO_FIELD(coordinator.backoff_max),
     "seconds that the interval between retries grows to at most", KeyRange{1, 1'000'000'000}},
    {"HttpPort", CONCERTO_FIELD(http_port), "port for HTTP and JSON-RPC; 0: any free port", port},
    {"GrpcPort", CONCERTO_FIELD(grpc_port), "port for gRPC; 0: any free port", port},
    {"JsonRpcPort", CONCERTO_FIELD(json_rpc_port), "accepted and unused", any},
    {"ListenAddress", CONCERTO_FIELD(listen_address),
     "IP address without a port, or localhost; empty or *: all interfaces"},
    {"Shards", CONCERTO_FIELD(shards), "number of shards, with one thread each; 0: one per core",
     KeyRange{0, 1'024}},
    {"MicroService.Driver", CONCERTO_FIELD(micro_service.driver), "default, dtm-driver-gozero"},
    {.path = "MicroService.Target",
     .field = CONCERTO_FIELD(micro_service.target),
     .help = "where to register, as etcd://host:2379/dtmservice",
     .secrecy = Secrecy::url_secrets},
    {"MicroService.TargetFile", CONCERTO_FIELD(micro_service.target_file),
     "file with the URL, in place of MicroService.Target, for a URL with a password"},
    {"MicroService.EndPoint", CONCERTO_FIELD(micro_service.end_point),
     "address to register, as localhost:36790"},
    {"HttpMicroService.Driver", CONCERTO_FIELD(http_micro_service.driver), "accepted and unused"},
    {"HttpMicroService.RegistryType", CONCERTO_FIELD(http_micro_service.registry_type),
     "accepted and unused"},
    {.path = "HttpMicroService.RegistryAddress",
     .field = CONCERTO_FIELD(http_micro_service.registry_address),
     .help = "accepted and unused",
     .secrecy = Secrecy::url_secrets},
    {.path = "HttpMicroService.RegistryOptions",
     .field = CONCERTO_FIELD(http_micro_service.registry_options),
     .help = "accepted and unused",
     .secrecy = Secrecy::secret},
    {.path = "HttpMicroService.Target",
     .field = CONCERTO_FIELD(http_micro_service.target),
     .help = "accepted and unused",
     .secrecy = Secrecy::url_secrets},
    {"HttpMicroService.EndPoint", CONCERTO_FIELD(http_micro_service.end_point),
     "accepted and unused"},
    {"UpdateBranchSync", CONCERTO_FIELD(update_branch_sync), of_branch_writes, any},
    {"UpdateBranchAsyncGoroutineNum", CONCERTO_FIELD(update_branch_workers), of_branch_writes, any},
    {.path = "LogLevel",
     .field = CONCERTO_FIELD(log.level),
     .help = "lowest level that is logged: debug, info, warn or error",
     .reloads = true},
    {"Log.Outputs", CONCERTO_FIELD(log.outputs),
     "stderr, stdout and names of files, separated by commas"},
    {"Log.RotationEnable", CONCERTO_FIELD(log.rotation_enabled), "1: files are rotated"},
    {"Log.RotationConfigJSON", CONCERTO_FIELD(log.rotation_json),
     "maxsize (MB), maxage (days), maxbackups, localtime, compress"},
    {"Audit.File", CONCERTO_FIELD(audit.file),
     "file for the audit log of operators' actions, JSON lines; empty: none is kept"},
    {"Audit.Required", CONCERTO_FIELD(audit.required),
     "1: an operator's action whose record cannot be written, because the disk is full for "
     "example, is refused; 0: it is done, and the log warns"},
    {.path = "Audit.FileBytesMax",
     .field = CONCERTO_FIELD(audit.file_bytes_max),
     .help = "a larger file is put aside under a name with the time",
     .range = positive,
     .in_bytes = true},
    {"Audit.FilesMax", CONCERTO_FIELD(audit.files_max),
     "files put aside that are kept; 0: all of them", KeyRange{0, 1'000'000}},
    {"Audit.AgeMax", CONCERTO_FIELD(audit.age_max_days),
     "days for which files put aside are kept; 0: for ever", KeyRange{0, 100'000}},
    {"Backup.Directory", CONCERTO_FIELD(backup.directory),
     "directory, not inside Store.Path, for backups of the embedded store that operators ask for "
     "(POST /api/concerto/backup); empty: none are made"},
    {"TimeZoneOffset", CONCERTO_FIELD(time_zone_offset),
     "hours by which times in answers, and in the columns of mysql, are ahead of UTC, as +8; "
     "empty: the system's time zone"},
    {"ConfigUpdateInterval", CONCERTO_FIELD(config_update_interval),
     "accepted and unused: topics are read from the store", any},
    {"AlertRetryLimit", CONCERTO_FIELD(alert_retry_limit),
     "doublings of a transaction's interval after which AlertWebHook is told", any},
    {.path = "AlertWebHook",
     .field = CONCERTO_FIELD(alert_web_hook),
     .help = "URL that alerts about transactions in trouble are posted to",
     .secrecy = Secrecy::url_path},
    {"AlertWebHookFile", CONCERTO_FIELD(alert_web_hook_file),
     "file with the URL, in place of AlertWebHook, for a URL with a token"},
    {"AdminBasePath", CONCERTO_FIELD(admin_base_path),
     "path below which the web console lies, as /dtm"},
    {"AllowedHosts", CONCERTO_FIELD(allowed_hosts),
     "names that HTTP clients may use for this server, as dtm.b.org,.c.org; empty: any "
     "name, but browsers have to use an IP address, localhost or the machine's name"},
    {"GetMayChange", CONCERTO_FIELD(get_may_change),
     "1: subscribe, unsubscribe and resetCronTime work by GET and POST; 0: by POST only"},
    {"RedirectHeaders", CONCERTO_FIELD(redirect_headers),
     "1: when a branch redirects to another host, branch_headers except credentials are "
     "sent there too"},
    {.path = "TargetAllow",
     .field = CONCERTO_FIELD(target_allow),
     .help = "targets that branches, query_prepared, redirects and AlertWebHook may name, as "
             "b.org, .c.org, https://*:443, 10.0.0.0/8, grpc://[fd00::/8]:9000-9099; empty: all "
             "that TargetDeny does not have",
     .reloads = true},
    {.path = "TargetDeny",
     .field = CONCERTO_FIELD(target_deny),
     .help = "targets that are refused even if TargetAllow has them, in the same spelling; the "
             "words of the default, loopback and private are groups of addresses",
     .reloads = true},
    {"GrpcServiceConfig", CONCERTO_FIELD(grpc_service_config),
     "accepted and unused: calls use the addresses of a service in turn"},
    {"GrpcKeepaliveInterval", CONCERTO_FIELD(keepalive.interval),
     "seconds of silence after which a gRPC connection to a service is pinged, while "
     "calls run",
     KeyRange{1, 1'000'000}},
    {"GrpcKeepaliveTimeout", CONCERTO_FIELD(keepalive.timeout),
     "seconds without an answer to a ping, or without taking bytes, after which a gRPC "
     "connection to a service counts as lost",
     KeyRange{1, 1'000'000}},
    {.path = "MaxInFlight",
     .field = CONCERTO_FIELD(coordinator.in_flight_max),
     .help = "transactions in memory; more new transactions are refused",
     .range = positive,
     .reloads = true},
    {.path = "MaxInFlightBytes",
     .field = CONCERTO_FIELD(coordinator.in_flight_bytes_max),
     .help = "payload bytes of the transactions in memory; beyond them new transactions are "
             "refused",
     .range = positive,
     .in_bytes = true,
     .reloads = true},
    {.path = "MaxWakesInProgress",
     .field = CONCERTO_FIELD(coordinator.wakes_in_progress_max),
     .help = "transactions that are being woken (read and begun) at one time, per shard",
     .range = positive,
     .reloads = true},
    {.path = "MaxWakesPerTarget",
     .field = CONCERTO_FIELD(coordinator.wakes_per_target_max),
     .help = "woken transactions that may call one target at one time, per shard; the others are "
             "queued",
     .range = positive,
     .reloads = true},
    {.path = "MaxJournal",
     .field = CONCERTO_FIELD(coordinator.journal_transactions_max),
     .help = "transactions in trouble whose last attempts are kept in memory",
     .range = KeyRange{0},
     .reloads = true},
    {"ProgressDelay", CONCERTO_FIELD(coordinator.progress_delay),
     "milliseconds for which results that no step depends on may stay in memory",
     KeyRange{0, 60'000}},
    {.path = "MaxBodyBytes",
     .field = CONCERTO_FIELD(limits.body_bytes_max),
     .help = "largest request",
     .range = positive,
     .in_bytes = true,
     .reloads = true},
    {.path = "MaxResponseBytes",
     .field = CONCERTO_FIELD(limits.response_bytes_max),
     .help = "largest answer of a branch",
     .range = positive,
     .in_bytes = true},
    {.path = "MaxConnections",
     .field = CONCERTO_FIELD(limits.connections_max),
     .help = "open connections of clients on each port",
     .range = positive,
     .reloads = true},
    {.path = "MaxStreams",
     .field = CONCERTO_FIELD(limits.streams_per_connection_max),
     .help = "gRPC calls that run at one time on one connection of a client",
     .range = positive,
     .reloads = true},
    {.path = "MaxBufferedBytes",
     .field = CONCERTO_FIELD(limits.buffered_bytes_max),
     .help = "memory for requests that have arrived in part or are not yet read, and for answers "
             "that clients have not read",
     .range = positive,
     .in_bytes = true,
     .reloads = true},
    {.path = "ReadTimeout",
     .field = CONCERTO_FIELD(limits.read_timeout),
     .help = "seconds within which a request has to arrive completely, counted from its first byte",
     .range = KeyRange{1, 1'000'000},
     .reloads = true},
    {.path = "IdleTimeout",
     .field = CONCERTO_FIELD(limits.idle_timeout),
     .help = "seconds without a request after which a client's connection is closed",
     .range = KeyRange{1, 1'000'000},
     .reloads = true},
    {.path = "HttpWaitMax",
     .field = CONCERTO_FIELD(limits.http_wait_max),
     .help = "seconds that a request over HTTP or JSON-RPC waits for a result at most; then the "
             "answer says that the transaction goes on; 0: as long as it takes",
     .range = KeyRange{0, 1'000'000},
     .reloads = true},
    {.path = "ShutdownDelay",
     .field = CONCERTO_FIELD(shutdown_delay),
     .help = "seconds after SIGTERM during which requests are still served and /readyz answers 503",
     .range = KeyRange{0, 3'600},
     .reloads = true},
    {"CoreDumps", CONCERTO_FIELD(core_dumps),
     "1: a crash may leave a core dump, which has passwords and payloads, and debuggers of the "
     "same "
     "user may attach"},
    {"ShutdownGrace", CONCERTO_FIELD(shutdown_grace),
     "seconds after ShutdownDelay within which running calls may end", seconds_range},
    {"Auth.CallersFile", CONCERTO_FIELD(auth.callers_file),
     "file of tokens and certificates with their roles (see security.md), read again when it "
     "changes; empty, and no JwksFile: everybody may do everything"},
    {"Auth.JwksFile", CONCERTO_FIELD(auth.jwks_file),
     "file of the public keys (JWK set) for JSON Web Tokens, read again when it changes"},
    {"Auth.JwtIssuer", CONCERTO_FIELD(auth.jwt_issuer),
     "issuer (iss) of JSON Web Tokens; needed with JwksFile"},
    {"Auth.JwtAudience", CONCERTO_FIELD(auth.jwt_audience),
     "audience (aud) of JSON Web Tokens; needed with JwksFile"},
    {"Auth.JwtRolesClaim", CONCERTO_FIELD(auth.jwt_roles_claim),
     "claim with the roles client, viewer or operator; a.b is in the claim a"},
    {"Auth.JwtClockSkew", CONCERTO_FIELD(auth.jwt_clock_skew),
     "seconds by which the clock of the issuer may be wrong", KeyRange{0, 600}},
    {"Auth.Metrics", CONCERTO_FIELD(auth.metrics), "viewers, anyone or nobody reads the metrics"},
    {"Auth.Reflection", CONCERTO_FIELD(auth.reflection), "the same for gRPC's reflection service"},
};

#undef CONCERTO_FIELD

}  // namespace

const KeyTable& KeyTable::standard() {
  static const KeyTable table = [] {
    KeyTable all{standard_rows};
    for (const KeyRow& row : tls_rows()) all.add(row);
    for (const KeyRow& row : client_rows()) all.add(row);
    for (const KeyRow& row : trace_rows()) all.add(row);
    return all;
  }();
  return table;
}

}  // namespace concerto::tools
