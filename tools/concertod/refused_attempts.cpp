#include "refused_attempts.hpp"

#include <algorithm>
#include <cstdint>

#include <boost/asio/ip/address.hpp>

namespace concerto::tools {
namespace {

/// The part of `10.0.0.7:51234` or `[fd00::7]:51234` before the port, which may be missing.
std::string_view without_port(std::string_view peer) {
  if (peer.starts_with('[')) return peer.substr(1, peer.find(']') - 1);
  const std::size_t colon = peer.find(':');
  return colon == peer.rfind(':') ? peer.substr(0, colon) : peer;
}

}  // namespace

RefusedAttempts::RefusedAttempts(std::string_view kind, std::size_t senders_max)
    : kind_(kind), senders_max_(senders_max) {}

/// One host may have all IPv6 addresses with the same first half.
std::string RefusedAttempts::sender_of(const net::AuditRecord& record) {
  if (!record.caller.empty()) return record.caller;
  const std::string_view host = without_port(record.from);
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(host, failed);
  if (failed || !address.is_v6() || address.to_v6().is_v4_mapped()) return std::string{host};
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

RefusedAttempts::Judged RefusedAttempts::judge(const std::string& sender, SteadyTime now,
                                               WallTime wall_now) {
  begin(now, wall_now);
  Senders::value_type& from = *find(sender);
  Sender& counts = from.second;
  const bool is_due = !counts.last_record || now - *counts.last_record >= record_interval;
  const bool has_bytes = bytes_ < bytes_per_day_max && counts.bytes < bytes_of_sender_max;
  Judged judged;
  judged.is_recorded = is_due || (has_bytes && records_ < records_per_second_max);
  if (judged.is_recorded) {
    counts.last_record = now;
    ++records_;
  } else if (!has_bytes) {
    judged.line = line_about(from, now);
  }
  return judged;
}

void RefusedAttempts::note_written(const std::string& sender, std::size_t bytes) {
  find(sender)->second.bytes += bytes;
  bytes_ += bytes;
}

void RefusedAttempts::begin(SteadyTime now, WallTime wall_now) {
  const auto day = std::chrono::floor<std::chrono::days>(wall_now);
  if (day != day_) {
    day_ = day;
    senders_.clear();
    bytes_ = 0;
    has_told_day_ = false;
  }
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    records_ = 0;
  }
  if (now - hour_ >= std::chrono::hours(1)) {
    hour_ = now;
    lines_ = 0;
  }
}

RefusedAttempts::Senders::iterator RefusedAttempts::find(const std::string& sender) {
  const auto place = senders_.find(sender);
  if (place != senders_.end()) return place;
  return senders_.try_emplace(senders_.size() < senders_max_ ? sender : std::string{}).first;
}

/// Once a day that the budget is used up, and for each sender once an hour that its part is.
std::string RefusedAttempts::line_about(Senders::value_type& sender, SteadyTime now) {
  const std::string rest = "; until the next day (UTC) one of them in an hour has a record";
  if (bytes_ >= bytes_per_day_max && !has_told_day_) {
    has_told_day_ = true;
    return "the audit log: refused attempts have used up the bytes of a day for each " + kind_ +
           rest;
  }
  auto& [name, counts] = sender;
  const bool is_due = !counts.last_line || now - *counts.last_line >= std::chrono::hours(1);
  if (!is_due || lines_ >= lines_per_hour_max) return {};
  counts.last_line = now;
  ++lines_;
  return "the audit log: refused attempts of " +
         (name.empty() ? "further " + kind_ + "s" : kind_ + " " + name) +
         " are not recorded any more, because too many came" + rest;
}

}  // namespace concerto::tools
