#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto::persist {

/// The column `options` as the reference writes it (protocol page 07, section 1.1).
struct OptionsColumn {
  TransOptions options;
  std::int64_t retry_count = 0;
};

/// Members that are zero are left out, except `concurrent`.
std::string options_text(const OptionsColumn& column);

/// Empty text means the defaults. Error store_damaged: the text is not a JSON object with members
/// of the right kinds.
Result<OptionsColumn> read_options(std::string_view text);

/// Adds the headers of the column `ext_data` to `headers`, whose own headers take precedence. Error
/// store_damaged.
Result<> add_ext_headers(std::string_view ext_data, std::map<std::string, std::string>& headers);

}  // namespace concerto::persist
