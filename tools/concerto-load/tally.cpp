#include "tally.hpp"

#include <algorithm>
#include <chrono>

namespace concerto::load {

void Tally::start(SteadyTime now) {
  measuring_ = true;
  start_ = now;
  second_us_.clear();
  second_failures_ = 0;
}

void Tally::close_second(SteadyTime now) {
  if (!measuring_) return;
  Second second;
  second.end = since_start(now);
  second.duration = second.end - (seconds_.empty() ? 0 : seconds_.back().end);
  second.transactions = second_us_.count();
  second.failures = second_failures_;
  second.p99_us = second_us_.value_at(0.99);
  seconds_.push_back(second);
  second_us_.clear();
  second_failures_ = 0;
}

void Tally::stop(SteadyTime now) {
  if (!measuring_) return;
  duration_ = since_start(now);
  const double closed = seconds_.empty() ? 0 : seconds_.back().end;
  if (seconds_.empty() || duration_ - closed >= rest_min) close_second(now);
  measuring_ = false;
}

void Tally::note_end(SteadyTime begin, SteadyTime end, bool rolled_back) {
  if (!measuring_) {
    ++warm_up_transactions_;
    return;
  }
  const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(end - begin).count();
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(latency, 0));
  latency_us_.record(us);
  if (rolled_back) rolled_back_us_.record(us);
  second_us_.record(us);
}

void Tally::note_failure(std::string_view gid, std::string_view text) {
  failures_.note(gid, text);
  ++second_failures_;
}

std::vector<Outage> Tally::outages() const {
  std::vector<Outage> found;
  Outage now;
  const auto close = [&found, &now] {
    if (now.failures > 0) found.push_back(now);
    now = {};
  };
  for (const Second& second : seconds_) {
    if (second.transactions > 0) {
      close();
      continue;
    }
    if (now.end == 0) now.begin = second.end - second.duration;
    now.end = second.end;
    now.failures += second.failures;
  }
  close();
  return found;
}

double Tally::since_start(SteadyTime now) const {
  return std::chrono::duration<double>(now - start_).count();
}

}  // namespace concerto::load
