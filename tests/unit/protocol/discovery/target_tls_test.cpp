// Which targets are called over TLS, and which name their certificates must have.

#include <gmock/gmock.h>

#include <concerto/protocol/target_channels.hpp>
#include <concerto/transport/http_tls.hpp>

#include "etcd_fixture.hpp"
#include "named_service.hpp"
#include "test_certificates.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;
using TlsContext = std::shared_ptr<asio::ssl::context>;

class TargetTls : public EtcdTest {
 protected:
  void SetUp() override {
    EtcdTest::SetUp();
    for (const char* name : {"b.org", "pay.c.org", "plain.org"}) resolver_.set(name, {"127.0.0.1"});
    TargetChannelsOptions options;
    options.driver = Driver::gozero;
    options.channel.tls = client_of(authority_);
    options.tls_targets = {"b.org", ".c.org", "secure.rpc"};
    targets_.emplace(shard_, std::move(options));
  }

  void TearDown() override {
    await(targets_->close());
    await(secure_.close());
    await(plain_.close());
    EtcdTest::TearDown();
  }

  static TlsContext client_of(const Certificate& authority) {
    const PemFile ca{authority.pem()};
    return make_tls_client_context({ca.path(), {}, {}}).value();
  }

  GrpcServerOptions secure_options() const {
    const PemFile certificate{server_.pem()};
    const PemFile key{server_.key_pem()};
    TlsServerFiles files;
    files.certificate = certificate.path();
    files.key = key.path();
    GrpcServerOptions options;
    options.tls = make_tls_server_context(files).value();
    return options;
  }

  GrpcReply ask(const std::string& target) {
    GrpcChannel* const channel = targets_->channel(target).value();
    return await(channel->unary("/pkg.Svc/Who", "", {}, timers_.now() + std::chrono::seconds{3}));
  }

  const Certificate authority_ = make_authority("test authority");
  const Certificate server_ = make_server_certificate(authority_, "DNS:b.org,IP:127.0.0.1");
  NamedService secure_{io_.get_executor(), timers_, secure_options()};
  NamedService plain_{io_.get_executor(), timers_};
  std::optional<TargetChannels> targets_;
};

TEST_F(TargetTls, IsUsedForTheHostsOfTheList) {
  for (const std::string target : {"b.org:", "dns:///b.org:", "direct:///b.org:"}) {
    const GrpcReply reply = ask(target + secure_.port());
    EXPECT_EQ(reply.message, secure_.address()) << target << reply.status.message;
  }
  EXPECT_EQ(ask("plain.org:" + plain_.port()).message, plain_.address());
}

TEST_F(TargetTls, ChecksTheNameOfTheHost) {
  const GrpcReply reply = ask("pay.c.org:" + secure_.port());
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message, HasSubstr("mismatch"));
}

TEST_F(TargetTls, ChecksTheAddressOfARegisteredService) {
  etcd_.put("secure.rpc/1", secure_.address());
  const GrpcReply reply = ask("etcd://" + etcd_.hosts() + "/secure.rpc");
  EXPECT_EQ(reply.message, secure_.address()) << reply.status.message;
  etcd_.put("plain.rpc/1", plain_.address());
  EXPECT_EQ(ask("etcd://" + etcd_.hosts() + "/plain.rpc").message, plain_.address());
}

TEST_F(TargetTls, IsReplacedForNewConnectionsAlone) {
  const std::string target = "b.org:" + secure_.port();
  EXPECT_EQ(ask(target).message, secure_.address());
  targets_->set_tls(client_of(make_authority("another authority")), nullptr);
  EXPECT_EQ(ask(target).message, secure_.address()) << "its connection is open";
  EXPECT_THAT(ask("dns:///" + target).status.message, HasSubstr("certificate verify failed"));
  EXPECT_EQ(ask("plain.org:" + plain_.port()).message, plain_.address());
  await(secure_.close());
  EXPECT_EQ(ask(target).status.code, GrpcCode::unavailable);
}

}  // namespace
}  // namespace concerto::net::test
