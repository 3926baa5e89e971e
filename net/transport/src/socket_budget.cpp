#include <concerto/transport/socket_budget.hpp>

namespace concerto::net {

bool SocketBudget::take() noexcept {
  if (used_.fetch_add(1) >= sockets_max()) {
    used_.fetch_sub(1);
    return false;
  }
  if (whole_ == nullptr || whole_->take()) return true;
  used_.fetch_sub(1);
  return false;
}

void SocketBudget::give_back() noexcept {
  used_.fetch_sub(1);
  if (whole_ != nullptr) whole_->give_back();
}

bool SocketBudget::is_full() const noexcept {
  return used() >= sockets_max() || (whole_ != nullptr && whole_->is_full());
}

}  // namespace concerto::net
