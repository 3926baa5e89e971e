#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <concerto/protocol/gated_router.hpp>

#include "backup_pages.hpp"
#include "console_pages.hpp"

namespace concerto::tools {

/// The pages for operators and monitoring: metrics, probes, backups and the web console. One object
/// serves all shards; it must outlive their servers.
class OpsPages {
 public:
  struct Sources {
    std::function<Task<std::string>()> metrics;
    /// Say why the process should be restarted, or should get no requests; empty if all is well.
    /// Called on any shard.
    std::function<std::vector<std::string>()> not_live;
    /// `for_operator`: with the words of the store, which name servers and users of a database.
    std::function<std::vector<std::string>(bool for_operator)> not_ready;
    /// Warnings that an operator should look at before they become such reasons.
    std::function<std::vector<std::string>(bool for_operator)> warnings;
    /// AdminBasePath, as `/dtm` or empty; nothing: the server has no console.
    std::optional<std::string> admin_base;
    /// Who may read the metrics; nobody: the server has no such page.
    std::optional<net::RouteRole> metrics_role = net::RouteRole::viewers;
    /// Outlive the pages. Null: the server has none.
    BackupPages* backups = nullptr;
    /// Whether the coordinator was started paused and has not begun. Called on any shard. May be
    /// empty: it was not.
    std::function<bool()> paused{};
    /// Who this coordinator is in a shared store, or empty. Called on any shard. May be empty.
    std::function<std::string()> node{};
  };

  explicit OpsPages(Sources sources);

  void register_on(net::GatedRouter& router) const;

 private:
  Task<net::HttpResponse> metrics() const;

  const Sources sources_;
  std::optional<ConsolePages> console_;
};

}  // namespace concerto::tools
