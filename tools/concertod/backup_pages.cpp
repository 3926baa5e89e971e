#include "backup_pages.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/json_tree.hpp>
#include <concerto/base/start_thread.hpp>
#include <concerto/engine/error.hpp>
#include <concerto/protocol/parameters.hpp>

#include "ops_paths.hpp"

namespace concerto::tools {
namespace {

namespace json = boost::json;

constexpr net::RouteNeeds makes_backup{net::RouteDeed::operates, net::RouteRole::operators,
                                       net::RouteBrowser::own_pages, "backup"};
constexpr net::RouteNeeds shows_backups{net::RouteDeed::reads, net::RouteRole::viewers,
                                        net::RouteBrowser::any_page};
constexpr std::size_t reason_bytes_max = 1'024;

std::string refusal_of(std::string_view driver, const std::string& directory) {
  if (driver != "leveldb") {
    return "Store.Driver is '" + std::string{driver} +
           "', and backups are made here of the embedded store (leveldb) alone: back this store "
           "up with the means of its server, such as pg_dump, mysqldump --single-transaction or "
           "BGSAVE";
  }
  if (directory.empty()) return "no backups are made: the key Backup.Directory is empty";
  return {};
}

/// In UTC.
std::string utc_text(WallTime time, const char* format) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[40];
  std::strftime(text, sizeof text, format, &utc);
  return text;
}

net::HttpResponse error_answer(unsigned status, const std::string& message) {
  json::object body;
  body["message"] = message;
  return net::json_response(status, json::serialize(body));
}

void add_caller(net::AuditRecord& record, const net::HttpRequest& request,
                const RequestContext& context) {
  record.action = "backup";
  record.by = "http";
  record.id = request.headers.find(net::audit_id_header).value_or(std::string_view{});
  record.caller = context.caller.name();
  record.from = context.peer.str();
  record.trace = context.trace.str();
  if (record.reason.empty()) {
    record.reason = request.headers.find("X-Concerto-Reason").value_or(std::string_view{});
  }
  if (record.reason.empty()) {
    record.reason = request.query_value("reason").value_or(std::string_view{});
  }
}

Error wrong_body(std::string text) {
  return make_error(Errc::invalid_request, std::move(text));
}

}  // namespace

BackupPages::BackupPages(persist::ManagedStore& store, std::string_view driver,
                         std::string directory, const Clock& clock, WriteLine write_line)
    : store_(store),
      directory_(std::move(directory)),
      refusal_(refusal_of(driver, directory_)),
      clock_(clock),
      write_line_(std::move(write_line)) {
  if (refusal_.empty()) look();
}

BackupPages::~BackupPages() {
  stopping_.store(true);
  std::thread last;
  {
    const MutexLock lock(mutex_);
    last = std::move(thread_);
  }
  if (last.joinable()) last.join();
}

void BackupPages::register_on(net::GatedRouter& router) {
  router.add("POST", backup_path, makes_backup,
             [this](net::HttpRequest request, const RequestContext& context) {
               return begin(std::move(request), context);
             });
  router.add("GET", backup_path, shows_backups,
             [this](const net::HttpRequest& request, const RequestContext& /*context*/) {
               return show(net::check_parameters(request, {}));
             });
}

std::optional<WallTime> BackupPages::newest() const {
  const MutexLock lock(mutex_);
  if (backups_.empty()) return std::nullopt;
  return backups_.back().created;
}

/// The body may be empty. Errors: invalid_request.
Result<BackupPages::Wanted> BackupPages::read_wanted(std::string_view body) const {
  Wanted wanted;
  wanted.name = utc_text(clock_.wall_now(), "%Y%m%dT%H%M%SZ");
  if (body.empty()) return wanted;
  JsonTree tree;
  CONCERTO_CHECK(tree.parse(body));
  if (!tree.root().is(JsonKind::object)) return wrong_body("the body: expected an object");
  std::vector<std::string> keys;
  for (const JsonValue member : tree.root()) {
    const std::string key(member.key());
    if (std::ranges::count(keys, key) > 0) return wrong_body(key + ": is there more than once");
    keys.push_back(key);
    const bool is_flag = key == "full" || key == "verify";
    if (!is_flag && key != "name" && key != "base" && key != "reason") {
      return wrong_body("'" + key + "' is not known");
    }
    if (!member.is(is_flag ? JsonKind::boolean : JsonKind::text)) {
      return wrong_body(key + ": expected " + (is_flag ? "true or false" : "a string"));
    }
    if (is_flag) {
      (key == "full" ? wanted.full : wanted.verify) = member.boolean();
    } else if (key == "reason") {  // for the audit log
      wanted.end.reason = member.text();
      if (member.text().size() > reason_bytes_max) {
        return wrong_body("reason: more than " + std::to_string(reason_bytes_max) + " bytes");
      }
    } else {
      (key == "name" ? wanted.name : wanted.base) = std::string(member.text());
      CONCERTO_CHECK(persist::check_backup_name(key, std::string(member.text())));
    }
  }
  if (wanted.full && (wanted.verify || !wanted.base.empty())) {
    return wrong_body("full: a full backup has no base");
  }
  return wanted;
}

Task<net::HttpResponse> BackupPages::begin(net::HttpRequest request, RequestContext context) {
  const Result<> known = net::check_parameters(request, {"reason"});
  if (!known) co_return error_answer(400, known.error().detail);
  if (!refusal_.empty()) co_return error_answer(501, refusal_);
  Result<Wanted> wanted = read_wanted(request.body);
  if (wanted) add_caller(wanted->end, request, context);
  if (!wanted) co_return error_answer(400, wanted.error().detail);
  const MutexLock lock(mutex_);
  if (std::string_view{state_.state} == "running") {
    co_return error_answer(409, "the backup '" + state_.name + "' is being made");
  }
  if (thread_.joinable()) thread_.join();  // It has ended.
  State fresh;
  fresh.state = "running";
  fresh.name = wanted->name;
  State before = std::exchange(state_, std::move(fresh));
  const Result<> begun =
      start_thread(thread_, "for a backup", [this, asked = *wanted] { run(asked); });
  if (!begun) {
    state_ = std::move(before);
    co_return error_answer(503, begun.error().detail);
  }
  json::object body;
  body["state"] = "running";
  body["name"] = wanted->name;
  co_return net::json_response(202, json::serialize(body));
}

/// Told when the backup has ended. The first record of the request has the same id.
void BackupPages::write_end(const Wanted& wanted, const Result<persist::BackupReport>& made) {
  if (!write_end_ || wanted.end.id.empty()) return;
  net::AuditRecord end = wanted.end;
  end.event = made ? net::AuditRecord::Event::done : net::AuditRecord::Event::failed;
  end.details = "name " + wanted.name;
  if (!wanted.base.empty()) end.details += ", base " + wanted.base;
  if (wanted.full) end.details += ", full";
  if (wanted.verify) end.details += ", verify";
  end.result = made ? "complete, " + std::to_string(made->bytes) + " bytes" : made.error().detail;
  write_end_(end);
}

void BackupPages::look() {
  auto backups = store_.backups(directory_);
  if (!backups) {
    write_line_(LogLevel::warn, "the backups cannot be listed: " + backups.error().detail);
    return;
  }
  const MutexLock lock(mutex_);
  backups_ = std::move(*backups);
}

/// If nobody has named the base and the newest backup does not fit, all is copied.
Result<persist::BackupReport> BackupPages::make(const Wanted& wanted) {
  if (wanted.full || !wanted.base.empty()) return make_on(wanted, wanted.base);
  CONCERTO_TRY(const auto backups, store_.backups(directory_));
  if (backups.empty()) return make_on(wanted, {});
  auto made = make_on(wanted, backups.back().name);
  const bool base_does_not_fit = !made && (made.error().code == EngineErrc::store_unavailable ||
                                           made.error().code == EngineErrc::store_damaged);
  if (!base_does_not_fit) return made;
  const bool is_damage = made.error().code == EngineErrc::store_damaged;
  write_line_(is_damage ? LogLevel::error : LogLevel::info,
              "backup '" + wanted.name + "' copies all: " + made.error().detail);
  {
    const MutexLock lock(mutex_);
    state_.note = "all was copied: " + made.error().detail;
  }
  return make_on(wanted, {});
}

Result<persist::BackupReport> BackupPages::make_on(const Wanted& wanted, const std::string& base) {
  persist::BackupRequest request;
  request.directory = directory_;
  request.name = wanted.name;
  request.base = base;
  request.verify_base = wanted.verify;
  request.progress = [this](std::uint64_t done, std::uint64_t total) {
    const MutexLock lock(mutex_);
    state_.done = done;
    state_.total = total;
    return !stopping_.load();
  };
  {
    const MutexLock lock(mutex_);
    state_.base = base;
  }
  return store_.backup(request);
}

void BackupPages::run(const Wanted& wanted) {
  write_line_(LogLevel::info, "backup '" + wanted.name + "' begins in '" + directory_ + "'");
  const Result<persist::BackupReport> made = make(wanted);
  look();
  if (made) {
    const std::string base = made->base.empty() ? "" : ", after '" + made->base + "'";
    write_line_(LogLevel::info, "backup '" + wanted.name + "' is complete: up to group " +
                                    std::to_string(made->last_group) + base + ", " +
                                    std::to_string(made->bytes) + " bytes");
  } else {
    write_line_(LogLevel::error, "backup '" + wanted.name + "' failed: " + made.error().detail);
  }
  write_end(wanted, made);
  const MutexLock lock(mutex_);
  state_.state = made ? "done" : "failed";
  if (made) {
    state_.bytes = made->bytes;
    state_.total = made->first_group == 0 ? 0 : made->last_group + 1 - made->first_group;
    state_.done = state_.total;
  } else {
    state_.error = made.error().detail;
  }
}

Task<net::HttpResponse> BackupPages::show(Result<> known) const {
  if (!known) co_return error_answer(400, known.error().detail);
  State now;
  std::vector<persist::BackupReport> backups;
  {
    const MutexLock lock(mutex_);
    now = state_;
    backups = backups_;
  }
  json::object body;
  if (!refusal_.empty()) body["refusal"] = refusal_;
  body["state"] = now.state;
  body["name"] = now.name;
  body["base"] = now.base;
  body["groupsDone"] = now.done;
  body["groupsTotal"] = now.total;
  body["bytes"] = now.bytes;
  if (!now.note.empty()) body["note"] = now.note;
  if (!now.error.empty()) body["error"] = now.error;
  json::array listed;
  for (const persist::BackupReport& backup : backups) {
    json::object one;
    one["name"] = backup.name;
    one["base"] = backup.base;
    one["created"] = utc_text(backup.created, "%Y-%m-%dT%H:%M:%SZ");
    one["firstGroup"] = backup.first_group;
    one["lastGroup"] = backup.last_group;
    one["bytes"] = backup.bytes;
    listed.push_back(std::move(one));
  }
  body["backups"] = std::move(listed);
  co_return net::json_response(200, json::serialize(body));
}

}  // namespace concerto::tools
