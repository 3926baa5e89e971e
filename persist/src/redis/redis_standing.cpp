#include "redis_standing.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace concerto::persist {
namespace {

std::string seconds_text(SteadyTime::duration time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", std::chrono::duration<double>(time).count());
  return text;
}

std::string sentence_of(RedisTrouble trouble, std::string_view error_text) {
  std::string text = "Redis refuses changes";
  if (trouble == RedisTrouble::full) {
    text = "Redis has no memory for new transactions (maxmemory)";
  } else if (trouble == RedisTrouble::no_disk) {
    text += ", because it cannot save its data to its disk";
  } else if (trouble == RedisTrouble::no_replicas) {
    text += ", because too few replicas are connected to it (min-replicas-to-write)";
  } else if (trouble == RedisTrouble::no_right) {
    text += ", because its user lacks a right that the store needs";
  }
  return text + ": " + std::string(without_place(error_text));
}

/// After other errors the lane looks for a server that takes changes, and is away if there is none.
bool is_refusal(RedisTrouble trouble, Deed deed) noexcept {
  switch (trouble) {
    case RedisTrouble::not_now:
    case RedisTrouble::no_disk:
    case RedisTrouble::no_replicas:
    case RedisTrouble::full:
      return true;
    case RedisTrouble::no_right:
      return deed != Deed::reads;  // What is read by the way may be forbidden, such as CONFIG GET.
    case RedisTrouble::none:
    case RedisTrouble::elsewhere:
    case RedisTrouble::no_script:
    case RedisTrouble::no_entry:
    case RedisTrouble::other:
      break;
  }
  return false;
}

std::size_t index_of(RedisTrouble trouble) noexcept {
  return static_cast<std::size_t>(trouble);
}

}  // namespace

bool RedisStanding::Episode::is_news(std::string reason) {
  if (said.size() == reasons_max || std::ranges::find(said, reason) != said.end()) return false;
  said.push_back(std::move(reason));
  return true;
}

void RedisStanding::away(const void* lane, const std::string& why) {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  if (away_.empty()) outage_ = {now, {}};
  away_.insert(lane);
  is_away_ = true;
  if (!outage_.is_news(why)) return;
  const bool begins = outage_.said.size() == 1;
  observer_.log(
      LogLevel::error, "",
      begins ? "the store is away: " + why
             : "the store is still away after " + seconds_text(now - outage_.since) + ": " + why);
}

void RedisStanding::back(const void* lane) {
  const MutexLock lock(mutex_);
  if (away_.erase(lane) == 0 || !away_.empty()) return;
  is_away_ = false;
  observer_.log(LogLevel::info, "",
                "the store is back after " + seconds_text(clock_.steady_now() - outage_.since));
}

void RedisStanding::refuses(std::string_view error_text, Deed deed) {
  const RedisTrouble trouble = trouble_of(error_text);
  if (!is_refusal(trouble, deed)) return;
  std::string sentence = sentence_of(trouble, error_text);
  const MutexLock lock(mutex_);
  last_refusal_ = clock_.steady_now();
  if (!refusals_) refusals_ = Episode{last_refusal_, {}};
  const std::string word(error_text.substr(0, error_text.find(' ')));
  if (refusals_->is_news(word)) observer_.log(LogLevel::error, "", sentence);
  reasons_[index_of(trouble)] = std::move(sentence);
  ++refusals_count_;
  is_noted_ = true;
}

void RedisStanding::count_refused(RedisTrouble trouble) noexcept {
  refused_[index_of(trouble)].fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t RedisStanding::refused(RedisTrouble trouble) const noexcept {
  return refused_[index_of(trouble)].load(std::memory_order_relaxed);
}

void RedisStanding::unconfirmed(std::size_t changes) {
  observer_.log(LogLevel::warn, "",
                "during the stop Redis did not confirm " + std::to_string(changes) +
                    " changes; their transactions go on from what is stored");
}

std::uint64_t RedisStanding::look() {
  const MutexLock lock(mutex_);
  end_when_quiet();
  return refusals_count_;
}

void RedisStanding::made(std::uint64_t refusals) {
  const MutexLock lock(mutex_);
  if (refusals != refusals_count_) return;  // The answer may be older than the last refusal.
  reasons_ = {};
  end_when_quiet();
}

void RedisStanding::end_when_quiet() {
  const bool is_refusing =
      std::ranges::any_of(reasons_, [](const auto& r) { return r.has_value(); });
  if (!refusals_ || is_refusing || clock_.steady_now() - last_refusal_ < quiet) return;
  observer_.log(LogLevel::info, "",
                "Redis takes changes again; it last refused one " +
                    seconds_text(last_refusal_ - refusals_->since) + " after the first");
  refusals_.reset();
  is_noted_ = false;
}

void RedisStanding::add_to(StoreHealth& health) const {
  using State = StoreHealth::State;
  const MutexLock lock(mutex_);
  if (!away_.empty()) {
    // What the log has said last: the lanes notice other things at other times.
    health.add(State::recovering, "Redis is away: " + outage_.said.back());
    return;  // What it refused before is not known to last.
  }
  for (std::size_t i = 0; i < troubles; ++i) {
    if (!reasons_[i]) continue;
    health.add(i == index_of(RedisTrouble::full) ? State::refusing : State::recovering,
               *reasons_[i]);
  }
}

}  // namespace concerto::persist
