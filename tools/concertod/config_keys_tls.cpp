// The keys of TLS.
#include "config_keys.hpp"

namespace concerto::tools {
namespace {

#define CONCERTO_FIELD(member) [](Config& c) -> auto& { return c.member; }

const KeyRow tls_key_rows[] = {
    {"Tls.CertFile", CONCERTO_FIELD(tls.cert_file),
     "certificate (PEM) of this server with the chain behind it, for all ports; empty: they "
     "speak plain text. The files of this section, BranchTls and MicroService.Target are read "
     "again when they change and at SIGHUP"},
    {"Tls.KeyFile", CONCERTO_FIELD(tls.key_file), "key (PEM) of that certificate"},
    {"Tls.ClientAuth", CONCERTO_FIELD(tls.client_auth),
     "certificates of clients: none (not asked for), optional (verified if there is one) or "
     "required"},
    {"Tls.ClientCaFile", CONCERTO_FIELD(tls.client_ca_file),
     "certificates (PEM) that those of clients have to be signed by"},
    {"Tls.ClientCrlFile", CONCERTO_FIELD(tls.client_crl_file),
     "lists (PEM) of revoked certificates, one of each authority in the clients' chains; while one "
     "is missing or out of date, no certificate of its authority is accepted"},
    {"BranchTls.CaFile", CONCERTO_FIELD(branch_tls.ca_file),
     "certificates (PEM) that those of branches and of AlertWebHook have to be signed by; empty: "
     "the system's"},
    {"BranchTls.CertFile", CONCERTO_FIELD(branch_tls.cert_file),
     "certificate (PEM) of this client, for branches that ask for one"},
    {"BranchTls.KeyFile", CONCERTO_FIELD(branch_tls.key_file), "key (PEM) of that certificate"},
    {"BranchTls.GrpcTargets", CONCERTO_FIELD(branch_tls.grpc_targets),
     "gRPC branches that are called over TLS: names of hosts, and keys of services in etcd, as "
     "pay.b.org,.c.org; *: all; empty: none"},
};

#undef CONCERTO_FIELD

}  // namespace

std::span<const KeyRow> tls_rows() {
  return tls_key_rows;
}

}  // namespace concerto::tools
