// A new scheme of targets takes one file and one row: this file has all of it. A phone book knows
// the addresses, and `phonebook:///name` or `phonebook:name` is the target.

#include <map>
#include <optional>
#include <utility>

#include <concerto/engine/coordinator.hpp>
#include <concerto/persist/memory_store.hpp>
#include <concerto/protocol/grpc_branch_caller.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/listener.hpp>

#include "discovery_fixture.hpp"

namespace concerto::net::test {
namespace {

using Phonebook = std::map<std::string, Address>;

/// The addresses that the phone book has when the channel is made.
class PhonebookAddresses final : public TargetAddresses {
 public:
  PhonebookAddresses(const Phonebook& book, const std::string& name) {
    if (const auto entry = book.find(name); entry != book.end()) {
      publish({entry->second});
    } else {
      publish_error(Error{make_unsent_error_code(GrpcCode::unavailable),
                          "the phone book has no '" + name + "'"});
    }
  }

  Task<void> close() override { co_return; }
};

Result<Target> read_name(std::string_view text, const TargetUrl& url) {
  const std::size_t begin = url.path.find_first_not_of('/');
  if (begin == std::string::npos) return bad_target(text, "no name");
  Target target;
  target.key = url.path.substr(begin);
  return target;
}

TargetScheme phonebook_scheme(const Phonebook& book) {
  TargetScheme scheme;
  scheme.name = "phonebook";
  scheme.stands_bare = true;
  scheme.parse = read_name;
  scheme.open = [&book](const Target& target, const TargetUses&) {
    return Result<std::unique_ptr<TargetAddresses>>(
        std::make_unique<PhonebookAddresses>(book, target.key));
  };
  return scheme;
}

Task<GrpcReply> reply_success() {
  co_return GrpcReply::success({});
}

class TargetSchemeTest : public DiscoveryTest {
 protected:
  TargetSchemeTest() {
    TargetChannelsOptions options;
    options.driver = Driver::gozero;
    options.schemes.add(phonebook_scheme(book_));
    targets_.emplace(shard_, std::move(options));
  }

  void TearDown() override { await(targets_->close()); }

  GrpcReply call(const std::string& url) {
    const GrpcUrl parts = targets_->split(url).value();
    GrpcChannel* const channel = targets_->channel(parts.target).value();
    return await(channel->unary(parts.method, "", {}, timers_.now() + std::chrono::seconds{3}));
  }

  Phonebook book_;
  std::optional<TargetChannels> targets_;
};

TEST_F(TargetSchemeTest, SendsCallsToItsAddresses) {
  GrpcServer server{io_.get_executor(), timers_};
  Listener listener{io_.get_executor(), timers_, {&server}};
  server.add_unary("/pkg.Svc/Who",
                   [](GrpcRequest) -> Task<GrpcReply> { co_return GrpcReply::success("stock"); });
  ASSERT_TRUE(listener.listen({asio::ip::address_v4::loopback(), 0}));
  book_["stock"] = listener.address();
  EXPECT_EQ(call("phonebook:///stock/pkg.Svc/Who").message, "stock");

  await(targets_->close());
  listener.close();
  await(server.drain(timers_.now()));
}

TEST_F(TargetSchemeTest, IsCalledByASaga) {
  std::vector<std::string> taken;
  GrpcServer server{io_.get_executor(), timers_};
  Listener listener{io_.get_executor(), timers_, {&server}};
  server.add_unary("/pkg.Svc/Take", [&taken](GrpcRequest request) {
    taken.push_back(request.message);
    return reply_success();
  });
  ASSERT_TRUE(listener.listen({asio::ip::address_v4::loopback(), 0}));
  book_["stock"] = listener.address();

  GrpcBranchCaller caller{*targets_};
  persist::MemoryStore store;
  Coordinator coordinator{
      {{io_.get_executor(), timers_, caller, random_, observer_}}, store, clock_, {}};
  TransRequest saga;
  saga.gid = Gid{"g"};
  saga.trans_type = "saga";
  saga.protocol = "grpc";
  saga.steps = {{"phonebook:///stock/pkg.Svc/Take", "phonebook:///stock/pkg.Svc/Give"}};
  saga.payloads = {"7 boxes"};
  saga.options.wait_result = true;
  const Result<> ended = await(coordinator.submit(std::move(saga)));
  EXPECT_TRUE(ended) << ended.error().detail;
  EXPECT_EQ(taken, std::vector<std::string>{"7 boxes"});

  await(coordinator.stop(timers_.now()));
  await(targets_->close());
  listener.close();
  await(server.drain(timers_.now()));
}

TEST_F(TargetSchemeTest, SaysWhyThereIsNoAddress) {
  const GrpcReply reply = call("phonebook:///stock/pkg.Svc/Who");
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_EQ(reply.status.message, "the phone book has no 'stock'");
  EXPECT_FALSE(reply.sent);
}

TEST_F(TargetSchemeTest, IsReadAtSubmit) {
  const GrpcBranchCaller caller{*targets_};
  EXPECT_TRUE(caller.way_of(Protocol::grpc, "phonebook:///stock/pkg.Svc/Who"));
  const auto refused = caller.way_of(Protocol::grpc, "phonebook:////pkg.Svc/Who");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_request);
  EXPECT_EQ(refused.error().detail, "bad target 'phonebook:///': no name");
}

TEST_F(TargetSchemeTest, MayStandWithoutSlashes) {
  const auto target = targets_->parse("PhoneBook:stock");
  ASSERT_TRUE(target) << target.error().detail;
  EXPECT_EQ(target->url.scheme, "phonebook");
  EXPECT_EQ(target->key, "stock");
}

TEST(TargetSchemes, MayDefineASchemeThatIsNotInThisVersion) {
  const Phonebook book;
  TargetScheme scheme = phonebook_scheme(book);
  scheme.name = "consul";
  TargetSchemes schemes = TargetSchemes::standard();
  EXPECT_EQ(schemes.parse("consul:///stock").error().code, Errc::not_supported);
  schemes.add(std::move(scheme));
  EXPECT_EQ(schemes.parse("consul:///stock")->key, "stock");
}

TEST(TargetSchemes, KnowNoSchemeWithoutARow) {
  const auto target = TargetSchemes::standard().parse("phonebook:///stock");
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().detail, "unknown scheme: phonebook");
}

}  // namespace
}  // namespace concerto::net::test
