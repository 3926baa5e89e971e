// XA over HTTP, request by request (protocol page 05, section 11.3).

#include <gmock/gmock.h>

#include <concerto/barrier/barrier.hpp>
#include <concerto/client/xa.hpp>

#include "client_wire.hpp"

namespace concerto::client {
namespace {

using testing::ElementsAre;
namespace json = boost::json;

class XaWire : public ClientWire {
 protected:
  Async<> call_one(Xa& xa) {
    const auto answer = co_await xa.call_branch("{}", host_ + "/Xa");
    if (!answer) co_return answer.error();
    co_return ok();
  }

  Result<> transfer() {
    Xa xa = client().xa("g");
    return await(xa.run([this](Xa& running) { return call_one(running); }));
  }
};

TEST_F(XaWire, BranchesLearnWhereTheyAreEnded) {
  ASSERT_TRUE(transfer());
  EXPECT_THAT(lines_,
              ElementsAre("POST /api/dtmsvr/prepare",
                          "POST /Xa branch_id=01 dtm=" + host_ + "/api/dtmsvr gid=g op=action" +
                              " phase2_url=" + host_ + "/Xa trans_type=xa",
                          "POST /api/dtmsvr/submit"));
  EXPECT_EQ(body(0), json::parse(R"({"gid":"g","trans_type":"xa"})"));
  EXPECT_EQ(body(2), body(0));
}

TEST_F(XaWire, FailedBranchAbortsWithoutAReason) {
  answers_["/Xa"] = net::text_response(409, "no money");
  EXPECT_EQ(transfer().error().code, ClientErrc::failure);
  EXPECT_EQ(lines_.back(), "POST /api/dtmsvr/abort");
  EXPECT_EQ(body(2), json::parse(R"({"gid":"g","trans_type":"xa"})"));
}

TEST_F(XaWire, BranchRegistersItself) {
  const auto call = XaCall::from_query(
      "/Xa?branch_id=01&dtm=d&gid=g%3B1&op=action&phase2_url=http%3A%2F%2Fb%2FXa&trans_type=xa");
  ASSERT_TRUE(call) << call.error().detail;
  ASSERT_TRUE(await(client().register_branch(*call)));
  EXPECT_THAT(lines_, ElementsAre("POST /api/dtmsvr/registerBranch"));
  EXPECT_EQ(body(0), json::parse(R"({"gid":"g1","trans_type":"xa","branch_id":"01",
                                     "url":"http://b/Xa"})"));
  const auto barrier = Barrier::from(*call);
  ASSERT_TRUE(barrier);
  EXPECT_EQ(barrier->gid() + barrier->branch_id() + barrier->op(), "g101action");
}

TEST(XaCall, IsReadFromMetadata) {
  const std::map<std::string, std::string> metadata{
      {"dtm-gid", "g"},         {"dtm-trans_type", "xa"}, {"dtm-branch_id", "02"},
      {"dtm-op", "commit"},     {"dtm-phase2_url", ""},   {"gid", "other"},
      {"dtm-branch_id2", "03"},
  };
  const auto call = XaCall::from_metadata(metadata);
  ASSERT_TRUE(call) << call.error().detail;
  EXPECT_EQ(call->gid + " " + call->branch_id + " " + call->op, "g 02 commit");
}

TEST(XaCall, ThatLacksAValueIsRefused) {
  for (const char* query :
       {"", "gid=g&trans_type=xa&branch_id=01", "gid=g&trans_type=xa&branch_id=01&op=action"}) {
    const auto call = XaCall::from_query(query);
    ASSERT_FALSE(call) << query;
    EXPECT_EQ(call.error().code, ClientErrc::not_sendable);
  }
}

}  // namespace
}  // namespace concerto::client
