// A bank that serves branches over gRPC, with gRPC's own library for C++, and moves money between
// its accounts through a coordinator.
//
//     grpc-branch <coordinator> <file of SQLite>
//     grpc-branch localhost:36790 bank.db
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <concerto/barrier/branch_answer.hpp>
#include <concerto/client/blocking.hpp>

#include "accounts.hpp"
#include "bank.grpc.pb.h"

using concerto::Barrier;
using concerto::Result;
namespace client = concerto::client;

namespace {

/// gRPC calls it in many threads, so each call has a connection of its own.
class BankService final : public bank::Bank::Service {
 public:
  explicit BankService(std::string file) : file_(std::move(file)) {}

  grpc::Status Add(grpc::ServerContext* context, const bank::Order* order,
                   google::protobuf::Empty*) override {
    return concerto::branch_answer<grpc::Status>(handle(*context, *order));
  }

 private:
  Result<> handle(const grpc::ServerContext& context, const bank::Order& order) const {
    auto barrier = Barrier::from_request(context);
    if (!barrier) return barrier.error();
    const bool undoes = barrier->op() == "compensate";
    return Accounts(file_).add(*barrier, order.account(),
                               undoes ? -order.amount() : order.amount());
  }

  const std::string file_;
};

std::string order(const std::string& account, std::int64_t amount) {
  bank::Order order;
  order.set_account(account);
  order.set_amount(amount);
  return order.SerializeAsString();
}

/// Money is taken from one account and put into another, or neither. `add` is the method's URL.
Result<> transfer(client::blocking::Client& coordinator, const std::string& add,
                  const std::string& from, const std::string& to, std::int64_t amount) {
  const auto gid = coordinator.wait(coordinator->new_gid());
  if (!gid) return gid.error();
  client::Saga saga = coordinator->saga(*gid);
  saga.options.wait_result = true;
  saga.add(add, add, order(from, -amount));
  saga.add(add, add, order(to, amount));
  return coordinator.wait(saga.submit());
}

bool do_business(client::blocking::Client& coordinator, const std::string& add,
                 Accounts& accounts) {
  const Result<> done = transfer(coordinator, add, "Ann", "Ben", 30);
  std::printf("30 from Ann to Ben: %s\n", done ? "done" : done.error().detail.c_str());
  const Result<> refused = transfer(coordinator, add, "Ann", "Carl", 30);
  std::printf("30 from Ann to Carl: %s\n", refused ? "done" : refused.error().detail.c_str());
  const std::int64_t of_ann = accounts.balance("Ann");
  const std::int64_t of_ben = accounts.balance("Ben");
  std::printf("Ann has %lld, Ben has %lld\n", static_cast<long long>(of_ann),
              static_cast<long long>(of_ben));
  return done && !refused && refused.error().code == client::ClientErrc::failure && of_ann == 70 &&
         of_ben == 130;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: grpc-branch <coordinator> <file of SQLite>\n");
    return EXIT_FAILURE;
  }
  try {
    Accounts accounts(arguments[2]);
    accounts.open("Ann", 100);
    accounts.open("Ben", 100);
    BankService service(arguments[2]);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    const auto server = builder.BuildAndStart();
    client::blocking::Client coordinator{arguments[1]};
    const std::string add = "127.0.0.1:" + std::to_string(port) + "/bank.Bank/Add";
    return do_business(coordinator, add, accounts) ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
  }
}
