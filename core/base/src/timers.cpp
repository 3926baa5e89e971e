#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/base/timers.hpp>

namespace concerto {

Timers::Timers(Executor executor, const Clock& clock)
    : clock_(clock), timer_(executor), thread_(std::move(executor)) {}

Timers::~Timers() {
  CONCERTO_ASSERT(heap_.empty());
}

SteadyTime Timers::earliest() const noexcept {
  return heap_.empty() ? SteadyTime::max() : heap_.front()->at_;
}

void Timers::run_due() {
  thread_.check();
  const SteadyTime now = clock_.steady_now();
  while (!heap_.empty() && heap_.front()->at_ <= now) {
    Timer& timer = *heap_.front();
    remove(timer);
    const auto on_due = timer.on_due_;  // The callback may destroy its timer.
    on_due();
  }
  arm();
}

void Timers::disarm() {
  if (!heap_.empty()) return;
  armed_for_ = SteadyTime::max();
  timer_.cancel();
}

void Timers::add(Timer& timer) {
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  sift_up(timer.index_);
  arm();
}

void Timers::remove(Timer& timer) {
  const std::size_t hole = std::exchange(timer.index_, Timer::npos);
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(hole, last);
  sift_up(hole);
  sift_down(last->index_);
}

void Timers::place(std::size_t index, Timer* timer) noexcept {
  heap_[index] = timer;
  timer->index_ = index;
}

void Timers::sift_up(std::size_t index) noexcept {
  Timer* timer = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->at_ <= timer->at_) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void Timers::sift_down(std::size_t index) noexcept {
  Timer* timer = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->at_ < heap_[child]->at_) ++child;
    if (timer->at_ <= heap_[child]->at_) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

void Timers::arm() {
  // When the earliest timer is cancelled, the timer of the system stays as it is. It is then due
  // too early and is armed again, which is cheaper than to move it for each cancelled deadline.
  const SteadyTime next = earliest();
  if (next >= armed_for_) return;
  armed_for_ = next;
  timer_.expires_after(next - clock_.steady_now());
  timer_.async_wait([this](const error_code& error) {
    if (error) return;
    armed_for_ = SteadyTime::max();
    run_due();
  });
}

void Timer::set(SteadyTime at) {
  cancel();
  if (at == SteadyTime::max()) return;
  at_ = at;
  timers_.add(*this);
}

void Timer::cancel() {
  if (is_set()) timers_.remove(*this);
}

Task<bool> sleep_until(Timers& timers, SteadyTime at) {
  // The coroutine may have been cancelled while it awaited something that no cancellation ends,
  // such as a store's answer. No second one comes, and a loop that sleeps would go on.
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return false;
  Notifier woken{co_await asio::this_coro::executor};
  Timer timer{timers, [&woken] { woken.notify_all(); }};
  timer.set(at);
  co_return co_await woken.wait();
}

}  // namespace concerto
