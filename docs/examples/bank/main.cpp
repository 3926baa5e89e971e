// Moves money between two banks: Ann's, which is on PostgreSQL, and Ben's, which is on SQLite.
//
//     bank <coordinator> <database of PostgreSQL> <file of SQLite>
//     bank http://localhost:36789/api/dtmsvr "host=localhost dbname=bank" ben.db
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <concerto/client/blocking.hpp>

#include "bank.hpp"
#include "http_service.hpp"

using concerto::Async;
using concerto::Barrier;
using concerto::Result;
namespace client = concerto::client;

namespace {

constexpr int at_first = 100;

struct Banks {
  std::unique_ptr<Bank> ann;
  std::unique_ptr<Bank> ben;
};

/// Both banks do their part, or none does: what Ann's bank has taken it gives back if Ben's bank
/// refuses.
Result<> transfer(client::blocking::Client& coordinator, const std::string& from,
                  const std::string& to, int amount) {
  auto gid = coordinator.wait(coordinator->new_gid());
  if (!gid) return gid.error();
  client::Saga saga = coordinator->saga(*gid);
  saga.options.wait_result = true;
  saga.add(from, from, std::to_string(-amount));
  saga.add(to, to, std::to_string(amount));
  return coordinator.wait(saga.submit());
}

/// The local work of a message, on this program's own connection to Ann's bank.
Async<> take(Bank& bank, std::string gid, int amount) {
  auto barrier = Barrier::from({.trans_type = "msg", .gid = gid, .branch_id = "00", .op = "msg"});
  if (!barrier) co_return barrier.error();
  co_return bank.add(*barrier, "Ann", -amount);
}

/// Takes from Ann here and now; Ben's bank gets its message if and only if that was committed.
Result<> send(client::blocking::Client& coordinator, Bank& bank, const std::string& ann,
              const std::string& to, int amount) {
  auto gid = coordinator.wait(coordinator->new_gid());
  if (!gid) return gid.error();
  client::Msg msg = coordinator->msg(*gid);
  msg.options.wait_result = true;
  msg.add(to, std::to_string(amount));
  return coordinator.wait(
      msg.do_and_submit(ann, [&bank, &gid, amount] { return take(bank, *gid, amount); }));
}

void require(bool holds, const char* what, const Banks& banks) {
  std::printf("%s: Ann has %d, Ben has %d\n", what, banks.ann->balance("Ann"),
              banks.ben->balance("Ben"));
  if (holds) return;
  std::fprintf(stderr, "this is not what was expected\n");
  std::exit(EXIT_FAILURE);
}

bool have(const Banks& banks, int of_ann, int of_ben) {
  return banks.ann->balance("Ann") == of_ann && banks.ben->balance("Ben") == of_ben;
}

void do_business(client::blocking::Client& coordinator, const Banks& banks, const std::string& ann,
                 const std::string& ben_bank) {
  const Result<> small = transfer(coordinator, ann, ben_bank + "/Ben", 30);
  require(small && have(banks, 70, 130), "30 are transferred", banks);

  const Result<> to_nobody = transfer(coordinator, ann, ben_bank + "/Carl", 30);
  require(
      !to_nobody && to_nobody.error().code == client::ClientErrc::failure && have(banks, 70, 130),
      "Carl has no account, so Ann has her money back", banks);

  const Result<> sent = send(coordinator, *banks.ann, ann, ben_bank + "/Ben", 20);
  require(sent && have(banks, 50, 150), "20 are sent", banks);

  const Result<> too_much = send(coordinator, *banks.ann, ann, ben_bank + "/Ben", 500);
  require(!too_much && have(banks, 50, 150), "500 are too much", banks);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: bank <coordinator> <database of PostgreSQL> <file of SQLite>\n");
    return EXIT_FAILURE;
  }
  try {
    const Banks banks{open_postgres_bank(arguments[2]), open_sqlite_bank(arguments[3])};
    banks.ann->open("Ann", at_first);
    banks.ben->open("Ben", at_first);
    const HttpService ann_service(open_postgres_bank(arguments[2]));
    const HttpService ben_service(open_sqlite_bank(arguments[3]));
    client::blocking::Client coordinator{arguments[1]};
    do_business(coordinator, banks, ann_service.url() + "/Ann", ben_service.url());
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
  }
}
