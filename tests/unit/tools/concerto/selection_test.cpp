#include "selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verb_error.hpp"

namespace concerto::tools {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Selection, BecomesParameters) {
  Selection selection;
  EXPECT_TRUE(query_of(selection).value().empty());
  EXPECT_TRUE(selection.is_everything());
  selection.status = "failed,unfinished";
  selection.mode = "saga";
  selection.min_age = "5m";
  selection.created_after = "2026-11-30T03:05:42.5Z";
  selection.target = "stock";
  EXPECT_FALSE(selection.is_everything());
  EXPECT_THAT(query_of(selection).value(),
              ElementsAre(Pair("status", "failed,prepared,submitted,aborting"),
                          Pair("transType", "saga"), Pair("minAge", "300"),
                          Pair("createTimeStart", "1796007942500"), Pair("target", "stock")));
  EXPECT_EQ(object_of(selection).value().at("minAge").as_int64(), 300);
  EXPECT_EQ(object_of(selection).value().at("target").as_string(), "stock");
}

TEST(Selection, StuckIsUnfinishedAndAMinuteOld) {
  Selection selection;
  selection.stuck = true;
  EXPECT_THAT(query_of(selection).value(),
              ElementsAre(Pair("status", "prepared,submitted,aborting"), Pair("minAge", "60")));
  selection.min_age = "2h";
  EXPECT_THAT(query_of(selection).value(), testing::Contains(Pair("minAge", "7200")));
  selection.status = "failed";
  EXPECT_FALSE(query_of(selection));
}

TEST(Selection, MistakesNameTheOption) {
  Selection selection;
  selection.min_age = "soon";
  EXPECT_NE(query_of(selection).error().detail.find("--min-age"), std::string::npos);
  selection = {};
  selection.created_before = "soon";
  EXPECT_NE(query_of(selection).error().detail.find("--created-before"), std::string::npos);
}

TEST(Selection, ATargetIsSchemeHostAndPort) {
  EXPECT_EQ(target_of("http://b.org:1/a/b?c#d"), "http://b.org:1");
  EXPECT_EQ(target_of("b.org:1/pkg.Service/Method"), "b.org:1");
  EXPECT_EQ(target_of("https://b.org"), "https://b.org");
}

}  // namespace
}  // namespace concerto::tools
