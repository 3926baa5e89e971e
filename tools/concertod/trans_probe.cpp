#include "trans_probe.hpp"

#include <algorithm>

namespace concerto::tools {
namespace {

constexpr std::size_t branch_ids = 101;  ///< `00` to `99`, and the others

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t branch_index(std::string_view id) noexcept {
  if (id.size() != 2 || !is_digit(id[0]) || !is_digit(id[1])) return branch_ids - 1;
  return static_cast<std::size_t>((id[0] - '0') * 10 + (id[1] - '0'));
}

std::string branch_name(std::size_t index) {
  if (index == branch_ids - 1) return "other";
  return {static_cast<char>('0' + index / 10), static_cast<char>('0' + index % 10)};
}

/// The ops of all modes; the last name is for everything else.
std::vector<std::string_view> ops_of(const ModeTable& modes) {
  std::vector<std::string_view> ops;
  for (const Mode* mode : modes.all()) {
    for (const std::string_view op : mode->ops) {
      if (std::find(ops.begin(), ops.end(), op) == ops.end()) ops.push_back(op);
    }
  }
  ops.push_back("other");
  return ops;
}

}  // namespace

std::string TransProbe::label_of(std::string_view target) {
  const std::size_t scheme = target.find("://");
  const std::size_t host = scheme == target.npos ? 0 : scheme + 3;
  const std::size_t at = target.rfind('@');
  std::string label(target);
  if (at != target.npos && at >= host) label.erase(host, at + 1 - host);
  return label;
}

TransProbe::TransProbe(const ModeTable& modes)
    : modes_(modes), ops_(ops_of(modes)), calls_(trans_types * ops_.size() * branch_ids) {}

std::size_t TransProbe::place_of(TransType type, std::size_t op,
                                 std::size_t branch) const noexcept {
  const std::size_t by_type = static_cast<std::size_t>(type) % trans_types;
  return (by_type * ops_.size() + op) * branch_ids + branch;
}

void TransProbe::count_pass(const Transaction& trans, bool without_error) {
  Passes& passes = passes_[static_cast<std::size_t>(trans.type) % trans_types];
  (without_error ? passes.ok : passes.failed).add();
  // The pass has just changed the transaction, so this is its age at the end of the pass.
  passes.handled.add(trans.update_time - trans.create_time);
}

void TransProbe::count_call(const BranchCall& call, Outcome outcome,
                            std::chrono::nanoseconds took) {
  const auto op = std::find(ops_.begin(), ops_.end() - 1, call.op) - ops_.begin();
  Calls& calls =
      calls_[place_of(call.mode->type, static_cast<std::size_t>(op), branch_index(call.branch_id))];
  (outcome == Outcome::success ? calls.ok : calls.failed).add();
  Target& target = target_at(call_target(call.url));
  target.latency.add(took);
  target.ended[static_cast<std::size_t>(outcome)].add();
}

void TransProbe::count_end(const Transaction& trans) {
  Ends& ends = ends_[static_cast<std::size_t>(trans.type) % trans_types];
  (trans.status == TransStatus::succeed ? ends.succeeded : ends.failed).add();
}

TransProbe::Target& TransProbe::target_at(std::string_view url_target) {
  const auto found = targets_.find(url_target);
  if (found != targets_.end()) return *found->second;
  if (targets_.size() == targets_max) return other_targets_;
  return *targets_.emplace(url_target, std::make_unique<Target>()).first->second;
}

void TransProbe::collect(MetricSet& metrics) const {
  for (std::size_t type = 0; type < trans_types; ++type) {
    collect_passes(static_cast<TransType>(type), metrics);
    collect_calls(static_cast<TransType>(type), metrics);
  }
  for (const auto& [name, target] : targets_) collect_target(label_of(name), *target, metrics);
  if (targets_.size() == targets_max) collect_target("other", other_targets_, metrics);
  metrics.counter("concerto_leases_lost_total",
                  "Transactions that another coordinator took while this one worked on them", {},
                  static_cast<double>(leases_lost_.value()));
  metrics.counter("concerto_calls_past_lease_total",
                  "Calls to branches that ended after the lease under which they began", {},
                  static_cast<double>(calls_past_lease_.value()));
}

void TransProbe::collect_target(std::string_view name, const Target& target, MetricSet& metrics) {
  metrics.histogram("concerto_branch_latency_seconds",
                    "Seconds that calls to the branches of a target took", {{"target", name}},
                    target.latency);
  for (std::size_t outcome = 0; outcome < target.ended.size(); ++outcome) {
    metrics.counter("concerto_branch_calls_total", "Calls to the branches of a target",
                    {{"target", name}, {"outcome", to_string(static_cast<Outcome>(outcome))}},
                    static_cast<double>(target.ended[outcome].value()));
  }
}

void TransProbe::collect_ends(TransType type, MetricSet& metrics) const {
  const Ends& ends = ends_[static_cast<std::size_t>(type)];
  const std::uint64_t count = ends.succeeded.value() + ends.failed.value();
  // Known modes are shown from the start, so that the rate counts their first end.
  if (modes_.find(type) == nullptr && count == 0) return;
  for (const bool succeeded : {true, false}) {
    metrics.counter("concerto_transactions_ended_total", "Transactions that reached an end",
                    {{"model", modes_.name_of(type)}, {"status", succeeded ? "succeed" : "failed"}},
                    static_cast<double>((succeeded ? ends.succeeded : ends.failed).value()));
  }
}

void TransProbe::collect_passes(TransType type, MetricSet& metrics) const {
  collect_ends(type, metrics);
  const Passes& passes = passes_[static_cast<std::size_t>(type)];
  if (passes.ok.value() + passes.failed.value() == 0) return;
  const std::string_view model = modes_.name_of(type);
  for (const bool ok : {true, false}) {
    metrics.counter("dtm_transaction_process_total", "Passes over transactions",
                    {{"model", model}, {"status", ok ? "ok" : "fail"}},
                    static_cast<double>((ok ? passes.ok : passes.failed).value()));
  }
  const std::string_view help = "Seconds from a transaction's creation to the end of a pass";
  metrics.histogram("dtm_transaction_handled_duration", help, {{"model", model}}, passes.handled,
                    reference_bounds);
  metrics.histogram("concerto_transaction_handled_seconds", help, {{"model", model}},
                    passes.handled);
}

void TransProbe::collect_calls(TransType type, MetricSet& metrics) const {
  for (std::size_t op = 0; op < ops_.size(); ++op) {
    for (std::size_t branch = 0; branch < branch_ids; ++branch) {
      const Calls& calls = calls_[place_of(type, op, branch)];
      for (const bool ok : {true, false}) {
        const std::uint64_t count = (ok ? calls.ok : calls.failed).value();
        if (count == 0) continue;
        metrics.counter("dtm_branch_process_total", "Calls to branches",
                        {{"model", modes_.name_of(type)},
                         {"branchid", branch_name(branch)},
                         {"branchtype", ops_[op]},
                         {"status", ok ? "ok" : "fail"}},
                        static_cast<double>(count));
      }
    }
  }
}

}  // namespace concerto::tools
