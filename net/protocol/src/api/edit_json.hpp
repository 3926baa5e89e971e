#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::net {

/// The body of `edit`.
struct EditBody {
  BranchEdit edit;
  std::string reason;
  bool dry_run = false;
};

/// Error invalid_request names the field and the value: also a member that nobody knows.
Result<EditBody> edit_body_from(std::string_view body);

/// What an edit has changed, without the payload.
std::string edited_json(const BranchEdited& edited);
/// What it would change.
std::string edit_preview_json(const BranchEdited& edited, std::chrono::minutes offset,
                              const ModeTable& modes);

/// What changes a row has to name it: a repetition would change the next one otherwise. `what` is
/// for people, as `a skip`. Error: invalid_request.
Result<> check_row_is_named(std::string_view what, const BranchRow& row);

}  // namespace concerto::net
