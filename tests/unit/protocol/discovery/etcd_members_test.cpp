#include "discovery/etcd_members.hpp"

#include <gtest/gtest.h>

namespace concerto::net::test {
namespace {

using std::chrono::seconds;

SteadyTime at(int second) {
  return SteadyTime{} + seconds{second};
}

TEST(EtcdMemberChoice, KeepsAMemberThatServes) {
  EtcdMemberChoice choice{3, 1};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(choice.pick(at(i)), 1U);
    choice.succeeded(1);
  }
}

TEST(EtcdMemberChoice, LeavesAFailingMemberAndStaysWithTheNext) {
  EtcdMemberChoice choice{3, 2};
  EXPECT_TRUE(choice.failed(choice.pick(at(0)), at(0)));
  EXPECT_EQ(choice.pick(at(0)), 0U);
  EXPECT_EQ(choice.pick(at(100)), 0U) << "the one that failed is not needed";
}

TEST(EtcdMemberChoice, ComesBackToAMemberAfterItsPause) {
  EtcdMemberChoice choice{2, 0};
  choice.failed(0, at(0));
  choice.failed(1, at(1));
  EXPECT_EQ(choice.pick(at(1)), 0U);
  EXPECT_FALSE(choice.failed(0, at(1))) << "it is known to fail";
  EXPECT_EQ(choice.pick(at(2)), 1U);
}

TEST(EtcdMemberChoice, AsksTheMemberWhosePauseEndsFirstWhenAllFail) {
  EtcdMemberChoice choice{3, 0};
  choice.failed(0, at(0));
  choice.failed(0, at(0));  // Its pause is two seconds.
  choice.failed(1, at(0));
  choice.failed(1, at(0));
  choice.failed(1, at(0));  // Its pause is four seconds.
  choice.failed(2, at(0));  // Its pause is one second.
  EXPECT_EQ(choice.pick(at(0)), 2U);
}

TEST(EtcdMemberChoice, ThePauseGrowsToItsLimit) {
  EtcdMemberChoice choice{2, 0};
  for (int i = 0; i < 100; ++i) choice.failed(0, at(0));
  choice.failed(1, at(27));
  choice.failed(1, at(27));
  EXPECT_EQ(choice.pick(at(27)), 1U) << "29 is before 30";
  choice.failed(1, at(29));
  EXPECT_EQ(choice.pick(at(29)), 0U);
}

}  // namespace
}  // namespace concerto::net::test
