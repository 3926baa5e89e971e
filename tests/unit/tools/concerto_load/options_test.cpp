#include "options.hpp"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::load {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Arguments = std::vector<std::string>;

LoadOptions parse(const Arguments& arguments) {
  const LoadCommandLine line = parse_command_line(arguments);
  EXPECT_EQ(line.exit_code, std::nullopt) << line.for_stderr;
  return line.options;
}

TEST(LoadOptions, HaveTheCoordinatorsDefaults) {
  const LoadOptions options = parse({});
  EXPECT_EQ(options.grpc.text(), "127.0.0.1:36790");
  EXPECT_EQ(options.http.text(), "127.0.0.1:36789");
  EXPECT_EQ(options.mode, LoadMode::saga);
  EXPECT_EQ(options.wire, Wire::grpc);
  EXPECT_TRUE(options.wait);
  EXPECT_EQ(options.seconds, default_seconds);
  EXPECT_EQ(options.payload, std::string(100, 'p'));
  EXPECT_TRUE(options.branches.empty());
}

TEST(LoadOptions, AreRead) {
  const LoadOptions options =
      parse({"--mode", "msg-2p", "--wire=http", "--grpc", "[::1]:1", "--http", "db.example:65535",
             "--no-wait", "--rate", "0.5", "--branch-delay", "15", "--check", "all",
             "--max-failures", "3", "--error-share", "0.125"});
  EXPECT_EQ(options.mode, LoadMode::msg_2p);
  EXPECT_EQ(options.wire, Wire::http);
  EXPECT_EQ(options.grpc.host, "::1");
  EXPECT_EQ(options.grpc.text(), "[::1]:1");
  EXPECT_EQ(options.http.text(), "db.example:65535");
  EXPECT_FALSE(options.wait);
  EXPECT_EQ(options.rate, 0.5);
  EXPECT_EQ(options.branch_delay.count(), 15);
  EXPECT_EQ(options.check, QueriedAtEnd::all);
  EXPECT_EQ(options.failures_max, 3U);
  EXPECT_EQ(options.purposes.fail_share, 0);
  EXPECT_EQ(options.purposes.error_share, 0.125);
}

TEST(LoadOptions, SayHowACoordinatorIsReachedOverTls) {
  ::unsetenv("CONCERTO_TOKEN");
  const LoadOptions plain = parse({"--http", "[::1]:80"});
  EXPECT_EQ(plain.http_root(), "http://[::1]:80");
  EXPECT_EQ(plain.access.token, "");
  const std::string file = testing::TempDir() + "load_token";
  std::ofstream(file) << "s3cret\n";
  const LoadOptions named =
      parse({"--tls", "--http", "10.0.0.1:443", "--server-name", "dtm.b.org", "--ca", "ca.pem",
             "--cert", "own.pem", "--key", "own.key", "--token-file", file});
  EXPECT_EQ(named.http_root(), "https://dtm.b.org:443");
  EXPECT_TRUE(named.access.uses_tls);
  EXPECT_EQ(named.access.ca, "ca.pem");
  EXPECT_EQ(named.access.certificate, "own.pem");
  EXPECT_EQ(named.access.key, "own.key");
  EXPECT_EQ(named.access.token, "s3cret");
  ::setenv("CONCERTO_TOKEN", "of-environment", 1);
  EXPECT_EQ(parse({}).access.token, "of-environment");
  EXPECT_EQ(parse({"--token-file", file}).access.token, "s3cret");
  ::unsetenv("CONCERTO_TOKEN");
  for (const Arguments& wrong :
       {Arguments{"--ca", "ca.pem"}, Arguments{"--server-name", "x"},
        Arguments{"--tls", "--cert", "own.pem"}, Arguments{"--token-file", "/nowhere"},
        Arguments{"--token-file", "/dev/null"}, Arguments{"--branch-cert", "own.pem"},
        Arguments{"--branch-key", "own.key"}}) {
    const LoadCommandLine line = parse_command_line(wrong);
    EXPECT_EQ(line.exit_code, exit_usage) << wrong.back();
    EXPECT_THAT(line.for_stderr, HasSubstr("--")) << wrong.back();
  }
}

TEST(LoadOptions, TransactionsAloneHaveNoLimitInSeconds) {
  EXPECT_EQ(parse({"--transactions", "5"}).seconds, seconds_max);
  EXPECT_EQ(parse({"--transactions", "5", "--seconds", "2"}).seconds, 2);
}

TEST(LoadOptions, PairActionsWithCompensations) {
  const LoadOptions options = parse({"--action", "h:1/s/A", "--compensate", "h:1/s/C", "--action",
                                     "h:1/s/B", "--compensate", "h:1/s/D"});
  ASSERT_EQ(options.branches.size(), 2U);
  EXPECT_EQ(options.branches[0].forward, "h:1/s/A");
  EXPECT_EQ(options.branches[0].backward, "h:1/s/C");
  EXPECT_EQ(options.branches[1].forward, "h:1/s/B");
  EXPECT_EQ(options.branches[1].backward, "h:1/s/D");
}

TEST(LoadOptions, TakeAPayloadFromAFile) {
  const std::string path = testing::TempDir() + "concerto_load_payload";
  std::ofstream(path, std::ios::binary) << "{\"amount\":30}\n";
  EXPECT_EQ(parse({"--payload-file", path}).payload, "{\"amount\":30}\n");
}

struct WrongCase {
  const char* name;
  Arguments arguments;
  const char* begin;  ///< of what is said
};

void PrintTo(const WrongCase& row, std::ostream* out) {
  *out << row.name;
}

class LoadOptionsWrong : public testing::TestWithParam<WrongCase> {};

TEST_P(LoadOptionsWrong, NamesTheOption) {
  const LoadCommandLine line = parse_command_line(GetParam().arguments);
  EXPECT_EQ(line.exit_code, exit_usage);
  EXPECT_THAT(line.for_stderr, StartsWith(GetParam().begin));
}

const WrongCase wrong_cases[] = {
    {"Mode", {"--mode", "foo"}, "--mode: "},
    {"Wire", {"--wire", "json-rpc"}, "--wire: "},
    {"Check", {"--check", "some"}, "--check: "},
    {"GrpcWithoutPort", {"--grpc", "host"}, "--grpc: 'host'"},
    {"GrpcPortZero", {"--grpc", "host:0"}, "--grpc: 'host:0'"},
    {"HttpPortTooLarge", {"--http", "host:65536"}, "--http: 'host:65536'"},
    {"HttpUrl", {"--http", "http://host:1"}, "--http: 'http://host:1'"},
    {"HttpUser", {"--http", "u@host:1"}, "--http: 'u@host:1'"},
    {"InFlightZero", {"--in-flight", "0"}, "--in-flight: "},
    {"InFlightNegative", {"--in-flight", "-1"}, "--in-flight: "},
    {"InFlightText", {"--in-flight", "many"}, "--in-flight: "},
    {"RateZero", {"--rate", "0"}, "--rate: "},
    {"SecondsZero", {"--seconds", "0"}, "--seconds: "},
    {"SecondsMany", {"--seconds", "1e9"}, "--seconds: "},
    {"TransactionsZero", {"--transactions", "0"}, "--transactions: "},
    {"WarmUp", {"--warm-up", "-1"}, "--warm-up: "},
    {"Drain", {"--drain", "-1"}, "--drain: "},
    {"Listen", {"--listen", "localhost"}, "--listen: 'localhost'"},
    {"PrefixCharacter", {"--gid-prefix", "a\"b"}, "--gid-prefix: "},
    {"PrefixLength", {"--gid-prefix", std::string(65, 'a')}, "--gid-prefix: "},
    {"PayloadFile", {"--payload-file", "/nowhere/p"}, "--payload-file: '/nowhere/p'"},
    {"PayloadBytes", {"--payload-bytes", "0"}, "--payload-bytes: "},
    {"ServerProcess", {"--server-process", "0"}, "--server-process: "},
    {"WorkflowWaits", {"--mode", "workflow", "--no-wait"}, "--no-wait: "},
    {"WorkflowCalls", {"--mode", "workflow", "--action", "h:1/a"}, "--action: "},
    {"NoCompensation", {"--action", "h:1/a"}, "--compensate: "},
    {"NoAction", {"--compensate", "h:1/a"}, "--compensate: "},
    {"MessageGoesBack",
     {"--mode", "msg", "--action", "h:1/a", "--compensate", "h:1/a"},
     "--compensate: "},
    {"FailShare", {"--fail-share", "1.1"}, "--fail-share: "},
    {"ErrorShare", {"--error-share", "-0.1"}, "--error-share: "},
    {"MessageFails", {"--mode", "msg", "--fail-share", "0.1"}, "--fail-share: with --mode msg "},
    {"WorkflowErrs", {"--mode", "workflow", "--error-share", "0.1"}, "--error-share: with --mode "},
    {"OwnBranchesFail",
     {"--mode", "xa", "--action", "h:1/a", "--fail-share", "0.1"},
     "--fail-share: with --action"},
    {"GrpcUrlOverHttp", {"--mode", "xa", "--wire", "http", "--action", "h:1/a"}, "--action: "},
};
INSTANTIATE_TEST_SUITE_P(All, LoadOptionsWrong, testing::ValuesIn(wrong_cases),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(LoadOptions, RefuseWhatTheyDoNotKnow) {
  const LoadCommandLine line = parse_command_line({"--in-flihgt", "3"});
  EXPECT_EQ(line.exit_code, exit_usage);
  EXPECT_THAT(line.for_stderr, HasSubstr("--in-flihgt"));
}

TEST(LoadOptions, HelpAndVersionGoToStdout) {
  const LoadCommandLine help = parse_command_line({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.for_stdout, HasSubstr("--in-flight"));
  const LoadCommandLine version = parse_command_line({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.for_stdout, StartsWith("concerto-load "));
}

}  // namespace
}  // namespace concerto::load
