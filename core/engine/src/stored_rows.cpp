#include "stored_rows.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace concerto {
namespace {

using Rows = std::vector<Branch>;

std::string name_of(const Branch& row) {
  return "branch " + row.branch_id.str() + " " + row.op;
}

/// What is wrong with the rows; empty if nothing is.
std::string doubled_row(const Rows& rows) {
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const Branch& row : rows) {
    if (!known.emplace(row.branch_id.view(), row.op).second)
      return name_of(row) + " is there twice";
  }
  return {};
}

/// Each step has its compensation and then its action, and no step is missing before another one.
std::string trouble_of_saga(const Rows& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string id = step_branch_id(i / 2 + 1);
    const std::string_view op = i % 2 == 0 ? "compensate" : "action";
    if (rows[i].branch_id.view() == id && rows[i].op == op) continue;
    return "branch " + id + " " + std::string(op) + " is missing before " + name_of(rows[i]);
  }
  if (rows.size() % 2 != 0) return "branch " + rows.back().branch_id.str() + " has no action";
  return {};
}

/// A step has one row, or one for each subscriber of its topic: 02-01, 02-02.
std::string trouble_of_msg(const Rows& rows) {
  std::size_t step = 0, subscriber = 0;
  for (const Branch& row : rows) {
    const std::string_view id = row.branch_id.view();
    const std::string same = step_branch_id(step) + "-" + step_branch_id(subscriber + 1);
    const std::string next = step_branch_id(step + 1);
    if (subscriber > 0 && id == same) {
      ++subscriber;
    } else if (id == next || id == next + "-01") {
      subscriber = id == next ? 0 : 1;
      ++step;
    } else {
      return "a branch is missing before " + name_of(row);
    }
  }
  return {};
}

/// A registered branch has a row for each way.
std::string trouble_of_second_phase(const Rows& rows, std::string_view forward,
                                    std::string_view backward) {
  std::set<std::string_view> ways[2];
  for (const Branch& row : rows) {
    if (row.op == forward) ways[0].insert(row.branch_id.view());
    if (row.op == backward) ways[1].insert(row.branch_id.view());
  }
  for (const Branch& row : rows) {
    const std::string_view id = row.branch_id.view();
    if (!ways[0].contains(id))
      return "branch " + row.branch_id.str() + " has no " + std::string(forward);
    if (!ways[1].contains(id))
      return "branch " + row.branch_id.str() + " has no " + std::string(backward);
  }
  return {};
}

std::string trouble_of(const Transaction& stored) {
  const Rows& rows = stored.branches;
  if (std::string doubled = doubled_row(rows); !doubled.empty()) return doubled;
  const bool has_steps = stored.type == TransType::saga || stored.type == TransType::msg;
  if (has_steps && rows.empty() && stored.status != TransStatus::prepared) {
    return "it has no branches";
  }
  switch (stored.type) {
    case TransType::saga:
      return trouble_of_saga(rows);
    case TransType::msg:
      return trouble_of_msg(rows);
    case TransType::tcc:
      return trouble_of_second_phase(rows, "confirm", "cancel");
    case TransType::xa:
      return trouble_of_second_phase(rows, "commit", "rollback");
    default:
      return {};
  }
}

Error damaged(const Transaction& stored, const std::string& why) {
  return make_error(EngineErrc::store_damaged,
                    "transaction '" + stored.gid.str() + "' is damaged: " + why);
}

}  // namespace

Result<CustomData> read_stored(const Mode& mode, const Transaction& stored) {
  if (!is_final(stored.status)) {
    if (const std::string why = trouble_of(stored); !why.empty()) return damaged(stored, why);
  }
  Result<CustomData> custom = parse_custom_data(mode, stored.custom_data, stored);
  if (!custom) return damaged(stored, custom.error().detail);
  return custom;
}

}  // namespace concerto
