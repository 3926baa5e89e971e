#include "bulk/job_record.hpp"

#include <algorithm>
#include <limits>

#include <concerto/base/json_text.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/base/utf8.hpp>

namespace concerto {
namespace {

constexpr TransStatus unfinished_statuses[] = {TransStatus::prepared, TransStatus::submitted,
                                               TransStatus::aborting};
constexpr BulkJob::State job_states[] = {BulkJob::State::running, BulkJob::State::done,
                                         BulkJob::State::cancelled, BulkJob::State::failed};

std::int64_t nanoseconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

WallTime time_from(std::int64_t count) {
  return WallTime{std::chrono::nanoseconds{count}};
}

/// RecordWriter with a text or a number, behind each other.
class RecordWriter {
 public:
  void text(std::string_view name, std::string_view value) {
    append_json_string(begin(name), to_utf8(value));
  }
  void number(std::string_view name, std::int64_t value) { begin(name) += std::to_string(value); }
  void time(std::string_view name, const std::optional<WallTime>& value) {
    if (value) number(name, nanoseconds_of(*value));
  }
  std::string& begin(std::string_view name) {
    out_ += out_.empty() ? '{' : ',';
    append_json_string(out_, name);
    return out_ += ':';
  }
  std::string end() { return std::move(out_ += '}'); }

 private:
  std::string out_;
};

std::string failures_of(const BulkJob& job) {
  std::string out = "[";
  for (const BulkJob::Failure& failure : job.failures) {
    RecordWriter members;
    members.text("gid", failure.gid.view());
    members.text("error", failure.text);
    out += (out.size() > 1 ? "," : "") + members.end();
  }
  return out + "]";
}

std::string statuses_of(StatusSet statuses) {
  std::string out;
  for (const TransStatus status : unfinished_statuses) {
    if (statuses.contains(status)) out.append(out.empty() ? "" : ",").append(to_string(status));
  }
  return out;
}

/// Reads members that are there and of the right kind.
class RecordReader {
 public:
  explicit RecordReader(JsonValue object) : object_(object) {}

  std::string text(std::string_view name) const {
    const auto value = object_.find(name);
    return value && value->is(JsonKind::text) ? std::string(value->text()) : std::string();
  }
  std::optional<std::int64_t> number(std::string_view name) const {
    const auto value = object_.find(name);
    return value ? value->whole_number() : std::nullopt;
  }
  std::size_t size(std::string_view name) const {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, number(name).value_or(0)));
  }
  std::optional<WallTime> time(std::string_view name) const {
    const auto count = number(name);
    return count ? std::optional{time_from(*count)} : std::nullopt;
  }

 private:
  JsonValue object_;
};

StatusSet statuses_from(std::string_view text) {
  StatusSet statuses;
  for (const TransStatus status : unfinished_statuses) {
    if (text.find(to_string(status)) != std::string_view::npos) statuses.insert(status);
  }
  return statuses;
}

BulkSelection selection_from(const RecordReader& reader) {
  BulkSelection selection;
  selection.statuses = statuses_from(reader.text("statuses"));
  if (const auto type = reader.number("type")) {
    selection.type = static_cast<TransType>(*type);
  }
  selection.created_from = reader.time("created_from");
  selection.created_to = reader.time("created_to");
  selection.trouble.target = reader.text("target");
  selection.trouble.error = reader.text("error");
  selection.topic = reader.text("topic");
  selection.owner = reader.text("owner");
  return selection;
}

Error damaged_job(std::string_view why) {
  return make_error(EngineErrc::store_damaged,
                    "the record of an operator's job cannot be read: " + std::string(why));
}

}  // namespace

std::string record_of(const BulkJob& job) {
  const BulkSelection& selection = job.request.selection;
  RecordWriter members;
  members.text("id", job.id);
  members.text("action", to_string(job.request.action));
  members.text("state", to_string(job.state));
  members.text("statuses", statuses_of(selection.statuses));
  if (selection.type) members.number("type", static_cast<std::int64_t>(*selection.type));
  members.time("created_from", selection.created_from);
  members.time("created_to", selection.created_to);
  members.text("target", selection.trouble.target);
  members.text("error", selection.trouble.error);
  members.text("topic", selection.topic);
  members.text("owner", selection.owner);
  members.text("branch_id", job.request.branch.branch_id);
  members.text("op", job.request.branch.op);
  if (job.request.limit != std::numeric_limits<std::size_t>::max()) {
    members.number("limit", static_cast<std::int64_t>(job.request.limit));
  }
  members.text("reason", job.request.reason);
  members.text("caller", job.caller);
  members.text("audit_id", job.audit_id);
  members.number("created", nanoseconds_of(job.created));
  members.number("updated", nanoseconds_of(job.updated));
  members.number("done", static_cast<std::int64_t>(job.done));
  members.number("failed", static_cast<std::int64_t>(job.failed));
  members.number("part_done", static_cast<std::int64_t>(job.part_done));
  members.number("part_failed", static_cast<std::int64_t>(job.part_failed));
  members.begin("failures") += failures_of(job);
  members.text("trouble", job.trouble);
  members.text("position", job.position);
  return members.end();
}

Result<BulkJob> job_from(std::string_view record) {
  JsonTree tree;
  const Result<> parsed = tree.parse(record);
  if (!parsed) return damaged_job(parsed.error().detail);
  const RecordReader reader{tree.root()};
  BulkJob job;
  job.id = reader.text("id");
  const auto action = bulk_action_from(reader.text("action"));
  const std::string state = reader.text("state");
  const auto name = [](BulkJob::State each) { return to_string(each); };
  const auto found = std::ranges::find(job_states, state, name);
  if (!action || found == std::ranges::end(job_states)) {
    return damaged_job("unknown action or state");
  }
  job.request.action = *action;
  job.state = *found;
  job.request.selection = selection_from(reader);
  job.request.branch = {reader.text("branch_id"), reader.text("op")};
  if (reader.number("limit")) job.request.limit = reader.size("limit");
  job.request.reason = reader.text("reason");
  job.caller = reader.text("caller");
  job.audit_id = reader.text("audit_id");
  job.created = reader.time("created").value_or(WallTime{});
  job.updated = reader.time("updated").value_or(WallTime{});
  job.done = reader.size("done");
  job.failed = reader.size("failed");
  job.part_done = std::min(reader.size("part_done"), job.done);
  job.part_failed = std::min(reader.size("part_failed"), job.failed);
  if (const auto failures = tree.root().find("failures")) {
    for (const JsonValue each : *failures) {
      const RecordReader failure{each};
      job.failures.push_back({Gid(failure.text("gid")), failure.text("error")});
    }
  }
  job.trouble = reader.text("trouble");
  job.position = reader.text("position");
  return job;
}

}  // namespace concerto
