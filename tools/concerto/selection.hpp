#pragma once

#include <functional>
#include <string>
#include <vector>

#include "json_members.hpp"
#include "progress.hpp"
#include "server.hpp"

namespace concerto::tools {

/// Which transactions a verb is about: the parameters of lists and of bulk actions.
struct Selection {
  std::string status;  ///< several with commas; `unfinished` stands for three of them
  std::string mode;
  std::string min_age, max_age;               ///< as `90s`, `5m`
  std::string created_after, created_before;  ///< RFC 3339
  std::string target, last_error, topic, owner;
  bool stuck = false;  ///< unfinished, and older than a minute

  bool operator==(const Selection&) const = default;
  bool is_everything() const { return *this == Selection{}; }
};

/// Adds the options that select. All are in one group of the help.
void add_selection_options(CLI::App& app, Selection& selection);

/// The selection as the coordinator reads it. The error names the option and its value.
Result<Server::Query> query_of(const Selection& selection);
/// The same as the member `select` of a request.
Result<json::object> object_of(const Selection& selection);

/// Refuses what this coordinator would leave out of a selection: older versions do not know all
/// parameters of lists.
Result<> check_parameters(Server& server, const Server::Query& query);

/// How much of a list is read.
struct Walk {
  std::size_t limit = 0;  ///< 0: all
  bool explain = true;
  std::string position;  ///< where to begin: `next_position` of an earlier list
};

/// Reads a list page by page and calls `visit` with each transaction, newest first. Returns the
/// position where the list goes on, empty at its end. `progress` may be null.
Result<std::string> walk(Server& server, const Server::Query& selected, const Walk& how,
                         Progress* progress, const std::function<void(const json::object&)>& visit);

/// The transaction's age at this time, for people; empty if it has no time.
std::string age_of(const json::object& transaction, WallTime now);

/// The service that a URL belongs to: scheme, host and port, without a user.
std::string target_of(std::string_view url);

}  // namespace concerto::tools
