// concerto list --damaged

#include "list_damaged.hpp"

#include <algorithm>
#include <iostream>
#include <unistd.h>

#include "table.hpp"
#include "verb_error.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t page_max = 1'000;

/// Where the records go.
class Shown {
 public:
  Shown(Form form, bool only_gids)
      : form_(form), only_gids_(only_gids), documents_(std::cout, form) {}

  void add(const json::object& record) {
    ++count_;
    const std::string kind = text_member(record, "kind"), name = text_member(record, "name");
    if (only_gids_) {
      if (kind == "transaction") std::cout << name << '\n';
    } else if (form_ == Form::table) {
      table_.add({kind, name, text_member(record, "error")});
    } else {
      documents_.add(record);
    }
  }

  void end() {
    if (!only_gids_ && form_ != Form::table) documents_.end();
    if (table_.size() > 0) table_.print(std::cout, Terminal::of(STDOUT_FILENO));
    std::cout << std::flush;
  }

  std::size_t count() const noexcept { return count_; }

 private:
  const Form form_;
  const bool only_gids_;
  DocumentSequence documents_;
  Table table_{{{"KIND", false, false}, {"NAME", false, false}, {"WHY", false, true}}};
  std::size_t count_ = 0;
};

}  // namespace

int list_damaged(const ServerOptions& at, const DamagedOptions& options) {
  const auto server = open_server(at);
  if (!server) return tell(server.error());
  Shown shown(at.form, options.only_gids);
  std::string position = options.position;
  do {
    const std::size_t left = options.limit == 0 ? page_max : options.limit - shown.count();
    Server::Query query{{"limit", std::to_string(std::min(left, page_max))}};
    if (!position.empty()) query.emplace_back("position", position);
    const auto found = (*server)->get("/api/concerto/damaged", query);
    if (!found) return tell(found.error());
    const json::object& answer = object_of(*found);
    for (const json::value& one : array_member(answer, "records")) shown.add(object_of(one));
    position = text_member(answer, "next_position");
  } while (!position.empty() && (options.limit == 0 || shown.count() < options.limit));
  shown.end();
  if (shown.count() == 0) std::cerr << "this coordinator has met no damaged record" << std::endl;
  tell_rest(position, shown.count());
  return 0;
}

}  // namespace concerto::tools
