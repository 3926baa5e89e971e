#include <gtest/gtest.h>

#include <concerto/engine/branch_caller.hpp>

namespace concerto {
namespace {

struct SuffixCase {
  const char* name;
  const char* text;
  const char* want;
};

void PrintTo(const SuffixCase& row, std::ostream* out) {
  *out << row.name;
}

class FailureSuffix : public testing::TestWithParam<SuffixCase> {};

TEST_P(FailureSuffix, IsThereExactlyOnce) {
  EXPECT_EQ(with_failure_suffix(GetParam().text), GetParam().want);
  EXPECT_EQ(with_failure_suffix(GetParam().want), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FailureSuffix,
    testing::Values(SuffixCase{"PlainText", "no money", "no money FAILURE"},
                    SuffixCase{"SuffixPresent", "no money FAILURE", "no money FAILURE"},
                    SuffixCase{"WordAlone", "FAILURE", "FAILURE FAILURE"},
                    SuffixCase{"Empty", "", " FAILURE"},
                    SuffixCase{"BlankAndWord", " FAILURE", " FAILURE"},
                    SuffixCase{"NoBlank", "xFAILURE", "xFAILURE FAILURE"},
                    SuffixCase{"LineBreakIsNoBlank", "x\nFAILURE", "x\nFAILURE FAILURE"},
                    SuffixCase{"InTheMiddle", "a FAILURE b", "a FAILURE b FAILURE"},
                    SuffixCase{"TrailingBlank", "a FAILURE ", "a FAILURE  FAILURE"},
                    SuffixCase{"OtherCase", "a failure", "a failure FAILURE"}),
    [](const auto& row) { return row.param.name; });

TEST(CallTarget, IsTheServiceOfAUrl) {
  EXPECT_EQ(call_target("http://bank:8081/api/transfer?x=1"), "http://bank:8081");
  EXPECT_EQ(call_target("https://bank"), "https://bank");
  EXPECT_EQ(call_target("http://bank?x=/1"), "http://bank");
  EXPECT_EQ(call_target("bank:9000/pkg.Bank/Transfer"), "bank:9000");
  EXPECT_EQ(call_target("etcd://h1:2379,h2:2379/stock.rpc/pb.Stock/Deduct"),
            "etcd://h1:2379,h2:2379/stock.rpc");
  EXPECT_EQ(call_target("direct:///h1:9001,h2:9001/pb.Stock/Deduct"), "direct:///h1:9001,h2:9001");
  EXPECT_EQ(call_target("etcd://h1:2379"), "etcd://h1:2379");
  EXPECT_EQ(call_target("name"), "name");
  EXPECT_EQ(call_target(""), "");
}

TEST(Outcome, HasNames) {
  EXPECT_EQ(to_string(Outcome::success), "success");
  EXPECT_EQ(to_string(Outcome::failure), "failure");
  EXPECT_EQ(to_string(Outcome::ongoing), "ongoing");
  EXPECT_EQ(to_string(Outcome::error), "error");
}

}  // namespace
}  // namespace concerto
