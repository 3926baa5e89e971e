#include "sendable.hpp"

#include <bitset>
#include <charconv>

#include <concerto/base/masked_url.hpp>

namespace concerto {
namespace {

Error refused(const std::string& field, const Error& why) {
  return make_error(Errc::invalid_request, field + ": " + masked_urls(why.detail));
}

/// The field of the request that a row was made from: `steps[0].action`, or a field of the
/// registration.
std::string field_of(const Mode& mode, const Branch& branch) {
  if (mode.expand == nullptr) {
    const std::string_view url_field = mode.registered_url_field;
    return url_field.empty() ? branch.op : std::string(url_field);
  }
  const std::string_view id = branch.branch_id.view();
  std::size_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number);
  return "steps[" + std::to_string(number - 1) + "]." + branch.op;
}

/// Asks the BranchCaller about each call of a transaction; and once for each way, whether it can
/// carry what all calls have in common.
class Check {
 public:
  Check(const BranchCaller& branches, const Mode& mode, const Transaction& trans)
      : branches_(branches), mode_(mode), trans_(trans) {}

  template <class FieldName>
  Result<> call(std::string_view url, std::string_view branch_id, std::string_view op,
                std::string_view payload, FieldName field) {
    if (url.empty()) return ok();
    const Result<unsigned> way = branches_.way_of(trans_.protocol, url);
    if (!way) return refused(field(), way.error());
    if (trans_.protocol == Protocol::json_rpc) {
      const Result<> taken = branches_.takes_rpc_payload(url, payload);
      if (!taken) return refused(field(), taken.error());
    }
    if (seen_.test(*way)) return ok();
    BranchCall call;
    call.gid = &trans_.gid;
    call.mode = &mode_;
    call.protocol = trans_.protocol;
    call.branch_id = branch_id;
    call.op = op;
    call.url = url;
    call.headers = &trans_.options.branch_headers;
    if (const Result<> carried = branches_.can_carry(*way, call); !carried) {
      return make_error(Errc::invalid_request, carried.error().detail);
    }
    seen_.set(*way);
    return ok();
  }

 private:
  const BranchCaller& branches_;
  const Mode& mode_;
  const Transaction& trans_;
  std::bitset<call_ways_max> seen_;
};

}  // namespace

Result<> check_sendable(const BranchCaller& branches, const Mode& mode, const Transaction& trans,
                        const CustomData& custom) {
  Check check{branches, mode, trans};
  CONCERTO_CHECK(check.call(trans.query_prepared, "00", custom.name, custom.data,
                            [] { return std::string("query_prepared"); }));
  for (const Branch& branch : trans.branches) {
    const bool has_payload = branch.payload < trans.payloads.size();
    const std::string_view payload =
        has_payload ? trans.payloads[branch.payload] : std::string_view{};
    CONCERTO_CHECK(check.call(branch.url, branch.branch_id.view(), branch.op, payload,
                              [&] { return field_of(mode, branch); }));
  }
  return ok();
}

Result<> check_sendable(const BranchCaller& branches, const Mode& mode, const Transaction& trans,
                        const Branch& row, std::string_view payload) {
  Check check{branches, mode, trans};
  return check.call(row.url, row.branch_id.view(), row.op, payload,
                    [] { return std::string("url"); });
}

Result<> check_sendable(const BranchCaller& branches, const Mode& mode, const Transaction& trans,
                        const std::vector<Branch>& rows, std::string_view payload) {
  Check check{branches, mode, trans};
  for (const Branch& row : rows) {
    const Result<> checked = check.call(row.url, row.branch_id.view(), row.op, payload,
                                        [&] { return field_of(mode, row); });
    if (!checked) return make_error(EngineErrc::invalid_entry, checked.error().detail);
  }
  return ok();
}

}  // namespace concerto
