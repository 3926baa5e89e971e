#include <map>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include <concerto/barrier/barrier.hpp>

namespace concerto {
namespace {

struct QueryCase {
  const char* name;
  std::string query;
  std::string gid;  ///< empty: refused
};

void PrintTo(const QueryCase& row, std::ostream* out) {
  *out << row.query;
}

class BranchQuery : public testing::TestWithParam<QueryCase> {};

TEST_P(BranchQuery, HasTheFourValues) {
  const auto barrier = Barrier::from_query(GetParam().query);
  ASSERT_EQ(bool(barrier), !GetParam().gid.empty());
  if (!barrier) {
    EXPECT_EQ(barrier.error().code, Errc::invalid_request);
    return;
  }
  EXPECT_EQ(barrier->gid(), GetParam().gid);
  EXPECT_EQ(barrier->trans_type(), "saga");
  EXPECT_EQ(barrier->branch_id(), "01");
  EXPECT_EQ(barrier->op(), "action");
}

const std::string rest = "&trans_type=saga&branch_id=01&op=action";

INSTANTIATE_TEST_SUITE_P(
    Table, BranchQuery,
    testing::Values(QueryCase{"Plain", "gid=g" + rest, "g"},
                    QueryCase{"Target", "/bank?gid=g" + rest, "g"},
                    QueryCase{"Fragment", "/bank?gid=g" + rest + "#op=x", "g"},
                    QueryCase{"Others", "a&=&gid=g&dtm=x" + rest, "g"},
                    QueryCase{"First", "gid=g&gid=h" + rest, "g"},
                    QueryCase{"Decoded", "gid=a%2Fb+c%zz%4" + rest, "a/b c%zz%4"},
                    QueryCase{"Stripped", "gid=a%0A%0D%3Bb" + rest, "ab"},
                    QueryCase{"LongestCharacters", "gid=" + std::string(128, 'g') + rest,
                              std::string(128, 'g')},
                    QueryCase{"TooLong", "gid=" + std::string(129, 'g') + rest, ""},
                    QueryCase{"ZeroByte", "gid=a%00b" + rest, ""},
                    QueryCase{"Empty", "gid=" + rest, ""}, QueryCase{"Missing", rest, ""},
                    QueryCase{"Nothing", "", ""}),
    [](const auto& row) { return row.param.name; });

TEST(BranchMetadata, HasKeysWithAPrefix) {
  const std::multimap<std::string, std::string> metadata{
      {"dtm-gid", "g"}, {"dtm-trans_type", "tcc"}, {"dtm-branch_id", "02"}, {"dtm-op", "try"}};
  const auto barrier = Barrier::from_metadata(metadata);
  ASSERT_TRUE(barrier);
  EXPECT_EQ(barrier->gid() + barrier->trans_type() + barrier->branch_id() + barrier->op(),
            "gtcc02try");
  EXPECT_FALSE(Barrier::from_map(metadata));
}

TEST(BranchMap, HasPlainKeys) {
  const std::map<std::string, std::string> map{
      {"gid", "g"}, {"trans_type", "tcc"}, {"branch_id", "02"}, {"op", "try"}};
  EXPECT_TRUE(Barrier::from_map(map));
}

}  // namespace
}  // namespace concerto
