#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <concerto/client/client.hpp>

namespace concerto::bench {

struct Arguments {
  std::string mode = "saga";  ///< or msg, or serve
  std::string wire = "grpc";  ///< or http
  std::string coordinator;    ///< as the client names it
  std::string branches;       ///< `host:port`
  std::string prefix;         ///< of the gids
  std::size_t in_flight = 64;
  std::chrono::milliseconds warm_up{1000};
  std::chrono::milliseconds measured{5000};
};

/// Keeps transactions in flight through one client. `begin` is printed after the warm-up, and `end
/// <count>` with those that ended since then. Transactions in flight still end after that.
class Load {
 public:
  Load(Executor executor, Arguments arguments);

  Task<void> run();

  std::uint64_t begun() const noexcept { return begun_; }
  const std::string& failure() const noexcept { return failure_; }  ///< the first one

 private:
  Task<void> begin_in_turn();
  Async<> saga(std::string gid);
  Async<> msg(std::string gid);

  Executor executor_;
  const Arguments arguments_;
  const std::string payload_;
  const std::string out_, out_back_, in_, in_back_, query_;  ///< URLs
  client::Client client_;
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  bool stops_ = false;
  std::string failure_;
};

}  // namespace concerto::bench
