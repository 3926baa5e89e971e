#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

class EngineRequests : public EngineFixture {};

TEST_F(EngineRequests, DuplicateSubmitJoinsAndAnswersWhenTheFirstIsDurable) {
  store_.hold_commits();
  branches_->hold("action 01");
  const auto first = submit(make_request("g", "saga", 1));
  const auto second = submit_and_wait(make_request("g", "saga", 1));
  EXPECT_EQ(error_of(second), "(not ended)");
  store_.release_commits();
  world_->run();
  EXPECT_EQ(error_of(first), "");
  EXPECT_EQ(error_of(second), "(not ended)");
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_EQ(error_of(second), "");
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
}

TEST_F(EngineRequests, SubmitOfAFinishedGidIsRefused) {
  submit(make_request("g", "saga", 1));
  EXPECT_EQ(error_of(submit(make_request("g", "saga", 1))),
            "current status 'succeed', cannot submit. FAILURE");
}

TEST_F(EngineRequests, SubmitOfAnotherTypeIsRefused) {
  prepare(make_request("g", "msg", 1));
  EXPECT_EQ(error_of(submit(make_request("g", "saga", 1))),
            "gid g is of type msg, not saga. FAILURE");
}

TEST_F(EngineRequests, ForceStopEndsATransactionAndItsLateAnswerChangesNothing) {
  branches_->hold("action 01");
  const auto waiting = submit_and_wait(make_request("g", "saga", 2));
  EXPECT_EQ(error_of(force_stop("g")), "");
  EXPECT_EQ(error_of(waiting), "stopped by an operator while submitted at a1 FAILURE");
  branches_->answer("action 01", Outcome::ongoing);
  world_->run();
  world_->advance(std::chrono::hours(1));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(branch_statuses("g"), "PPPP");
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  EXPECT_EQ(error_of(force_stop("g")),
            "global transaction force stop error. status: failed. error: FAILURE");
}

TEST_F(EngineRequests, ResetMakesAWaitingTransactionDueNow) {
  branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 1));
  EXPECT_EQ(status("g"), TransStatus::submitted);
  EXPECT_EQ(error_of(reset("g")), "");
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineRequests, AChangeReadsTheClockOnce) {
  submit(make_request("g", "saga", 1));
  clock_.step_wall_at_each_look(std::chrono::nanoseconds(700));
  EXPECT_EQ(error_of(reset("g")), "");
  const Transaction reset_one = query("g");
  EXPECT_EQ(reset_one.next_cron_time, reset_one.update_time);
}

TEST_F(EngineRequests, ResetOfAFinishedTransactionShowsTheNewTimeAndCallsNobody) {
  submit(make_request("g", "saga", 1));
  submit(make_request("h", "saga", 1));
  force_stop("h");
  const Transaction before = query("g");
  ASSERT_EQ(before.status, TransStatus::succeed);
  world_->advance(seconds(100));
  branches_->calls.clear();
  EXPECT_EQ(error_of(reset("g")), "");
  Transaction after = query("g");
  EXPECT_EQ(after.next_cron_time, clock_.wall_now());
  EXPECT_EQ(after.update_time, clock_.wall_now());
  restart_after_crash();
  EXPECT_EQ(query("g"), after);
  after.next_cron_time = before.next_cron_time;
  after.update_time = before.update_time;
  EXPECT_EQ(after, before) << "nothing else changes";
  world_->advance(seconds(100));
  EXPECT_THAT(branches_->calls, IsEmpty());
  EXPECT_EQ(world_->coordinator().in_flight().live, 0U);
}

TEST_F(EngineRequests, ResetOfAMsgWhoseApplicationWasAskedAsksAgain) {
  branches_->reply("msg 00", Outcome::ongoing);
  auto request = make_request("g", "msg", 1);
  request.query_prepared = "query";
  prepare(request);
  world_->advance(seconds(35));
  reset("g");
  world_->run();
  EXPECT_THAT(branches_->calls, ElementsAre("msg 00", "msg 00", "action 01"));
}

TEST_F(EngineRequests, ErrorsNameUnknownGids) {
  const std::string text = "no TransGlobal with gid: nogid found";
  EXPECT_EQ(error_of(force_stop("nogid")), text);
  EXPECT_EQ(error_of(reset("nogid")), text);
  EXPECT_EQ(error_of(abort(make_request("nogid", "msg", 0))), text);
  const auto found = world_->start(world_->coordinator().query(Gid("nogid")));
  EXPECT_FALSE(found->value().value().has_value());
}

TEST_F(EngineRequests, TheCallersDeadlineEndsOnlyItsWaiting) {
  branches_->hold("action 01");
  auto request = make_request("g", "saga", 1);
  request.options.wait_result = true;
  RequestContext context;
  context.deadline = clock_.steady_now() + seconds(1);
  const auto result = world_->start(world_->coordinator().submit(request, context));
  world_->advance(seconds(1));
  EXPECT_TRUE(code_of(result) == Errc::deadline_exceeded);
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineRequests, OnlyNewTransactionsAreRefusedUnderOverload) {
  world_.reset();
  options_.in_flight_max = 2;
  start_world();
  branches_->hold("action 01");
  prepare(make_request("prepared", "msg", 1));
  submit(make_request("a", "saga", 1));
  submit(make_request("b", "saga", 1));
  EXPECT_TRUE(code_of(submit(make_request("c", "saga", 1))) == Errc::overloaded);
  EXPECT_EQ(error_of(submit(make_request("prepared", "msg", 1))), "");
  branches_->answer("action 01", Outcome::success);
  branches_->answer("action 01", Outcome::success);
  branches_->answer("action 01", Outcome::success);
  world_->run();
  branches_->hold("none");
  EXPECT_EQ(error_of(submit(make_request("d", "saga", 1))), "");
}

TEST_F(EngineRequests, AFailedWriteIsNeverASuccess) {
  store_.fail_commit(3);
  const auto result = submit_and_wait(make_request("g", "saga", 2));
  EXPECT_TRUE(code_of(result) == EngineErrc::store_failed);
  EXPECT_TRUE(code_of(submit(make_request("h", "saga", 1))) == EngineErrc::store_unavailable);
  restart_after_crash();
  world_->advance(milliseconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 02"));
}

TEST_F(EngineRequests, ShutdownAnswersWaitersAndGoesOnAfterTheRestart) {
  branches_->hold("action 01");
  const auto waiting = submit_and_wait(make_request("g", "saga", 2));
  const auto stopped = world_->start([](Coordinator& coordinator, SteadyTime until) -> Task<bool> {
    co_await coordinator.stop(until);
    co_return true;
  }(world_->coordinator(), clock_.steady_now() + seconds(10)));
  EXPECT_FALSE(stopped->has_value());
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_TRUE(stopped->has_value());
  EXPECT_TRUE(code_of(waiting) == Errc::shutting_down);
  EXPECT_EQ(error_of(waiting),
            "the coordinator shut down before gid g ended; it goes on after a restart");
  EXPECT_TRUE(code_of(submit(make_request("h", "saga", 1))) == Errc::shutting_down);
  world_.reset();
  start_world();
  recover();
  world_->advance(milliseconds(1));
  EXPECT_THAT(branches_->calls, ElementsAre("action 02"));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineRequests, AStopCancelsAgainACallThatMissedItsCancellation) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 1));
  const auto stopped = world_->start([](Coordinator& coordinator, SteadyTime until) -> Task<bool> {
    co_await coordinator.stop(until);
    co_return true;
  }(world_->coordinator(), clock_.steady_now() + seconds(10)));
  world_->advance(seconds(9));
  EXPECT_EQ(branches_->cancellations, 0u);
  world_->advance(seconds(2));
  EXPECT_GE(branches_->cancellations, 5u);
  branches_->answer("action 01", Outcome::error);
  world_->run();
  EXPECT_TRUE(stopped->has_value());
}

TEST_F(EngineRequests, AGidMayHave128ChineseCharacters) {
  std::string text;
  for (int i = 0; i < 128; ++i) text += "\xE4\xB8\xAD";
  submit(make_request(text, "saga", 1));
  EXPECT_EQ(status(text), TransStatus::succeed);
  EXPECT_THAT(error_of(submit(make_request(text + "\xE4\xB8\xAD", "saga", 1))),
              HasSubstr("gid has 129 characters, at most 128"));
  world_.reset();
  start_world();
  recover();
  EXPECT_EQ(status(text), TransStatus::succeed);
}

TEST_F(EngineRequests, AUrlLongerThanTheReferencesColumnIsCalled) {
  auto request = make_request("g", "saga", 1);
  request.steps[0].action = "http://h/" + std::string(8000, 'u');
  submit(request);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  EXPECT_EQ(query("g").branches[1].url, request.steps[0].action);
}

TEST_F(EngineRequests, ASubmitWithHeadersThatCannotBeSentChangesNothing) {
  prepare(make_request("g", "msg", 1));
  auto request = make_request("g", "msg", 0);
  request.options.branch_headers["h"] = "not carried";
  EXPECT_EQ(error_of(submit(request)), "this is not carried");
  EXPECT_EQ(status("g"), TransStatus::prepared);
}

TEST_F(EngineRequests, ABranchThatCanNeverBeCalledIsNotRegistered) {
  prepare(make_request("g", "tcc", 0));
  const auto registered = [&](std::map<std::string, std::string> fields, const char* id = "01") {
    BranchRequest branch;
    branch.gid = Gid("g");
    branch.trans_type = "tcc";
    branch.branch_id = id;
    branch.fields = std::move(fields);
    return error_of(register_branch(branch));
  };
  EXPECT_EQ(registered({{"confirm", "unsendable"}, {"cancel", "u"}}),
            "confirm: bad URL unsendable");
  EXPECT_EQ(registered({{"confirm", "u"}, {"cancel", "unsendable"}}), "cancel: bad URL unsendable");
  EXPECT_EQ(registered({{"confirm", "u"}}, "not carried"), "this is not carried");
  EXPECT_EQ(registered({{"confirm", "u"}}, "0\r\n1"), "branch_id has control characters");
  std::map<std::string, std::string> many;
  for (int i = 0; i < 65; ++i) many[std::to_string(i)] = "x";
  EXPECT_EQ(registered(many), "the branch has 65 fields, at most 64 are allowed");
  EXPECT_THAT(query("g").branches, IsEmpty());
}

TEST_F(EngineRequests, ThePayloadsOfRegisteredBranchesAreLimited) {
  prepare(make_request("g", "tcc", 0));
  BranchRequest branch;
  branch.gid = Gid("g");
  branch.trans_type = "tcc";
  branch.fields = {{"confirm", "u"}, {"cancel", "u"}};
  branch.payload = std::string(registered_bytes_max / 2, 'x');
  for (const char* id : {"01", "02"}) {
    branch.branch_id = id;
    EXPECT_EQ(error_of(register_branch(branch)), "");
  }
  branch.branch_id = "03";
  branch.payload = "x";
  EXPECT_EQ(error_of(register_branch(branch)),
            "the branches of gid g would have more than 33554432 bytes of data");
  EXPECT_EQ(query("g").branches.size(), 4u);
}

TEST_F(EngineRequests, ASubscriberThatCanNeverBeCalledAndOneTooManyAreRefused) {
  const auto subscribe = [&](const std::string& url, const std::string& topic = "t",
                             const std::string& remark = "") {
    return world_->start(world_->coordinator().subscribe(topic, url, remark))->value();
  };
  EXPECT_EQ(subscribe("http://u:pw@unsendable").error().detail,
            "url: bad URL http://u:***@unsendable");
  EXPECT_EQ(subscribe("u", "t\n").error().detail, "topic has control characters");
  EXPECT_EQ(subscribe("u", std::string(129, 't')).error().detail,
            "topic has 129 characters, at most 128 are allowed");
  EXPECT_EQ(subscribe("u", "t", std::string(1025, 'r')).error().detail,
            "remark has 1025 bytes, at most 1024 are allowed");
  for (std::size_t i = 0; i < subscribers_max; ++i) {
    ASSERT_TRUE(subscribe("u" + std::to_string(i)));
  }
  EXPECT_EQ(subscribe("one more").error().detail,
            "topic has 1001 subscribers, at most 1000 are allowed");
  auto request = make_request("g", "msg", 21);
  for (Step& step : request.steps) step.action = "topic://t";
  EXPECT_EQ(error_of(submit(request)), "steps and topics make more than 20000 branches");
}

struct BadRequest {
  const char* name;
  void (*spoil)(TransRequest&);
  const char* text;
};

void PrintTo(const BadRequest& bad, std::ostream* out) {
  *out << bad.name;
}

class EngineBadRequests : public EngineFixture, public testing::WithParamInterface<BadRequest> {};

TEST_P(EngineBadRequests, NamesFieldAndValueAndStoresNothing) {
  auto request = make_request("g", "saga", 2);
  GetParam().spoil(request);
  EXPECT_THAT(error_of(submit(request)), HasSubstr(GetParam().text));
  EXPECT_THAT(error_of(prepare(request)), HasSubstr(GetParam().text));
  EXPECT_EQ(store_.commits(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, EngineBadRequests,
    testing::Values(
        BadRequest{"EmptyGid", [](TransRequest& r) { r.gid = Gid(); }, "gid is empty"},
        BadRequest{"NoType", [](TransRequest& r) { r.trans_type = ""; }, "unknown trans type: "},
        BadRequest{"UnknownType", [](TransRequest& r) { r.trans_type = "sage"; },
                   "unknown trans type: sage"},
        BadRequest{"UnknownProtocol", [](TransRequest& r) { r.protocol = "smtp"; },
                   "protocol 'smtp' is unknown"},
        BadRequest{"FewPayloads", [](TransRequest& r) { r.payloads.pop_back(); },
                   "payloads has 1 entries for 2 steps"},
        BadRequest{"LongUrl", [](TransRequest& r) { r.steps[1].action.assign(8193, 'u'); },
                   "steps[1].action has 8193 bytes, at most 8192"},
        BadRequest{"LongGid", [](TransRequest& r) { r.gid = Gid(std::string(129, 'g')); },
                   "gid has 129 characters, at most 128"},
        BadRequest{"GidWithLineEnd", [](TransRequest& r) { r.gid = Gid("g\r\nX: y"); },
                   "gid has control characters"},
        BadRequest{"UncallableAction",
                   [](TransRequest& r) { r.steps[1].action = "http://u:pw@unsendable"; },
                   "steps[1].action: bad URL http://u:***@unsendable"},
        BadRequest{"UncallableCompensation",
                   [](TransRequest& r) { r.steps[0].compensate = "unsendable"; },
                   "steps[0].compensate: bad URL unsendable"},
        BadRequest{"UncallableQuery", [](TransRequest& r) { r.query_prepared = "unsendable"; },
                   "query_prepared: bad URL unsendable"},
        BadRequest{"RpcPayloadThatIsNotTaken",
                   [](TransRequest& r) {
                     r.protocol = "json-rpc";
                     r.payloads[1] = "not carried";
                   },
                   "steps[1].compensate: this payload is not taken"},
        BadRequest{"HeaderThatIsNotCarried",
                   [](TransRequest& r) { r.options.branch_headers["h"] = "not carried"; },
                   "this is not carried"},
        BadRequest{"ManyHeaders",
                   [](TransRequest& r) {
                     for (int i = 0; i < 257; ++i) {
                       r.options.branch_headers["h" + std::to_string(i)] = "v";
                     }
                   },
                   "branch_headers has 257 entries, at most 256"},
        BadRequest{"LongHeaders",
                   [](TransRequest& r) { r.options.branch_headers["h"].assign(32 * 1024, 'v'); },
                   "branch_headers has 32769 bytes, at most 32768"},
        BadRequest{"HeaderNameWithLineEnd",
                   [](TransRequest& r) { r.options.branch_headers["a\r\nb"] = "v"; },
                   "branch_headers has 'a\r\nb', which is no name of a header"},
        BadRequest{"HeaderWithoutName", [](TransRequest& r) { r.options.branch_headers[""] = "v"; },
                   "branch_headers has '', which is no name of a header"},
        BadRequest{"HeaderValueWithLineEnd",
                   [](TransRequest& r) { r.options.branch_headers["h"] = "v\nX: y"; },
                   "the value of branch_headers 'h' has control characters"},
        BadRequest{"ManyPayloads", [](TransRequest& r) { r.payloads.resize(20'001); },
                   "payloads has 20001 entries, at most 20000"},
        BadRequest{"ManyExtras",
                   [](TransRequest& r) {
                     for (int i = 0; i < 65; ++i) r.extra[std::to_string(i)] = "x";
                   },
                   "req_extra has 65 entries, at most 64"},
        BadRequest{"LongUnknownType", [](TransRequest& r) { r.trans_type.assign(1 << 20, 't'); },
                   "unknown trans type: tttt"},
        BadRequest{"NegativeTimeout",
                   [](TransRequest& r) { r.options.timeout_to_fail = seconds(-1); },
                   "timeout_to_fail must be from 0 to 2147483647, not -1"},
        BadRequest{"HugeRetryLimit", [](TransRequest& r) { r.options.retry_limit = 1LL << 40; },
                   "retry_limit must be"},
        BadRequest{"CustomDataNotJson", [](TransRequest& r) { r.custom_data = "{"; },
                   "custom_data: not JSON"},
        BadRequest{"OrdersOutOfRange",
                   [](TransRequest& r) { r.custom_data = R"({"orders":{"2":[0]}})"; },
                   "orders names step '2'"},
        BadRequest{"OrdersForward",
                   [](TransRequest& r) { r.custom_data = R"({"orders":{"0":[1]}})"; },
                   "orders of step 0 must name earlier steps, not 1"},
        BadRequest{"NegativeDelay",
                   [](TransRequest& r) {
                     r.trans_type = "msg";
                     r.custom_data = R"({"Delay":-5})";
                   },
                   "delay must be a number of seconds"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace concerto::test
