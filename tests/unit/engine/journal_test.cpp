#include "journal.hpp"

#include <gtest/gtest.h>

namespace concerto {
namespace {

constexpr WallTime noon{std::chrono::hours(12)};

Attempt attempt(const std::string& answer, Outcome outcome = Outcome::error) {
  Attempt result;
  result.answer = answer;
  result.outcome = outcome;
  return result;
}

TEST(Journal, KeepsTheLastAttempts) {
  Journal journal(10);
  for (std::size_t i = 0; i < Journal::attempts_max + 2; ++i) {
    journal.add(Gid("g"), attempt(std::to_string(i)));
  }
  const auto kept = journal.attempts(Gid("g"));
  ASSERT_EQ(kept.size(), Journal::attempts_max);
  EXPECT_EQ(kept.front().answer, "2");
  EXPECT_TRUE(journal.attempts(Gid("h")).empty());
}

TEST(Journal, RemovesTheTransactionWhoseLastAttemptIsTheOldest) {
  Journal journal(2);
  journal.add(Gid("a"), attempt("1"));
  journal.add(Gid("b"), attempt("2"));
  journal.add(Gid("a"), attempt("3"));
  journal.add(Gid("c"), attempt("4"));
  EXPECT_TRUE(journal.has(Gid("a")));
  EXPECT_FALSE(journal.has(Gid("b")));
  EXPECT_EQ(journal.size(), 2U);
  journal.set_max(1);
  journal.add(Gid("d"), attempt("5"));
  EXPECT_EQ(journal.size(), 1U);
  EXPECT_TRUE(journal.has(Gid("d")));
}

TEST(Journal, KeepsNothingWithoutRoom) {
  Journal journal(0);
  journal.add(Gid("a"), attempt("1"));
  EXPECT_EQ(journal.size(), 0U);
}

Attempt attempt_at(const std::string& branch_id, const std::string& op = "action") {
  Attempt result = attempt("");
  result.branch_id = branch_id;
  result.op = op;
  return result;
}

TEST(Journal, GoesOnNumberingARowWhoseAttemptsWereRemoved) {
  Journal journal(1);
  journal.add(Gid("g"), attempt_at("01"));
  journal.add(Gid("g"), attempt_at("01"));
  for (std::size_t i = 0; i < Journal::attempts_max; ++i) journal.add(Gid("g"), attempt_at("02"));
  EXPECT_EQ(journal.tries(Gid("g"), "01", "action"), 2U);
  EXPECT_EQ(journal.tries(Gid("g"), "01", ""), 2U);
  EXPECT_EQ(journal.tries(Gid("g"), "01", "compensate"), 0U);
  journal.add(Gid("g"), attempt_at("01"));
  EXPECT_EQ(journal.attempts(Gid("g")).back().number, 3U);
  for (std::size_t i = 0; i < Journal::attempts_max; ++i) journal.add(Gid("g"), attempt_at("02"));
  EXPECT_EQ(journal.tries(Gid("g"), "01", "action"), 3U);
  EXPECT_EQ(journal.tries(Gid("g"), "02", "action"), 2 * Journal::attempts_max);
}

TEST(Journal, KeepsTheNumbersOfAFewRows) {
  Journal journal(1);
  const std::size_t rows = Journal::attempts_max + Journal::numbers_max + 1;
  for (std::size_t i = 0; i < rows; ++i) journal.add(Gid("g"), attempt_at(std::to_string(i)));
  EXPECT_EQ(journal.tries(Gid("g"), "0", "action"), 0U);
  EXPECT_EQ(journal.tries(Gid("g"), "1", "action"), 1U);
}

TEST(Journal, CutsAnswersBetweenCharacters) {
  Journal journal(1);
  journal.add(Gid("a"), attempt(std::string(Journal::answer_bytes_max - 1, 'x') + "\xC3\xA4 and"));
  EXPECT_EQ(journal.attempts(Gid("a")).front().answer,
            std::string(Journal::answer_bytes_max - 1, 'x'));
}

TEST(Journal, NotesTheNextTryInTheAttemptsSinceTheLastNote) {
  Journal journal(1);
  journal.add(Gid("a"), attempt("1"));
  journal.set_next_try(Gid("a"), noon);
  journal.add(Gid("a"), attempt("2"));
  journal.add(Gid("a"), attempt("", Outcome::success));
  journal.set_next_try(Gid("a"), noon + std::chrono::seconds(20));
  journal.set_next_try(Gid("unknown"), noon);
  const auto kept = journal.attempts(Gid("a"));
  EXPECT_EQ(kept[0].next_try, noon);
  EXPECT_EQ(kept[1].next_try, noon + std::chrono::seconds(20));
  EXPECT_FALSE(kept[2].next_try.has_value());
}

}  // namespace
}  // namespace concerto
