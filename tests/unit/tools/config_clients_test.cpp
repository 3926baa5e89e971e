// The keys about who reaches the ports: Proxies, Limits and Admin.

#include <string>

#include <gmock/gmock.h>

#include "access_files.hpp"
#include "client_setup.hpp"

namespace concerto::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LoadedConfig load_keys(const std::string& yaml) {
  return load_config(yaml, [](const std::string&) { return std::nullopt; });
}

TEST(ConfigOfClients, NeedsAPortOfItsOwnForOperators) {
  EXPECT_THAT(load_keys("Admin: {Port: 36790}").findings.errors,
              ElementsAre(HasSubstr("GrpcPort and Admin.Port are both 36790")));
}

TEST(ConfigOfClients, WarnsOfWhatIsProbablyNotMeant) {
  const auto loaded = load_keys("Proxies: {Trusted: '10.0.0.1, 0.0.0.0/0'}\nLimits: {Burst: 5}");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  EXPECT_THAT(loaded.findings.warnings,
              ElementsAre(HasSubstr("every client may claim to have any address"),
                          HasSubstr("Limits.RequestsPerSecond is not")));
}

TEST(ConfigOfClients, IsUnderstood) {
  const auto loaded = load_keys(
      "Proxies: {Trusted: '10.0.0.1, fd00::/8', ProxyProtocol: 'grpc, admin'}\n"
      "Limits: {RequestsPerSecond: 10, Burst: 20, BytesPerSecond: 1 MiB, Exempt: 127.0.0.1}\n"
      "Admin: {Port: 36792}\nListenAddress: 10.0.0.9\n");
  EXPECT_THAT(loaded.findings.errors, IsEmpty());
  const Proxies proxies = read_proxies(loaded.config.proxies).value();
  EXPECT_TRUE(proxies.trusted.contains(boost::asio::ip::make_address("fd00::7")));
  EXPECT_FALSE(proxies.greet_http);
  EXPECT_TRUE(proxies.greet_grpc && proxies.greet_admin);
  const net::RequestLimits limits = read_limits(loaded.config.client_limits).value();
  EXPECT_EQ(limits.requests_per_second, 10U);
  EXPECT_EQ(limits.burst, 20U);
  EXPECT_EQ(limits.bytes_per_second, std::size_t{1} << 20);
  EXPECT_TRUE(limits.exempt.contains(boost::asio::ip::make_address("127.0.0.1")));
  EXPECT_EQ(admin_address(loaded.config), "10.0.0.9");
  EXPECT_FALSE(read_limits(Config{}.client_limits)->is_on());
}

TEST(ConfigOfClients, LimitsMayChangeInARunningProcess) {
  Config running = load_keys("Admin: {Port: 1}").config;
  const Config fresh =
      load_keys("Limits: {RequestsPerSecond: 9, Connections: 8}\nAdmin: {Port: 2}").config;
  EXPECT_THAT(take_over(fresh, running), ElementsAre("Admin.Port"));
  EXPECT_EQ(running.client_limits.requests_per_second, 9U);
  EXPECT_EQ(running.client_limits.connections, 8U);
}

TEST(ConfigOfClients, WarnsOfEachPortThatIsOpen) {
  const auto warnings = [](const std::string& yaml) { return open_doors(load_keys(yaml).config); };
  EXPECT_THAT(warnings("ListenAddress: localhost"), IsEmpty());
  EXPECT_THAT(warnings("ListenAddress: localhost\nAdmin: {Port: 1}"), IsEmpty());
  EXPECT_THAT(warnings(""), ElementsAre(HasSubstr("everybody who reaches the ports may submit")));
  const std::string admin = "ListenAddress: 127.0.0.1\nAdmin: {Port: 36792, ListenAddress: '*'}\n";
  EXPECT_THAT(warnings(admin),
              ElementsAre(HasSubstr("everybody who reaches Admin.Port, 36792, may do everything")));
  EXPECT_THAT(warnings(admin + "Auth: {CallersFile: /etc/passwd}"),
              ElementsAre(HasSubstr("tokens come in plain text")));
  EXPECT_EQ(warnings("Admin: {Port: 36792}").size(), 2U);
  EXPECT_THAT(warnings("Admin: {Port: 36792, ListenAddress: '::1'}"),
              ElementsAre(HasSubstr("everybody who reaches the ports")));
}

}  // namespace
}  // namespace concerto::tools
