#include "scenario.hpp"

#include <utility>

namespace concerto::load {
namespace {

/// With so short an interval, what is called again after an error ends while the load goes on.
constexpr std::chrono::seconds retry_interval{1};

/// Makes the requests of one mode.
class Maker {
 public:
  Maker(const LoadOptions& options, const std::vector<BranchUrls>& branches,
        const std::string& query_prepared)
      : options_(options), branches_(branches), query_prepared_(query_prepared) {}

  std::vector<Request> saga() const { return {request(Api::submit, with_steps("saga"))}; }

  std::vector<Request> msg() const { return {request(Api::submit, with_steps("msg"))}; }

  std::vector<Request> msg_in_two_phases() const {
    TransRequest prepared = with_steps("msg");
    prepared.query_prepared = query_prepared_;
    return {request(Api::prepare, prepared), request(Api::submit, prepared)};
  }

  std::vector<Request> tcc(Api end) const {
    return with_branches("tcc", end, [](const BranchUrls& urls, BranchRequest& branch) {
      branch.fields = {{"confirm", urls.forward}, {"cancel", urls.backward}};
    });
  }

  std::vector<Request> xa(Api end) const {
    return with_branches("xa", end, [](const BranchUrls& urls, BranchRequest& branch) {
      branch.payload.clear();  // clients leave it out: the service keeps its own
      branch.fields = {{"url", urls.forward}};
    });
  }

  std::vector<Request> workflow() const {
    TransRequest begin = transaction("workflow");
    begin.options.wait_result = false;
    begin.query_prepared = query_prepared_;
    begin.custom_data = R"({"name":"load","data":""})";
    std::vector<Request> requests = {request(Api::prepare_workflow, begin)};
    add_branches("workflow", requests, [](const BranchUrls&, BranchRequest& branch) {
      branch.fields = {{"op", "action"}, {"status", "succeed"}};
    });
    TransRequest end = transaction("workflow");
    end.options.wait_result = false;
    end.extra = {{"status", "succeed"}};
    requests.push_back(request(Api::submit, end));
    return requests;
  }

 private:
  static Request request(Api api, TransRequest content) { return {api, std::move(content)}; }

  TransRequest transaction(const char* type) const {
    TransRequest request;
    request.trans_type = type;
    request.options.wait_result = options_.wait;
    if (options_.purposes.error_share > 0) request.options.retry_interval = retry_interval;
    return request;
  }

  TransRequest with_steps(const char* type) const {
    TransRequest request = transaction(type);
    for (const BranchUrls& urls : branches_) {
      request.steps.push_back({urls.forward, urls.backward});
      request.payloads.push_back(options_.payload);
    }
    return request;
  }

  template <class Fill>
  void add_branches(const char* type, std::vector<Request>& requests, Fill fill) const {
    for (std::size_t i = 0; i < branches_.size(); ++i) {
      BranchRequest branch;
      branch.trans_type = type;
      branch.branch_id = branch_id(i);
      branch.payload = options_.payload;
      fill(branches_[i], branch);
      requests.push_back({Api::register_branch, std::move(branch)});
    }
  }

  template <class Fill>
  std::vector<Request> with_branches(const char* type, Api end, Fill fill) const {
    // An abort waits if the prepare had wait_result.
    std::vector<Request> requests = {request(Api::prepare, transaction(type))};
    add_branches(type, requests, fill);
    requests.push_back(request(end, transaction(type)));
    return requests;
  }

  const LoadOptions& options_;
  const std::vector<BranchUrls>& branches_;
  const std::string& query_prepared_;
};

std::vector<Request> requests_of(LoadMode mode, const Maker& make) {
  switch (mode) {
    case LoadMode::saga:
      return make.saga();
    case LoadMode::msg:
      return make.msg();
    case LoadMode::msg_2p:
      return make.msg_in_two_phases();
    case LoadMode::tcc:
      return make.tcc(Api::submit);
    case LoadMode::xa:
      return make.xa(Api::submit);
    case LoadMode::workflow:
      return make.workflow();
  }
  return {};
}

const char* final_op_of(LoadMode mode) {
  if (mode == LoadMode::tcc) return "confirm";
  return mode == LoadMode::xa ? "commit" : "action";
}

/// Empty where nothing can be rolled back.
const char* final_op_back_of(LoadMode mode) {
  switch (mode) {
    case LoadMode::saga:
      return "compensate";
    case LoadMode::tcc:
      return "cancel";
    case LoadMode::xa:
      return "rollback";
    case LoadMode::msg:
    case LoadMode::msg_2p:
    case LoadMode::workflow:
      break;
  }
  return "";
}

}  // namespace

std::string branch_id(std::size_t index) {
  const std::string number = std::to_string(index + 1);
  return number.size() < 2 ? "0" + number : number;
}

Scenario make_scenario(const LoadOptions& options, const std::vector<BranchUrls>& branches,
                       const std::string& query_prepared) {
  Scenario scenario;
  const Maker make(options, branches, query_prepared);
  scenario.requests = requests_of(options.mode, make);
  if (options.mode == LoadMode::tcc) scenario.to_abort = make.tcc(Api::abort);
  if (options.mode == LoadMode::xa) scenario.to_abort = make.xa(Api::abort);
  scenario.ends_with_reply = options.wait || options.mode == LoadMode::workflow;
  scenario.final_op = final_op_of(options.mode);
  scenario.final_op_back = final_op_back_of(options.mode);
  scenario.branch_count = branches.size();
  return scenario;
}

CallLedger::Required required_calls(LoadMode mode, std::size_t branch_count) {
  CallLedger::Required calls;
  if (mode == LoadMode::workflow) return calls;  // a workflow's client calls its branches itself
  for (std::size_t i = 0; i < branch_count; ++i) {
    calls.to_succeed.push_back({branch_id(i), final_op_of(mode)});
  }
  const std::string back = final_op_back_of(mode);
  if (back.empty()) return calls;
  // All actions of a saga are called: its last branch is the one that refuses.
  if (mode == LoadMode::saga) calls.to_roll_back = calls.to_succeed;
  for (std::size_t i = 0; i < branch_count; ++i) calls.to_roll_back.push_back({branch_id(i), back});
  return calls;
}

}  // namespace concerto::load
