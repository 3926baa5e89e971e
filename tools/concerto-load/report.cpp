#include "report.hpp"

#include "number_text.hpp"

namespace concerto::load {
namespace {

std::string how_many(std::uint64_t count, const char* one, const char* more) {
  return with_commas(count) + " " + (count == 1 ? one : more);
}

}  // namespace

double Report::tx_per_second() const noexcept {
  return tally.duration() > 0 ? static_cast<double>(transactions()) / tally.duration() : 0;
}

double Report::per_transaction(double sum) const noexcept {
  return transactions() > 0 ? sum / static_cast<double>(transactions()) : 0;
}

bool Report::passed() const noexcept {
  return tally.failures().count() <= options.failures_max && findings.count() == 0 &&
         transactions() > 0;
}

std::string Report::title() const {
  std::string text =
      std::string(to_string(options.mode)) + " over " + std::string(to_string(options.wire)) + ", ";
  text += options.rate > 0 ? fixed(options.rate, options.rate < 10 ? 2 : 0) + " per second"
                           : with_commas(options.in_flight) + " in flight";
  if (!options.wait) text += ", without wait_result";
  return text;
}

std::vector<std::string> Report::objections() const {
  std::vector<std::string> reasons;
  if (transactions() == 0) reasons.push_back("no transaction succeeded in the measured time");
  if (tally.failures().count() > options.failures_max) {
    reasons.push_back(how_many(tally.failures().count(), "transaction", "transactions") +
                      " failed, allowed are " + with_commas(options.failures_max));
  }
  if (findings.count() > 0) {
    reasons.push_back(
        how_many(findings.count(), "acknowledged transaction is", "acknowledged transactions are") +
        " not as they must be");
  }
  return reasons;
}

}  // namespace concerto::load
