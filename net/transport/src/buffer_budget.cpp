#include <algorithm>
#include <utility>
#include <vector>

#include <concerto/base/assert.hpp>
#include <concerto/transport/buffer_budget.hpp>

namespace concerto::net {
namespace {

/// Making room frees at least an eighth of what is full, so that one search is enough for many
/// changes.
constexpr std::size_t freed_part = 8;

}  // namespace

BufferBudget::Holder::Holder(BufferBudget& budget) : budget_(budget) {
  budget_.holders_.push_back(*this);
}

BufferBudget::Holder::~Holder() {
  write_off();
  budget_.holders_.erase(budget_.holders_.iterator_to(*this));
}

void BufferBudget::Holder::write_off() noexcept {
  if (is_written_off_) return;
  budget_.used_bytes_ -= held_bytes();
  if (is_stranger_) budget_.stranger_bytes_ -= held_bytes();
  is_written_off_ = true;
}

void BufferBudget::Holder::set_stranger(bool is_stranger) noexcept {
  if (is_stranger == is_stranger_) return;
  is_stranger_ = is_stranger;
  if (is_stranger) {
    budget_.stranger_bytes_ += counted_bytes();
  } else {
    budget_.stranger_bytes_ -= counted_bytes();
  }
}

void BufferBudget::Holder::count(std::size_t& part, std::size_t from, std::size_t to) noexcept {
  part += to - from;
  if (is_written_off_) return;
  budget_.used_bytes_ += to - from;
  if (is_stranger_) budget_.stranger_bytes_ += to - from;
}

void BufferBudget::Holder::change_input(std::size_t from, std::size_t to) {
  count(input_bytes_, from, to);
  if (to <= from || is_written_off_) return;
  budget_.check_share(*this);
  budget_.check_whole();
}

void BufferBudget::Holder::change_answer(std::size_t from, std::size_t to) {
  count(answer_bytes_, from, to);
  if (to > from && !is_written_off_) budget_.check_whole();
}

void BufferBudget::check_share(Holder& grown) {
  if (is_shedding_ || grown.input_bytes_ <= limits_.connection_bytes_max) return;
  shed(grown, Holder::Excess::share);
}

void BufferBudget::check_whole() {
  if (is_shedding_) return;
  if (stranger_bytes_ > limits_.bytes_max / strangers_part) make_room(Among::strangers);
  if (used_bytes_ > limits_.bytes_max) make_room(Among::all);
}

void BufferBudget::shed(Holder& holder, Holder::Excess excess) {
  is_shedding_ = true;
  ++shed_count_;
  holder.shed(excess);
  is_shedding_ = false;
}

void BufferBudget::make_room(Among among) {
  const auto holds_less = [](const auto& a, const auto& b) {
    const std::size_t of_a = a.first->held_bytes();
    const std::size_t of_b = b.first->held_bytes();
    return of_a != of_b ? of_a < of_b : a.second > b.second;  // the later of two equal holders
  };
  const bool of_all = among == Among::all;
  const std::size_t& used = of_all ? used_bytes_ : stranger_bytes_;
  const std::size_t bytes_max = of_all ? limits_.bytes_max : limits_.bytes_max / strangers_part;
  const std::size_t target = bytes_max - bytes_max / freed_part;
  for (std::size_t before = used + 1; used > target && used < before;) {
    before = used;
    std::vector<std::pair<Holder*, std::size_t>> heap;
    for (Holder& holder : holders_) {
      if (holder.counted_bytes() == 0 || !(of_all || holder.is_stranger_)) continue;
      heap.emplace_back(&holder, heap.size());
    }
    std::make_heap(heap.begin(), heap.end(), holds_less);
    while (used > target && !heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), holds_less);
      shed(*heap.back().first, Holder::Excess::budget);
      heap.pop_back();
    }
  }
}

}  // namespace concerto::net
