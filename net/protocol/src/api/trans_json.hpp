#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/inspection.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/engine/transaction.hpp>
#include <concerto/protocol/answer_messages.hpp>

namespace concerto::net {

// answer_messages.hpp declares the readers of query, all and prepareWorkflow.

/// The JSON text of stored options. Members that are zero are left out, except `concurrent`.
std::string options_text(const TransOptions& options);

/// Whether the values of branch_headers that are likely credentials are told. All calls of the
/// transaction have them anyway.
enum class CredentialHeaders : std::uint8_t { told, masked };

/// The answer of `query` (protocol page 02, section 7.1), in the form that the reference's SQL
/// stores give it. The reference does not have the member `why`, which is absent for an unknown
/// gid.
std::string query_json(const std::optional<Inspection>& found, std::chrono::minutes offset,
                       const ModeTable& modes,
                       CredentialHeaders credentials = CredentialHeaders::told);

/// The answer of `prepareWorkflow` (section 4.7).
std::string workflow_json(const Transaction& trans, std::chrono::minutes offset,
                          const ModeTable& modes,
                          CredentialHeaders credentials = CredentialHeaders::told);

/// The answer of `all` (section 7.2). `why` is empty, or has an element for each transaction, which
/// becomes its member `why`.
std::string page_json(const TransPage& page, std::chrono::minutes offset, const ModeTable& modes,
                      const std::vector<std::optional<Inspection>>& why = {},
                      CredentialHeaders credentials = CredentialHeaders::told);

/// The answer of `all` for one gid; `position` is repeated in it.
std::string single_json(const std::optional<Transaction>& trans, std::string_view position,
                        std::chrono::minutes offset, const ModeTable& modes,
                        CredentialHeaders credentials = CredentialHeaders::told);

/// The answer of `queryKV` (section 8).
std::string kv_json(const std::vector<KvRecord>& records, std::chrono::minutes offset);

/// The answer of `scanKV`.
std::string kv_page_json(const KvPage& page, std::chrono::minutes offset);

}  // namespace concerto::net
