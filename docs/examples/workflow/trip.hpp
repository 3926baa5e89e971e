#pragma once

#include <string>

#include <concerto/client/workflows.hpp>

#include "wallet.hpp"

/// The workflow: to pay for a trip, and to reserve a room. The hotel is full, so that the payment
/// is undone.
class Trip {
 public:
  static constexpr const char* name = "trip";

  /// `dies`: the program kills itself when it has paid and the coordinator does not know it yet.
  Trip(Wallet& wallet, bool dies) : wallet_(wallet), dies_(dies) {}

  concerto::Async<std::string> book(concerto::client::Workflow& workflow, std::string traveller);

 private:
  concerto::Result<std::string> pay(const concerto::client::WorkflowStep& step);
  concerto::Result<> give_back(const concerto::client::WorkflowStep& step);

  Wallet& wallet_;
  bool dies_;
};
