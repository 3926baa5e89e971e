#include "store_reset.hpp"

#include <algorithm>
#include <iostream>
#include <optional>
#include <thread>
#include <unistd.h>
#include <utility>

#include <concerto/base/counted.hpp>
#include <concerto/engine/error.hpp>

#include "no_log.hpp"

namespace concerto::tools {
namespace {

constexpr std::chrono::milliseconds look_pause{500};
/// The longest lease of a store that has no Store.Lease.
constexpr std::chrono::seconds default_lease_max{15};
/// For the rounding of a lease in a store.
constexpr std::chrono::seconds lease_margin{2};

std::string transactions(std::size_t count, const std::string& adjective = {}) {
  return counted(count, adjective + "transaction");
}

Error refusal(const std::string& why) {
  return make_error(Errc::invalid_request, why + " Nothing was changed.");
}

class StoreReset {
 public:
  StoreReset(const persist::StoreKind& kind, const persist::StoreSettings& settings,
             ResetOrder order, ResetCaller& caller, const Clock& clock, Observer& observer)
      : kind_(kind),
        settings_(settings),
        order_(order),
        caller_(caller),
        clock_(clock),
        observer_(observer),
        place_(kind.place(settings)) {}

  Result<> run() {
    CONCERTO_TRY(const std::size_t in_work, count_in_work());
    CONCERTO_TRY(const Unfinished unfinished, look_for_unfinished());
    if (in_work > 0) {
      CONCERTO_CHECK(agree_to_others(in_work));
    } else if (unfinished.is_lost()) {
      CONCERTO_CHECK(agree_to_loss(unfinished));
    }
    CONCERTO_CHECK(kind_.drop(settings_));
    if (unfinished.is_new) return ok();
    observer_.log(LogLevel::warn, {}, said_of(unfinished));
    return ok();
  }

 private:
  struct Unfinished {
    bool is_new = false;  ///< nothing was ever stored
    std::size_t count = 0;
    std::string unread;  ///< why nobody knows how many

    bool is_lost() const noexcept { return count > 0 || !unread.empty(); }
  };

  /// How many transactions others still work on, after a script has waited for them.
  Result<std::size_t> count_in_work() {
    if (!kind_.work_of_others || order_.even_in_use) return std::size_t{0};
    const std::chrono::seconds set = settings_.database.lease;
    const auto lease = (set.count() > 0 ? set : default_lease_max) + lease_margin;
    const SteadyTime until = clock_.steady_now() + lease;
    std::size_t seen = 0;
    std::optional<SteadyTime> free_at;
    for (;;) {
      const auto work = kind_.work_of_others(settings_, clock_, no_log_);
      if (!work) {
        // No coordinator starts on tables that are not as it needs them.
        if (is_refused(work.error())) return std::size_t{0};
        return cannot_look(work.error());
      }
      const SteadyTime now = clock_.steady_now();
      if (free_at && is_at_work(*work, now, *free_at)) return std::max(seen, work->count);
      const bool is_over = caller_.is_at_terminal() || now >= until;
      if (work->count == 0 || is_over) return work->count;
      if (seen == 0) {
        observer_.log(LogLevel::warn, {},
                      "the reset waits for up to " + std::to_string(lease.count()) +
                          " s: others work on " + transactions(work->count) + " in " + place_ +
                          ", or were killed and have leases for so long");
      }
      seen = work->count;
      if (work->free_in && !free_at) free_at = now + *work->free_in;
      caller_.wait(look_pause);
    }
  }

  /// What a killed coordinator had stays as it is until its leases end. If the last of them ends
  /// earlier than the first look has found, or later, then somebody is at work, although a look may
  /// just find nothing.
  static bool is_at_work(const persist::WorkOfOthers& work, SteadyTime now, SteadyTime free_at) {
    if (work.count == 0) return now < free_at - lease_margin;
    return work.free_in && std::chrono::abs(now + *work.free_in - free_at) > lease_margin;
  }

  Result<Unfinished> look_for_unfinished() {
    Unfinished found;
    const auto count = kind_.count_unfinished(settings_, clock_, no_log_);
    if (count) {
      found.is_new = !*count;
      found.count = count->value_or(0);
      return found;
    }
    const bool is_unreadable = is_refused(count.error()) ||
                               count.error().code == EngineErrc::store_damaged ||
                               count.error().code == EngineErrc::store_failed;
    if (!is_unreadable) return cannot_look(count.error());
    found.unread = count.error().detail;
    return found;
  }

  /// A reset is a way out if what is stored cannot be used. But a store that does not answer now
  /// may have anything.
  static bool is_refused(const Error& error) { return error.code == EngineErrc::store_unavailable; }

  Error cannot_look(const Error& error) const {
    return make_error(
        Errc::invalid_request,
        place_ + " cannot be looked at, so that nothing was changed: " + error.detail);
  }

  std::string said_of(const Unfinished& unfinished) const {
    const std::string dropped = "reset: what was stored in " + place_ + " is dropped";
    if (!unfinished.unread.empty()) {
      return dropped + "; it could not be read before: " + unfinished.unread;
    }
    if (unfinished.count == 0) return dropped + ", nothing of it was unfinished";
    return dropped + ", " + transactions(unfinished.count, "unfinished ") + " with it";
  }

  Result<> agree_to_others(std::size_t in_work) {
    const std::string in_use = place_ +
                               " is in use: others (coordinators, or servers of DTM) work on " +
                               transactions(in_work) + " there.";
    if (caller_.is_at_terminal()) {
      const auto answer = caller_.ask(in_use + " Type yes to drop everything while they work: ");
      if (answer) return check_answer(*answer);
    }
    return refusal(in_use +
                   " Stop all of them first; what a killed one had is free when its leases end, "
                   "after some seconds. To drop everything while they work, add --even-in-use.");
  }

  Result<> agree_to_loss(const Unfinished& unfinished) {
    if (order_.yes || !caller_.is_at_terminal()) return ok();
    const bool is_read = unfinished.unread.empty();
    const std::string state =
        place_ + (is_read ? " has " + transactions(unfinished.count, "unfinished ") + "."
                          : " cannot be read: " + unfinished.unread + ".");
    const std::string what =
        is_read ? (unfinished.count == 1 ? "it too" : "them too") : "it all the same";
    if (const auto answer = caller_.ask(state + " Type yes to drop " + what + ": ")) {
      return check_answer(*answer);
    }
    return refusal(state + " To drop " + what + ", add --yes.");
  }

  static Result<> check_answer(const std::string& answer) {
    if (answer == "yes") return ok();
    return refusal("the answer was not yes.");
  }

  const persist::StoreKind& kind_;
  const persist::StoreSettings& settings_;
  const ResetOrder order_;
  ResetCaller& caller_;
  const Clock& clock_;
  Observer& observer_;
  NoLog no_log_;
  const std::string place_;
};

}  // namespace

bool StandardStreamsCaller::is_at_terminal() const {
  return ::isatty(STDIN_FILENO) == 1;
}

std::optional<std::string> StandardStreamsCaller::ask(const std::string& question) {
  if (::isatty(STDERR_FILENO) != 1) return std::nullopt;
  std::cerr << question << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer;
}

void StandardStreamsCaller::wait(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}

Result<> reset_store(const persist::StoreKind& kind, const persist::StoreSettings& settings,
                     ResetOrder order, ResetCaller& caller, const Clock& clock,
                     Observer& observer) {
  return StoreReset(kind, settings, order, caller, clock, observer).run();
}

}  // namespace concerto::tools
