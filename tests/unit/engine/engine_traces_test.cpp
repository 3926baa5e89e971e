// How a trace goes through the coordinator: from a request into the store, and from there to every
// call, also after a restart.

#include <algorithm>

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::SizeIs;

const std::string client_trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string client_span = "00f067aa0ba902b7";
const std::string sampled_parent = "00-" + client_trace + "-" + client_span + "-01";
const std::string unsampled_parent = "00-" + client_trace + "-" + client_span + "-00";

class EngineTraces : public EngineFixture {
 protected:
  void record(double sample = 0) {
    options_.trace.records = true;
    options_.trace.sample = sample;
    restart();
  }
  static RequestContext traced(const std::string& parent) {
    RequestContext context;
    context.trace = TraceParent::parse(parent).value();
    return context;
  }
  Pending<Result<>> submit_traced(TransRequest request, const std::string& parent) {
    return world_->start(world_->coordinator().submit(std::move(request), traced(parent)));
  }

  const std::vector<RecordedSpan>& spans() { return world_->observer().spans; }
  std::vector<RecordedSpan> spans(SpanKind kind) {
    std::vector<RecordedSpan> found;
    for (const RecordedSpan& span : spans()) {
      if (span.span.kind == kind) found.push_back(span);
    }
    return found;
  }
  RecordedSpan only(SpanKind kind) {
    const auto found = spans(kind);
    EXPECT_THAT(found, SizeIs(1));
    return found.empty() ? RecordedSpan() : found.front();
  }
  std::string header(const std::string& gid, const std::string& name) {
    const auto headers = query(gid).options.branch_headers;
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  /// What a call of this number sent; empty if it sent the headers as they are.
  std::string sent(const RecordedSpan& attempt) { return attempt.span.self.str(); }
};

TEST_F(EngineTraces, OfAClientAreStoredAndHandedOnUnchangedIfNothingIsRecorded) {
  auto request = make_request("g", "saga", 1);
  request.trace = {{}, "a=1"};
  submit_traced(std::move(request), sampled_parent);
  EXPECT_EQ(header("g", "traceparent"), sampled_parent);
  EXPECT_EQ(header("g", "tracestate"), "a=1");
  ASSERT_THAT(branches_->requests, SizeIs(1));
  EXPECT_EQ(branches_->requests[0].trace, nullptr);
  EXPECT_THAT(spans(), IsEmpty());
}

TEST_F(EngineTraces, OfAClientAreLeftOutIfTheyAreNotPropagated) {
  options_.trace.propagates = false;
  record(0);
  auto request = make_request("g", "saga", 1);
  request.trace = {{}, "a=1"};
  submit_traced(std::move(request), sampled_parent);
  EXPECT_THAT(query("g").options.branch_headers, IsEmpty());
  EXPECT_THAT(spans(), IsEmpty());
}

TEST_F(EngineTraces, AreThoseOfTheContext) {
  auto request = make_request("g", "saga", 1);
  request.trace = {TraceParent::parse(sampled_parent).value(), "a=1"};
  submit(std::move(request));
  EXPECT_THAT(query("g").options.branch_headers, IsEmpty());
}

TEST_F(EngineTraces, FormOneTreeFromTheClientToTheCalls) {
  record();
  auto request = make_request("g", "saga", 2);
  submit_traced(std::move(request), sampled_parent);
  const RecordedSpan asked = only(SpanKind::request);
  EXPECT_EQ(asked.name, "submit");
  EXPECT_EQ(asked.gid, "g");
  EXPECT_EQ(asked.span.parent.str(), client_span);
  const RecordedSpan pass = only(SpanKind::pass);
  EXPECT_EQ(pass.span.parent, asked.span.self.span);
  EXPECT_EQ(pass.result, "succeed");
  const auto attempts = spans(SpanKind::attempt);
  ASSERT_THAT(attempts, SizeIs(2));
  for (const RecordedSpan& attempt : attempts) EXPECT_EQ(attempt.span.parent, pass.span.self.span);
  EXPECT_NE(attempts[0].span.self.span, attempts[1].span.self.span);
  const auto commits = spans(SpanKind::commit);
  ASSERT_FALSE(commits.empty());
  EXPECT_EQ(commits.front().span.parent, asked.span.self.span);
  EXPECT_EQ(commits.back().span.parent, pass.span.self.span);
  for (const RecordedSpan& span : spans()) EXPECT_EQ(span.span.self.trace.str(), client_trace);
  EXPECT_EQ(header("g", "traceparent"), asked.span.self.str());
}

TEST_F(EngineTraces, GoOnWithARetryAfterARestart) {
  record();
  branches_->reply("action 01", Outcome::error, "refused");
  submit_traced(make_request("g", "saga", 1), sampled_parent);
  const RecordedSpan asked = only(SpanKind::request);
  EXPECT_EQ(only(SpanKind::attempt).error, "refused");
  EXPECT_EQ(only(SpanKind::attempt).result, "error");
  EXPECT_EQ(only(SpanKind::pass).error, "refused");
  restart();
  world_->advance(seconds(3600));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  const RecordedSpan pass = only(SpanKind::pass);
  EXPECT_EQ(pass.span.parent, asked.span.self.span);
  EXPECT_EQ(only(SpanKind::attempt).span.parent, pass.span.self.span);
  EXPECT_EQ(only(SpanKind::attempt).span.self.trace.str(), client_trace);
  EXPECT_EQ(only(SpanKind::attempt).error, "");
}

TEST_F(EngineTraces, AreNotRecordedIfTheClientDoesNotRecordThem) {
  record(1);
  submit_traced(make_request("g", "saga", 1), unsampled_parent);
  EXPECT_EQ(header("g", "traceparent"), unsampled_parent);
  EXPECT_THAT(spans(), IsEmpty());
}

TEST_F(EngineTraces, BeginWithAPartOfTheRequestsThatHaveNone) {
  record(0.25);
  constexpr int requests = 2'000;
  for (int i = 0; i < requests; ++i) submit(make_request("g" + std::to_string(i), "saga", 1));
  const auto asked = spans(SpanKind::request);
  EXPECT_NEAR(static_cast<double>(asked.size()), requests * 0.25, 80);
  for (const RecordedSpan& one : asked) EXPECT_FALSE(one.span.parent.is_set());
  EXPECT_EQ(spans(SpanKind::attempt).size(), asked.size());
  EXPECT_EQ(header(asked.front().gid, "traceparent"), asked.front().span.self.str());
}

TEST_F(EngineTraces, BeginWithNoRequestOrWithEach) {
  record(0);
  submit(make_request("none", "saga", 1));
  EXPECT_THAT(spans(), IsEmpty());
  record(1);
  submit(make_request("each", "saga", 1));
  EXPECT_EQ(only(SpanKind::request).gid, "each");
}

TEST_F(EngineTraces, AmongTheClientsOwnHeadersWinOverThatOfTheRequest) {
  record();
  const std::string own = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01";
  auto request = make_request("g", "saga", 1);
  request.trace = {{}, "a=1"};
  request.options.branch_headers = {{"Traceparent", own}};
  submit_traced(std::move(request), sampled_parent);
  EXPECT_EQ(query("g").options.branch_headers,
            (std::map<std::string, std::string>{{"Traceparent", own}}));
  EXPECT_EQ(only(SpanKind::request).span.parent.str(), "bbbbbbbbbbbbbbbb");
  EXPECT_EQ(only(SpanKind::attempt).span.self.trace.str(), std::string(32, 'a'));
}

TEST_F(EngineTraces, OfThePrepareStayWhenTheSubmitNamesOtherHeaders) {
  auto request = make_request("g", "tcc", 0);
  request.options.branch_headers = {{"x", "1"}};
  world_->start(world_->coordinator().prepare(request, traced(sampled_parent)));
  EXPECT_EQ(header("g", "traceparent"), sampled_parent);
  request.options.branch_headers = {{"y", "2"}};
  submit_traced(request, "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00");
  EXPECT_EQ(query("g").options.branch_headers,
            (std::map<std::string, std::string>{{"traceparent", sampled_parent}, {"y", "2"}}));
}

TEST_F(EngineTraces, OfASubmitAloneLeaveTheStoredHeadersAlone) {
  auto request = make_request("g", "tcc", 0);
  request.options.branch_headers = {{"x", "1"}};
  prepare(request);
  request.options.branch_headers = {};
  submit_traced(request, sampled_parent);
  EXPECT_EQ(query("g").options.branch_headers,
            (std::map<std::string, std::string>{{"traceparent", sampled_parent}, {"x", "1"}}));
}

TEST_F(EngineTraces, AreLeftOutWhereTheStoreMayHaveNoRoomForThem) {
  const auto headers_after = [this](const std::string& gid, std::size_t own, std::size_t state) {
    auto request = make_request(gid, "saga", 1);
    request.options.branch_headers = {{"x", std::string(own, 'x')}};
    request.trace = {{}, "a=" + std::string(state, 'b')};
    submit_traced(std::move(request), sampled_parent);
    return query(gid).options.branch_headers.size();
  };
  EXPECT_EQ(headers_after("all", 300, 250), 3U);
  EXPECT_EQ(headers_after("no state", 600, 250), 2U);
  EXPECT_EQ(headers_after("nothing", 900, 1), 1U);
}

TEST_F(EngineTraces, AreInTheLinesOfTheLog) {
  branches_->reply("action 01", Outcome::error, "refused");
  submit_traced(make_request("g", "saga", 1), unsampled_parent);
  EXPECT_THAT(world_->observer().traced_lines,
              Contains(AllOf(HasSubstr(client_trace + " branch 01 action"), HasSubstr("refused"))));
}

TEST_F(EngineTraces, NameCallsWithoutWhatIsSecretInTheirUrls) {
  record();
  auto request = make_request("g", "saga", 1);
  request.steps[0].action = "http://user:secret@stock/deduct";
  submit_traced(std::move(request), sampled_parent);
  const RecordedSpan attempt = only(SpanKind::attempt);
  EXPECT_EQ(attempt.branch_id, "01");
  EXPECT_EQ(attempt.name, "action");
  EXPECT_THAT(attempt.url, AllOf(HasSubstr("stock/deduct"), testing::Not(HasSubstr("secret"))));
}

TEST_F(EngineTraces, HaveTheRequestsAboutAKnownTransactionToo) {
  record();
  prepare(make_request("g", "tcc", 0));
  BranchRequest branch;
  branch.gid = Gid("g");
  branch.trans_type = "tcc";
  branch.branch_id = "01";
  branch.fields = {{"confirm", "http://a"}, {"cancel", "http://b"}};
  world_->start(world_->coordinator().register_branch(branch, traced(sampled_parent)));
  auto request = make_request("g", "tcc", 0);
  world_->start(world_->coordinator().abort(request, traced(unsampled_parent)));
  EXPECT_EQ(only(SpanKind::request).name, "registerBranch");
}

}  // namespace
}  // namespace concerto::test
