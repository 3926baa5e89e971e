// Backups that operators ask a running coordinator for.

#include "backup_pages.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include "backup_world.hpp"

namespace concerto::tools {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

class BackupPagesTest : public testing::Test, protected test::BackupWorld {
 protected:
  BackupPagesTest() : store_(open()) { write(*store_, 1, 10); }

  void start(const std::string& driver = "leveldb") { start(driver, backups()); }
  void start(const std::string& driver, const std::string& directory) {
    pages_.emplace(*store_, driver, directory, clock,
                   [this](LogLevel /*level*/, const std::string& text) { note(text); });
    router_.emplace(gate_, clock);
    pages_->register_on(*router_);
  }

  net::HttpResponse ask(const std::string& method, const std::string& body = {}) {
    net::HttpRequest request;
    request.method = method;
    request.path = "/api/concerto/backup";
    request.body = body;
    return test::await_result(io, router_->route(std::move(request)));
  }
  json::object shown() { return json::parse(ask("GET").body).as_object(); }
  /// The state in the end.
  json::object ended() {
    while (shown().at("state") == "running") std::this_thread::yield();
    return shown();
  }
  std::string refusal(const std::string& body, unsigned status) {
    const net::HttpResponse answer = ask("POST", body);
    EXPECT_EQ(answer.status, status) << answer.body;
    return std::string(json::parse(answer.body).at("message").as_string());
  }

  /// The thread of a backup stands still at its first line while `is_held_`.
  void note(const std::string& text) {
    std::unique_lock lock(mutex_);
    lines_ += text + "\n";
    changed_.wait(lock, [this] { return !is_held_; });
  }
  void hold(bool is_held) {
    const std::lock_guard lock(mutex_);
    is_held_ = is_held;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_held_ = false;
  std::string lines_;
  const net::Gate gate_;
  std::unique_ptr<persist::LevelDbStore> store_;
  std::optional<BackupPages> pages_;
  std::optional<net::GatedRouter> router_;
};

TEST_F(BackupPagesTest, MakeAFullBackupAndThenWhatCameAfterIt) {
  start();
  EXPECT_EQ(shown().at("state"), "idle");
  EXPECT_FALSE(pages_->newest());
  EXPECT_EQ(ask("POST", R"({"name":"one"})").status, 202U);
  EXPECT_EQ(ended().at("state"), "done");
  EXPECT_EQ(shown().at("base"), "");
  write(*store_, 11, 20);
  EXPECT_EQ(ask("POST", R"({"name":"two","reason":"ticket 1"})").status, 202U);
  const json::object after = ended();
  EXPECT_EQ(after.at("base"), "one");
  EXPECT_EQ(after.at("groupsDone"), after.at("groupsTotal"));
  ASSERT_EQ(after.at("backups").as_array().size(), 2U);
  EXPECT_TRUE(pages_->newest());
  EXPECT_EQ(ask("POST", R"({"name":"three","full":true})").status, 202U);
  EXPECT_EQ(ended().at("base"), "");
  EXPECT_TRUE(persist::verify_backup(backup("two")));
}

/// Keeps the records in memory.
class KeptAudit final : public net::ActionAudit {
 public:
  std::string next_id() override { return "id-" + std::to_string(++last_); }
  Async<> write(net::AuditRecord record) override {
    told.push_back(told_of(record));
    co_return ok();
  }
  Async<net::AuditPage> read(net::AuditQuery /*query*/) override { co_return net::AuditPage{}; }
  static std::string told_of(const net::AuditRecord& record) {
    const bool has_ended = record.event != net::AuditRecord::Event::begun;
    return record.id +
           (record.event == net::AuditRecord::Event::failed ? " failed "
            : has_ended                                     ? " done "
                                                            : " begun ") +
           record.action + " " + record.details + " " + record.reason + ": " + record.result;
  }

  std::vector<std::string> told;

 private:
  int last_ = 0;
};

TEST_F(BackupPagesTest, WriteTheirEndToTheAuditLog) {
  start();
  KeptAudit audit;
  net::GateOptions options;
  options.audit = &audit;
  const net::Gate gate{options};
  router_.emplace(gate, clock);
  pages_->register_on(*router_);
  pages_->set_write_end(
      [&audit](const net::AuditRecord& end) { audit.told.push_back(KeptAudit::told_of(end)); });
  // The end is told on the thread of the backup.
  const auto make = [this](const std::string& body) {
    hold(true);
    EXPECT_EQ(ask("POST", body).status, 202U);
    hold(false);
    return std::string(ended().at("state").as_string());
  };
  EXPECT_EQ(make(R"({"name":"one","reason":"ticket 1"})"), "done");
  EXPECT_EQ(make(R"({"name":"two","base":"nothing","verify":true})"), "failed");
  EXPECT_THAT(audit.told, testing::ElementsAre(
                              "id-1 begun backup name one ticket 1: ",
                              testing::StartsWith("id-1 begun backup name one ticket 1: 202"),
                              testing::StartsWith("id-1 done backup name one ticket 1: comp"),
                              "id-2 begun backup name two, base nothing, verify : ",
                              testing::StartsWith("id-2 begun backup name two, base nothing"),
                              testing::AllOf(testing::StartsWith("id-2 failed backup name two"),
                                             testing::HasSubstr(", verify : "))));
}

TEST_F(BackupPagesTest, MakeOneAtATime) {
  start();
  hold(true);
  EXPECT_EQ(ask("POST", R"({"name":"one"})").status, 202U);
  EXPECT_EQ(shown().at("state"), "running");
  EXPECT_THAT(refusal(R"({"name":"two"})", 409), HasSubstr("'one' is being made"));
  hold(false);
  EXPECT_EQ(ended().at("state"), "done");
  EXPECT_EQ(ask("POST", R"({"name":"two"})").status, 202U);
  EXPECT_EQ(ended().at("state"), "done");
}

TEST_F(BackupPagesTest, CopyAllIfTheNewestBackupIsOfAnotherStore) {
  const auto other = open_at(dir.path() + "/other");
  ASSERT_TRUE(other->backup(request("others")));
  start();
  EXPECT_EQ(shown().at("backups").as_array().size(), 1U);
  EXPECT_EQ(ask("POST", R"({"name":"named","base":"others"})").status, 202U);
  EXPECT_EQ(ended().at("state"), "failed");
  EXPECT_THAT(std::string(shown().at("error").as_string()), HasSubstr("another store"));
  EXPECT_EQ(ask("POST", R"({"name":"own"})").status, 202U);
  EXPECT_EQ(ended().at("state"), "done");
  EXPECT_EQ(shown().at("base"), "");
  EXPECT_THAT(lines_, HasSubstr("'own' copies all"));
}

TEST_F(BackupPagesTest, CopyAllIfTheBaseThatIsReadIsDamaged) {
  start();
  EXPECT_EQ(ask("POST", R"({"name":"one"})").status, 202U);
  EXPECT_EQ(ended().at("state"), "done");
  const std::string file = test::files_below(backup("one"), ".groups").at(0);
  std::string content = test::file_content(file);
  content[content.size() / 2] ^= 1;
  test::set_file_content(file, content);
  EXPECT_EQ(ask("POST", R"({"name":"named","base":"one","verify":true})").status, 202U);
  EXPECT_EQ(ended().at("state"), "failed");
  EXPECT_EQ(ask("POST", R"({"name":"two","verify":true})").status, 202U);
  const json::object after = ended();
  EXPECT_EQ(after.at("state"), "done");
  EXPECT_EQ(after.at("base"), "");
  EXPECT_THAT(std::string(after.at("note").as_string()), HasSubstr(file));
  EXPECT_THAT(lines_, HasSubstr("'two' copies all"));
  EXPECT_TRUE(persist::verify_backup(backup("two")));
  EXPECT_EQ(ask("POST", R"({"name":"three","verify":true})").status, 202U);
  EXPECT_EQ(ended().at("base"), "two");
  EXPECT_FALSE(shown().contains("note"));
}

TEST_F(BackupPagesTest, AreNamedByTheTime) {
  start();
  EXPECT_EQ(ask("POST").status, 202U);
  const json::object after = ended();
  EXPECT_EQ(after.at("state"), "done");
  EXPECT_EQ(std::string(after.at("name").as_string()).size(), 16U);
}

TEST_F(BackupPagesTest, RefuseNamesThatLeadElsewhere) {
  start();
  for (const char* name : {"../x", "..", "/x", "a/b", "", ".x", "x.partial", "x y"}) {
    const std::string body = std::string(R"({"name":")") + name + "\"}";
    EXPECT_THAT(refusal(body, 400), HasSubstr("name: expected a name")) << name;
    const std::string base = std::string(R"({"base":")") + name + "\"}";
    EXPECT_THAT(refusal(base, 400), HasSubstr("base: expected a name")) << name;
  }
  for (const char* body :
       {"[]", "{", R"({"nam":"x"})", R"({"name":1})", R"({"full":"x"})",
        R"({"full":true,"base":"x"})", R"({"full":true,"verify":true})", R"({"verify":1})"}) {
    refusal(body, 400);
  }
  EXPECT_FALSE(std::filesystem::exists(backups()));
}

TEST_F(BackupPagesTest, RefuseWhatIsNotForThem) {
  start("leveldb", "");
  EXPECT_THAT(refusal("", 501), HasSubstr("Backup.Directory"));
  start("postgres");
  EXPECT_THAT(refusal("", 501), HasSubstr("pg_dump"));
  EXPECT_EQ(shown().at("state"), "idle");
  EXPECT_THAT(std::string(shown().at("refusal").as_string()), HasSubstr("pg_dump"));
  start();
  EXPECT_FALSE(shown().contains("refusal"));
}

TEST_F(BackupPagesTest, EndABackupThatRuns) {
  write(*store_, 11, 2'000);  // more than a piece
  start();
  hold(true);
  EXPECT_EQ(ask("POST").status, 202U);
  std::thread release([this] { hold(false); });
  pages_.reset();
  release.join();
  EXPECT_THAT(lines_, testing::AnyOf(HasSubstr("was ended"), HasSubstr("is complete")));
  const auto made = persist::list_backups(backups());
  ASSERT_TRUE(made);
  const auto entries = std::filesystem::directory_iterator(backups());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), made->size());  // nothing partial
}

}  // namespace
}  // namespace concerto::tools
