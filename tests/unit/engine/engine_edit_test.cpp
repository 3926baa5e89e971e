// An operator changes the URL or the payload of a branch.

#include "engine_fixture.hpp"
#include "loader.hpp"

namespace concerto::test {
namespace {

class EngineEdit : public EngineFixture {
 protected:
  static BranchEdit edit_of(const std::string& gid, BranchRow row) {
    BranchEdit edit;
    edit.gid = Gid(gid);
    edit.row = std::move(row);
    return edit;
  }
  static BranchEdit new_url(const std::string& gid, BranchRow row, const std::string& url) {
    BranchEdit edit = edit_of(gid, std::move(row));
    edit.url = url;
    return edit;
  }
  static BranchEdit new_payload(const std::string& gid, BranchRow row, const std::string& payload) {
    BranchEdit edit = edit_of(gid, std::move(row));
    edit.payload = payload;
    return edit;
  }
  Pending<Result<BranchEdited>> start(BranchEdit edit) {
    return world_->start(world_->coordinator().edit_branch(std::move(edit)));
  }
  Pending<Result<BranchEdited>> preview(BranchEdit edit) {
    return world_->start(world_->coordinator().preview_edit(std::move(edit)));
  }
  /// A saga whose branch has no answer but errors.
  void stick(const std::string& gid, const std::string& call, int steps = 2) {
    branches_->reply(call, Outcome::error);
    submit(make_request(gid, "saga", steps));
  }
  std::string url_of(const std::string& gid, std::size_t row) {
    return query(gid).branches.at(row).url;
  }
  std::string payload_of(const std::string& gid, std::size_t row) {
    const Transaction trans = query(gid);
    return trans.payloads.at(trans.branches.at(row).payload);
  }
};

constexpr std::size_t compensate_01 = 0, action_01 = 1;

TEST_F(EngineEdit, TheNextCallGoesToTheNewUrlAtOnceWithTheNewPayload) {
  stick("g", "action 01");
  const std::string before = url_of("g", action_01);
  const std::string payload = payload_of("g", action_01);
  BranchEdit edit = new_url("g", {"01", ""}, "http://other/a");
  edit.payload = "new";
  const auto done = start(std::move(edit));
  ASSERT_EQ(error_of(done), "");
  EXPECT_EQ((*done)->value().row, (BranchRow{"01", "action"}));
  EXPECT_EQ((*done)->value().url_before, before);
  EXPECT_EQ((*done)->value().url, "http://other/a");
  EXPECT_EQ((*done)->value().payload_bytes_before, payload.size());
  EXPECT_EQ((*done)->value().payload_bytes, 3U);
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_EQ(branches_->last_sent["action 01"].url, "http://other/a");
  EXPECT_EQ(branches_->last_sent["action 01"].payload, "new");
}

TEST_F(EngineEdit, OtherRowsKeepWhatTheyHave) {
  stick("g", "action 01");
  branches_->hold("action 01");
  const std::string payload = payload_of("g", compensate_01);
  const std::string url = url_of("g", compensate_01);
  EXPECT_EQ(error_of(start(new_payload("g", {"01", "action"}, "new"))), "");
  EXPECT_EQ(payload_of("g", compensate_01), payload);
  EXPECT_EQ(payload_of("g", action_01), "new");
  EXPECT_EQ(url_of("g", compensate_01), url);
}

TEST_F(EngineEdit, AnEditSurvivesACrash) {
  stick("g", "action 01");
  branches_->hold("action 01");
  BranchEdit edit = new_url("g", {"01", "action"}, "http://other/a");
  edit.payload = "new";
  EXPECT_EQ(error_of(start(std::move(edit))), "");
  restart_after_crash();
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_EQ(branches_->last_sent["action 01"].url, "http://other/a");
  EXPECT_EQ(branches_->last_sent["action 01"].payload, "new");
}

TEST_F(EngineEdit, ARowThatIsNotCalledYetIsChangedToo) {
  stick("g", "action 01");
  EXPECT_EQ(error_of(start(new_payload("g", {"01", "compensate"}, "undo"))), "");
  EXPECT_EQ(payload_of("g", compensate_01), "undo");
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineEdit, APayloadThatNobodyHasAnyMoreTakesNoRoom) {
  stick("g", "action 01", 1);
  branches_->hold("action 01");
  start(new_payload("g", {"01", "compensate"}, "undo"));
  branches_->answer("action 01", Outcome::error);
  world_->run();
  branches_->hold("action 01");
  start(new_payload("g", {"01", "action"}, "do"));
  EXPECT_THAT(query("g").payloads, ElementsAre("", "undo", "do"));
}

TEST_F(EngineEdit, APreviewTellsTheSameAndChangesNothing) {
  stick("g", "action 01");
  const Transaction before = query("g");
  const auto told = preview(new_url("g", {"01", ""}, "http://other/a?token=secret"));
  ASSERT_EQ(error_of(told), "");
  EXPECT_EQ((*told)->value().row.op, "action");
  EXPECT_THAT((*told)->value().url, testing::Not(HasSubstr("secret")));
  EXPECT_EQ((*told)->value().trans.gid, before.gid);
  EXPECT_EQ(query("g"), before);
  EXPECT_THAT(error_of(preview(new_url("g", {"03", "action"}, "http://x/"))), HasSubstr("no row"));
  EXPECT_THAT(error_of(preview(new_url("nobody", {}, "http://x/"))), HasSubstr("nobody"));
  EXPECT_EQ(query("g"), before);
}

TEST_F(EngineEdit, SomethingElseIsRefusedAndChangesNothing) {
  stick("g", "action 02");
  const Transaction before = query("g");
  EXPECT_THAT(error_of(start(edit_of("g", {"02", "action"}))), HasSubstr("url and payload"));
  EXPECT_THAT(error_of(start(new_url("g", {"02", "action"}, ""))), HasSubstr("url: expected"));
  EXPECT_THAT(error_of(start(new_url("g", {"02", "action"}, std::string(9'000, 'x')))),
              HasSubstr("url has 9000 bytes"));
  EXPECT_THAT(error_of(start(new_url("g", {"03", "action"}, "http://x/"))), HasSubstr("no row"));
  EXPECT_THAT(error_of(start(new_url("g", {"01", ""}, "http://x/"))),
              HasSubstr("no row that is called now"));
  EXPECT_THAT(error_of(start(new_url("g", {"01", "action"}, "http://x/"))),
              HasSubstr("'succeed', it cannot be changed"));
  EXPECT_THAT(error_of(start(new_url("nobody", {}, "http://x/"))), HasSubstr("nobody"));
  EXPECT_THAT(error_of(start(
                  new_payload("g", {"02", "action"}, std::string(registered_bytes_max + 1, 'x')))),
              HasSubstr("payload: "));
  EXPECT_EQ(query("g"), before);
}

TEST_F(EngineEdit, AUrlToWhichNoCallCanBeSentIsRefused) {
  stick("g", "action 01");
  const auto refused = start(new_url("g", {"01", "action"}, "http://unsendable/"));
  EXPECT_THAT(error_of(refused), HasSubstr("url: "));
  EXPECT_EQ(code_of(refused), Errc::invalid_request);
}

TEST_F(EngineEdit, OnlyASubmittedOrAbortingOneIsChanged) {
  prepare(make_request("m", "msg", 1));
  EXPECT_THAT(error_of(start(new_url("m", {"01", "action"}, "http://x/"))), HasSubstr("prepared"));
  submit(make_request("g", "saga", 1));
  const auto refused = start(new_url("g", {"01", "action"}, "http://x/"));
  EXPECT_EQ(code_of(refused), EngineErrc::status_conflict);
  EXPECT_THAT(error_of(refused), HasSubstr("has ended with status 'succeed'"));
  branches_->reply("action 01", Outcome::failure);
  branches_->reply("compensate 01", Outcome::error);
  submit(make_request("a", "saga", 1));
  EXPECT_EQ(error_of(start(new_url("a", {"01", ""}, "http://undo/"))), "");
  EXPECT_EQ(status("a"), TransStatus::failed);
  EXPECT_EQ(branches_->last_sent["compensate 01"].url, "http://undo/");
}

TEST_F(EngineEdit, AnEditWaitsForTheEndOfAPass) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 1));
  const auto done = start(new_url("g", {"01", "action"}, "http://other/a"));
  EXPECT_EQ(error_of(done), "(not ended)");
  branches_->answer("action 01", Outcome::error);
  world_->run();
  EXPECT_EQ(error_of(done), "");
  EXPECT_EQ(branches_->last_sent["action 01"].url, "http://other/a");
}

TEST_F(EngineEdit, ACallThatTakesLongIsLeftAlone) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 1));
  const std::string before = url_of("g", action_01);
  const auto done = start(new_url("g", {"01", "action"}, "http://other/a"));
  world_->advance(seconds(3));
  EXPECT_EQ(code_of(done), EngineErrc::status_conflict);
  EXPECT_THAT(error_of(done), HasSubstr("is being processed"));
  EXPECT_EQ(url_of("g", action_01), before);
}

TEST_F(EngineEdit, TheLogTellsWhatWasChangedAndNoPayload) {
  stick("g", "action 01");
  BranchEdit edit = new_url("g", {"01", "action"}, "http://other/a");
  edit.payload = "secret";
  start(std::move(edit));
  EXPECT_THAT(world_->observer().warnings,
              testing::Contains(
                  testing::AllOf(HasSubstr("g: change branch 01 action, its URL from "),
                                 HasSubstr("http://other/a"), testing::Not(HasSubstr("secret")))));
}

TEST_F(EngineEdit, WhyTellsTheNewUrlAndTheAttemptsAtBoth) {
  stick("g", "action 02");
  branches_->reply("action 02", Outcome::error);
  EXPECT_EQ(error_of(start(new_url("g", {"02", "action"}, "http://other/a"))), "");
  const auto why = world_->start(world_->coordinator().inspect(Gid("g")))->value().value().value();
  EXPECT_THAT(why.urls, ElementsAre("http://other/a"));
  ASSERT_EQ(why.attempts.size(), 2U);
  EXPECT_EQ(why.attempts[0].url, "a2");
  EXPECT_EQ(why.attempts[1].url, "http://other/a");
}

/// After another coordinator has had the transaction.
TEST(HasAllOf, AnotherUrlOrPayloadOfARowThatIsToBeCalledIsNews) {
  Transaction known;
  known.status = TransStatus::submitted;
  known.payloads = {"a", "b"};
  for (const char* op : {"compensate", "action"}) {
    Branch& row = known.branches.emplace_back();
    row.op = op;
    row.url = "http://old/";
  }
  EXPECT_TRUE(has_all_of(known, known));
  Transaction stored = known;
  stored.branches[1].url = "http://new/";
  EXPECT_FALSE(has_all_of(known, stored));
  stored = known;
  stored.branches[1].payload = 1;
  EXPECT_FALSE(has_all_of(known, stored));
  stored.payloads[1] = "a";
  EXPECT_TRUE(has_all_of(known, stored)) << "the numbers of payloads do not matter";
  stored.branches[1].url = "http://new/";
  known.branches[1].status = BranchStatus::succeed;
  EXPECT_TRUE(has_all_of(known, stored)) << "it is not called any more";
}

}  // namespace
}  // namespace concerto::test
