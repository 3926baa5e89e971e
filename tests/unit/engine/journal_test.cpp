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

TEST(Journal, LosesTheTransactionWhoseTroubleIsOldest) {
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

TEST(Journal, CutsAnswersBetweenCharacters) {
  Journal journal(1);
  journal.add(Gid("a"), attempt(std::string(Journal::answer_bytes_max - 1, 'x') + "\xC3\xA4 and"));
  EXPECT_EQ(journal.attempts(Gid("a")).front().answer,
            std::string(Journal::answer_bytes_max - 1, 'x'));
}

TEST(Journal, NotesTheNextTryOfWhatHasNone) {
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
