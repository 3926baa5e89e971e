#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../sql/row_changes.hpp"
#include "mysql_statements.hpp"

/// Groups of changes as statements. MySQL neither returns what an UPDATE has changed nor takes
/// arrays (docs/decisions tells what was measured).
///
/// A group is first written in one round trip, in the hope that every precondition holds. Rows to
/// create are one INSERT. Rows that get the same values are one UPDATE, and times are of seconds,
/// so there are few UPDATEs. After each, a statement that fails if the UPDATE has not found all its
/// rows ends the group. Only then the rows are locked and read first, and the changes whose
/// preconditions do not hold are left out.
namespace concerto::persist::mysql {

struct GroupText {
  enum class Step : std::uint8_t {
    frame,         ///< begins or commits
    adds_trans,    ///< inserts rows into trans_global
    changes,       ///< updates
    checks,        ///< fails if the UPDATE before has not found all its rows
    adds_branches  ///< inserts rows into trans_branch_op
  };
  std::vector<std::string> statements;
  std::vector<Step> steps;  ///< of each statement
};

enum class Preconditions : std::uint8_t { to_check, hold };

/// Begins a transaction, makes the changes and commits. With Preconditions::hold the rows are
/// locked, by a transaction that `lock_group` has begun.
GroupText group_text(const MysqlTerms& terms, const RowGroup& group, Preconditions preconditions);

/// Begins a transaction, and locks and reads gid, status and owner of the rows (result 1).
Statements lock_group(const MysqlTerms& terms, const RowGroup& group);

}  // namespace concerto::persist::mysql
