#include <concerto/engine/request_context.hpp>

#include "engine_fixture.hpp"
#include "sample_transactions.hpp"

namespace concerto::test {
namespace {

struct AddressCase {
  const char* name;
  PeerAddress address;
  const char* want;
};
void PrintTo(const AddressCase& row, std::ostream* out) {
  *out << row.name;
}

class PeerAddressText : public testing::TestWithParam<AddressCase> {};

TEST_P(PeerAddressText, IsWrittenInTheUsualForm) {
  EXPECT_EQ(GetParam().address.str(), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, PeerAddressText,
    testing::Values(
        AddressCase{"None", {}, ""},
        AddressCase{"Version4",
                    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 7}, 0, 51234},
                    "10.0.0.7:51234"},
        AddressCase{"Version4WithoutAPort",
                    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 7}, 0, 0},
                    "10.0.0.7"},
        AddressCase{"Version6WithoutAPort",
                    {{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}, 0, 0},
                    "2001:db8::7"},
        AddressCase{
            "Loopback", {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, 80}, "[::1]:80"},
        AddressCase{"LinkLocal",
                    {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0xb0, 0, 0}, 2, 80},
                    "[fe80::ab0:0%2]:80"},
        AddressCase{"ASingleZeroIsWrittenOut",
                    {{0x20, 1, 0, 0, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}, 0, 1},
                    "[2001:0:3:4:5:6:7:8]:1"},
        AddressCase{"TheFirstOfTwoEqualRunsIsLeftOut",
                    {{0x20, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 7, 0, 8}, 0, 1},
                    "[2001::4:0:0:7:8]:1"},
        AddressCase{"ARunAtTheEnd",
                    {{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, 65535},
                    "[2001:db8::]:65535"}),
    [](const auto& row) { return row.param.name; });

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "-00f067aa0ba902b7";

class RequestContexts : public EngineFixture {
 protected:
  /// A context as a front end makes it.
  static RequestContext by_peer() {
    RequestContext context;
    context.peer = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 7}, 0, 51234};
    context.trace = TraceParent::parse("00-" + trace + parent + "-01").value();
    return context;
  }

  Coordinator& coordinator() { return world_->coordinator(); }
  const std::vector<std::string>& lines() { return world_->observer().lines; }
  const std::vector<std::string>& warnings() { return world_->observer().warnings; }

  const std::string asked_ = ", asked by 10.0.0.7:51234, trace " + trace;
};

TEST_F(RequestContexts, AreToldWhenATransactionIsStopped) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 1));
  world_->start(coordinator().force_stop(Gid("g"), by_peer()));
  EXPECT_THAT(warnings(), testing::Contains("g: force stop" + asked_));
  world_->start(coordinator().force_stop(Gid("g"), by_peer()));
  EXPECT_EQ(warnings().size(), 1U)
      << "a refused request changes nothing, so its line is no warning";
  EXPECT_THAT(lines(), testing::Contains("g: force stop" + asked_ +
                                         ", is refused: global transaction force stop error. "
                                         "status: failed. error: FAILURE"));
}

TEST_F(RequestContexts, AreToldWhenWaitingTransactionsAreTriedNow) {
  for (const char* gid : {"g", "h"}) {
    branches_->reply("action 01", Outcome::ongoing);
    submit(make_request(gid, "saga", 1));
  }
  world_->start(coordinator().reset_next_cron_time(Gid("g"), by_peer()));
  EXPECT_THAT(lines(), testing::Contains("g: try now" + asked_));
  world_->start(coordinator().reset_cron_time(seconds(1), 10, by_peer()));
  EXPECT_THAT(lines(), testing::Contains(": try now of all that wait for more than 1 s, 1 are due" +
                                         asked_));
  EXPECT_THAT(lines(), testing::Not(testing::Contains(HasSubstr("h: try now"))))
      << "one line stands for all of them";
}

TEST_F(RequestContexts, AreToldWhenAnErrorEndsAResetOfMany) {
  for (const char* gid : {"g", "h"}) {
    branches_->reply("action 01", Outcome::ongoing);
    submit(make_request(gid, "saga", 1));
  }
  branches_->hold("action 01");
  store_.fail_commit(2);
  const auto reset = world_->start(coordinator().reset_cron_time(seconds(1), 10, by_peer()));
  EXPECT_EQ(code_of(reset), EngineErrc::store_failed);
  EXPECT_THAT(lines(), testing::Contains(": try now of all that wait for more than 1 s, 1 are due "
                                         "and more remain" +
                                         asked_));
}

TEST_F(RequestContexts, AreToldWhenTopicsChange) {
  world_->start(coordinator().subscribe("t", "u", "", by_peer()));
  world_->start(coordinator().unsubscribe("t", "u", by_peer()));
  world_->start(coordinator().delete_topic("t", by_peer()));
  for (const char* deed : {"subscribe to", "unsubscribe from", "delete"}) {
    EXPECT_THAT(lines(), testing::Contains(": " + std::string(deed) + " topic 't'" + asked_));
  }
}

TEST_F(RequestContexts, OfAnEmbedderNameItsOwnProcess) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 1));
  force_stop("g");
  EXPECT_THAT(warnings(), ElementsAre("g: force stop, asked by this process"));
}

TEST_F(RequestContexts, DoNotFillTheLog) {
  const std::string name(100'000, 'x');
  world_->start(coordinator().delete_topic(name, by_peer()));
  world_->start(coordinator().force_stop(Gid(name), by_peer()));
  for (const std::string& line : lines()) EXPECT_LT(line.size(), 2'000U);
  EXPECT_GE(lines().size(), 2U);
}

TEST_F(RequestContexts, EndTheWaitingOfAnAbortAtTheirDeadline) {
  branches_->hold("cancel 01");
  auto request = make_request("g", "tcc", 0);
  request.options.wait_result = true;
  prepare(request);
  BranchRequest branch;
  branch.gid = Gid("g");
  branch.trans_type = "tcc";
  branch.branch_id = "01";
  branch.fields = {{"confirm", "f"}, {"cancel", "b"}};
  register_branch(branch);
  RequestContext context = by_peer();
  context.deadline = clock_.steady_now() + seconds(1);
  const auto result = world_->start(coordinator().abort(make_request("g", "tcc", 0), context));
  EXPECT_FALSE(result->has_value());
  world_->advance(seconds(1));
  EXPECT_TRUE(code_of(result) == Errc::deadline_exceeded);
  branches_->answer("cancel 01", Outcome::success);
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::failed);
}

}  // namespace
}  // namespace concerto::test
