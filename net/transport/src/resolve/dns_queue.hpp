#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>

#include <concerto/base/timers.hpp>
#include <concerto/transport/host_resolver.hpp>

namespace concerto::net {

/// The names that were met last; of more than it holds, the one met longest ago is forgotten.
class RecentNames {
 public:
  explicit RecentNames(std::size_t names_max) : names_max_(names_max) {}

  bool contains(const std::string& name) const { return places_.contains(name); }
  void add(const std::string& name);
  void erase(const std::string& name);

 private:
  using Order = std::list<std::string>;

  std::size_t names_max_;
  Order order_;  ///< the one met last at the end
  std::map<std::string, Order::iterator> places_;
};

/// Which name is looked up next. It decides only: threads and time are the caller's. Not
/// thread-safe.
///
/// A look-up whose name server is silent holds its thread for many seconds. Names are therefore
/// told apart by how their last look-up went, and each kind has its own queue and its limit of
/// threads: names that nobody answers for cannot take the threads of those that were found before.
/// Look-ups of one name at one time are one. One that nobody waits for any more is never begun.
class DnsQueue {
 public:
  using Done = DnsWorkers::Done;
  using Ticket = DnsWorkers::Ticket;
  using Answers = std::map<Ticket, Done>;

  /// Look-ups at one time, of all kinds; of names not found before; of names that were slow.
  static constexpr std::size_t running_max = DnsWorkers::threads_max;
  static constexpr std::size_t unproven_running_max = DnsWorkers::unproven_threads_max;
  static constexpr std::size_t slow_running_max = DnsWorkers::slow_threads_max;
  /// Names that wait, for each kind.
  static constexpr std::size_t queued_max = DnsWorkers::queued_max;
  /// A look-up that takes as long, whatever it finds, makes its name a slow one.
  static constexpr std::chrono::seconds slow_after{1};
  static constexpr std::size_t names_kept_max = 10'000;

  /// Adds somebody who waits for `host`. Nothing if too many names of its kind wait.
  std::optional<Ticket> add(const std::string& host, Done done);

  /// Takes that one away, and the name with the last of them unless its look-up runs. Returns what
  /// was given to add, to be destroyed by the caller; empty if the ticket has had its answer.
  Done drop(Ticket ticket);

  /// The next name to look up. End it with finish.
  std::optional<std::string> take(SteadyTime now);

  /// Those who wait for `host`.
  Answers finish(const std::string& host, bool found, SteadyTime now);

  /// Everybody who waits, to be destroyed by the caller.
  Answers clear();

  /// So many names could be taken now.
  std::size_t ready_count() const;
  std::size_t queued_count() const;

 private:
  enum Kind : std::size_t { found_before, unknown, slow, kind_count };

  struct Lookup {
    Kind kind = unknown;
    bool running = false;
    SteadyTime begun;
    std::list<std::string>::iterator place;  ///< in its queue, unless running
    Answers waiting;
  };

  Kind kind_of(const std::string& host) const;
  std::size_t room(Kind kind) const;

  std::map<std::string, Lookup> lookups_;
  std::map<Ticket, std::string> hosts_;  ///< of those who wait
  std::array<std::list<std::string>, kind_count> queues_;
  std::array<std::size_t, kind_count> running_{};
  RecentNames found_before_{names_kept_max};
  RecentNames slow_{names_kept_max};
  Ticket last_ticket_ = 0;
};

}  // namespace concerto::net
