#include "tls_setup.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>

#include <openssl/ssl.h>

#include <concerto/protocol/registration_plan.hpp>
#include <concerto/protocol/site_guard.hpp>
#include <concerto/protocol/target_url.hpp>
#include <concerto/transport/http_tls.hpp>

namespace concerto::tools {
namespace {

Error in_section(std::string_view section, const Error& error) {
  return Error{error.code, std::string(section) + ": " + error.detail};
}

Result<TlsContext> of_ports(const PortTlsConfig& config) {
  if (config.cert_file.empty()) return TlsContext{};
  net::TlsServerFiles files;
  files.certificate = config.cert_file;
  files.key = config.key_file;
  files.client_ca = config.client_ca_file;
  files.client_certificates = config.client_auth == "optional" ? net::ClientCertificates::optional
                                                               : net::ClientCertificates::required;
  files.client_crl = config.client_crl_file;
  auto made = net::make_tls_server_context(files);
  if (!made) return in_section("Tls", made.error());
  return made;
}

Result<TlsContext> of_branches(const BranchTlsConfig& config) {
  auto made = net::make_tls_client_context({config.ca_file, config.cert_file, config.key_file});
  if (!made)
    return in_section("TLS to branches (BranchTls.CaFile, BranchTls.CertFile)", made.error());
  return made;
}

Result<TlsContext> of_etcd(const MicroServiceConfig& service) {
  CONCERTO_TRY(const auto driver, net::parse_driver(service.driver));
  CONCERTO_TRY(const auto plan, net::parse_registration(driver, service.target, service.end_point));
  return plan ? plan->access.tls : TlsContext{};
}

void check_pair(std::string_view section, const std::string& certificate, const std::string& key,
                Findings& findings) {
  if (certificate.empty() == key.empty()) return;
  const std::string name(section);
  findings.errors.push_back("half of a pair: " + name + ".CertFile and " + name +
                            ".KeyFile go together, but only " + name +
                            (key.empty() ? ".CertFile" : ".KeyFile") + " is set");
}

/// A port that is open although somebody wanted it closed is worse than a start that fails.
void check_ports(const PortTlsConfig& tls, Findings& findings) {
  const auto refuse = [&findings](std::string text) { findings.errors.push_back(std::move(text)); };
  check_pair("Tls", tls.cert_file, tls.key_file, findings);
  if (tls.client_auth != "none" && tls.client_auth != "optional" && tls.client_auth != "required") {
    return refuse("Tls.ClientAuth: expected none, optional or required, found '" + tls.client_auth +
                  "'");
  }
  const bool asks = tls.client_auth != "none";
  if (asks && tls.client_ca_file.empty()) {
    refuse("TLS at the ports: Tls.ClientAuth is " + tls.client_auth +
           ", but Tls.ClientCaFile does not say who certifies clients");
  }
  for (const auto& [key, file] : {std::pair{"Tls.ClientCaFile", &tls.client_ca_file},
                                  std::pair{"Tls.ClientCrlFile", &tls.client_crl_file}}) {
    if (!asks && !file->empty()) {
      refuse("TLS at the ports: " + std::string(key) +
             " is set, but Tls.ClientAuth is none: no client is asked for a certificate");
    }
  }
  if (asks && tls.cert_file.empty()) {
    refuse("TLS at the ports: Tls.ClientAuth is " + tls.client_auth +
           ", but without Tls.CertFile they speak plain text");
  }
}

std::string name_and_end(SSL_CTX& context) {
  const X509* const own = SSL_CTX_get0_certificate(&context);
  if (own == nullptr) return {};
  const std::unique_ptr<BIO, decltype(&BIO_free)> text{BIO_new(BIO_s_mem()), BIO_free};
  X509_NAME_print_ex(text.get(), X509_get_subject_name(own), 0, XN_FLAG_RFC2253);
  BIO_puts(text.get(), " valid until ");
  ASN1_TIME_print(text.get(), X509_get0_notAfter(own));
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

Result<TlsContexts> read_tls(const Config& config) {
  TlsContexts tls;
  CONCERTO_TRY(tls.ports, of_ports(config.tls));
  CONCERTO_TRY(tls.branches, of_branches(config.branch_tls));
  CONCERTO_TRY(tls.etcd, of_etcd(config.micro_service));
  return tls;
}

std::vector<std::string> tls_files(const Config& config) {
  std::vector<std::string> files;
  const auto add = [&files](const std::string& file) {
    if (!file.empty()) files.push_back(file);
  };
  for (const std::string* file :
       {&config.tls.cert_file, &config.tls.key_file, &config.tls.client_ca_file,
        &config.tls.client_crl_file, &config.branch_tls.ca_file, &config.branch_tls.cert_file,
        &config.branch_tls.key_file}) {
    add(*file);
  }
  const auto registry = net::parse_target_url(config.micro_service.target);
  if (!registry) return files;
  for (const char* name : {"caCert", "certFile", "keyFile"}) {
    add(registry->parameter(name).value_or(""));
  }
  return files;
}

void check_tls(const Config& config, Findings& findings) {
  const std::size_t before = findings.errors.size();
  check_ports(config.tls, findings);
  check_pair("BranchTls", config.branch_tls.cert_file, config.branch_tls.key_file, findings);
  for (const std::string& name : net::host_list(config.branch_tls.grpc_targets)) {
    if (name.find(':') == std::string::npos) continue;
    findings.errors.push_back(
        "BranchTls.GrpcTargets: expected names of hosts, or keys of services in etcd, without "
        "scheme and port, found '" +
        name + "'");
  }
  if (findings.errors.size() > before) return;
  if (const auto ports = of_ports(config.tls); !ports) {
    findings.errors.push_back(ports.error().detail);
  }
  // Without files the certificates of the system are read, which takes a while.
  const bool has_files = !config.branch_tls.ca_file.empty() || !config.branch_tls.cert_file.empty();
  if (!has_files) return;
  if (const auto branches = of_branches(config.branch_tls); !branches) {
    findings.errors.push_back(branches.error().detail);
  }
}

std::string describe_tls(const Config& config, const TlsContexts& tls) {
  if (!tls.ports) return {};
  const std::string& auth = config.tls.client_auth;
  return " over TLS as " + name_and_end(*tls.ports->native_handle()) +
         ", certificates of clients: " + auth;
}

}  // namespace concerto::tools
