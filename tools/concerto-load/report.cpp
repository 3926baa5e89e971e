#include "report.hpp"

#include <array>

#include "number_text.hpp"

namespace concerto::load {
namespace {

std::string how_many(std::uint64_t count, const char* one, const char* more) {
  return with_commas(count) + " " + (count == 1 ? one : more);
}

/// What is said of transactions of each kind of Wrong.
struct WrongText {
  const char* one;
  const char* more;
};
constexpr std::array<WrongText, wrong_names.size()> wrong_texts = {{
    {"is lost", "are lost"},
    {"is unfinished", "are unfinished"},
    {"has the wrong status", "have the wrong status"},
    {"has the wrong branch calls", "have the wrong branch calls"},
    {"could not be queried", "could not be queried"},
}};

}  // namespace

double Report::tx_per_second() const noexcept {
  return tally.duration() > 0 ? static_cast<double>(transactions()) / tally.duration() : 0;
}

double Report::per_transaction(double sum) const noexcept {
  return transactions() > 0 ? sum / static_cast<double>(transactions()) : 0;
}

bool Report::passed() const noexcept {
  return tally.failures().count() <= options.failures_max && findings.count() == 0 && has_result();
}

bool Report::has_result() const noexcept {
  return transactions() > 0 || errors_on_purpose > 0;
}

bool Report::may_end_later() const noexcept {
  return !options.wait || options.purposes.fail_share > 0 || options.purposes.error_share > 0;
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
  if (!has_result()) reasons.push_back("no transaction ended in the measured time");
  if (tally.failures().count() > options.failures_max) {
    reasons.push_back(how_many(tally.failures().count(), "transaction", "transactions") +
                      " failed, allowed are " + with_commas(options.failures_max));
  }
  for (std::size_t i = 0; i < wrong_names.size(); ++i) {
    const std::uint64_t count = findings.count(static_cast<Wrong>(i));
    if (count == 0) continue;
    reasons.push_back(how_many(count, "acknowledged transaction ", "acknowledged transactions ") +
                      (count == 1 ? wrong_texts[i].one : wrong_texts[i].more));
  }
  return reasons;
}

std::string Report::verdict() const {
  if (passed()) {
    return "passed: " + with_commas(acknowledged) + " acknowledged, " + with_commas(queried) +
           " queried, " + how_many(tally.failures().count(), "failure", "failures");
  }
  std::string text;
  for (const std::string& reason : objections())
    text += (text.empty() ? "failed: " : "; ") + reason;
  return text;
}

}  // namespace concerto::load
