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

/// Remembers a limited number of names. When it is full, add forgets the name that was added
/// longest ago.
class RecentNames {
 public:
  explicit RecentNames(std::size_t names_max) : names_max_(names_max) {}

  bool contains(const std::string& name) const { return places_.contains(name); }
  void add(const std::string& name);
  void erase(const std::string& name);

 private:
  using Order = std::list<std::string>;

  std::size_t names_max_;
  Order order_;  ///< the name that was added last is at the end
  std::map<std::string, Order::iterator> places_;
};

/// Decides which name is looked up next. Threads and time are the caller's business. Not
/// thread-safe.
///
/// A look-up whose name server is silent holds its thread for many seconds. Names are therefore
/// divided into kinds by how their last look-up ended, and each kind has its own queue and its own
/// limit of threads. So names without an answer cannot take the threads of names that were found
/// before. Callers that wait for the same name share one look-up. A look-up does not begin if no
/// caller waits for it any more.
class DnsQueue {
 public:
  using Done = DnsWorkers::Done;
  using Ticket = DnsWorkers::Ticket;
  using Answers = std::map<Ticket, Done>;

  /// Limits of look-ups at one time: of all kinds, of names not found before, of names that were
  /// slow.
  static constexpr std::size_t running_max = DnsWorkers::threads_max;
  static constexpr std::size_t unproven_running_max = DnsWorkers::unproven_threads_max;
  static constexpr std::size_t slow_running_max = DnsWorkers::slow_threads_max;
  /// Limit of waiting names, for each kind.
  static constexpr std::size_t queued_max = DnsWorkers::queued_max;
  /// A look-up that takes this long, whatever it finds, makes its name a slow one.
  static constexpr std::chrono::seconds slow_after{1};
  static constexpr std::size_t names_kept_max = 10'000;

  /// Adds a caller that waits for `host`. No value if too many names of this kind wait.
  std::optional<Ticket> add(const std::string& host, Done done);

  /// Removes the caller with this ticket. If it was the last one and the look-up does not run, the
  /// name is removed too. Returns the `done` that was given to add, so that it is destroyed
  /// outside; empty if the ticket has had its answer.
  Done drop(Ticket ticket);

  /// The next name to look up. Call finish when the look-up has ended.
  std::optional<std::string> take(SteadyTime now);

  /// Ends the look-up of `host` and returns the callers that wait for it.
  Answers finish(const std::string& host, bool found, SteadyTime now);

  /// Removes everything, and returns all callers that wait, so that they are destroyed outside.
  Answers clear();

  /// The number of names that `take` would return now.
  std::size_t ready_count() const;
  std::size_t queued_count() const;

 private:
  enum Kind : std::size_t { found_before, unknown, slow, kind_count };

  struct Lookup {
    Kind kind = unknown;
    bool running = false;
    SteadyTime begun;
    std::list<std::string>::iterator place;  ///< in its queue, unless it runs
    Answers waiting;
  };

  Kind kind_of(const std::string& host) const;
  std::size_t room(Kind kind) const;

  std::map<std::string, Lookup> lookups_;
  std::map<Ticket, std::string> hosts_;  ///< for each ticket that waits
  std::array<std::list<std::string>, kind_count> queues_;
  std::array<std::size_t, kind_count> running_{};
  RecentNames found_before_{names_kept_max};
  RecentNames slow_{names_kept_max};
  Ticket last_ticket_ = 0;
};

}  // namespace concerto::net
