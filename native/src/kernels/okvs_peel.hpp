// Peeling one cluster: rows leave one by one through a column that no other row left has, which later holds whatever
// the row still needs. Where no such column is left, a row is set aside (a gap) for the dense columns.
#pragma once

#include "okvs_hash.hpp"
#include "scratch.hpp"

namespace unseen::UNSEEN_ISA {

struct Step {
    std::uint32_t row, column;
};

class Peeling {
  public:
    Peeling(std::size_t most_rows, std::size_t columns, std::size_t most_gaps)
        : columns_(columns), most_gaps_(most_gaps), state_(columns + 1), queue_(columns + 4), steps_(most_rows + 1),
          taken_(most_rows + 1), gaps_(most_gaps + 1) {}

    // False if more rows would have to be set aside than there are dense columns.
    bool peel(const Place* places, std::size_t rows) {
        places_ = places;
        rows_ = rows;
        done_ = gap_count_ = head_ = tail_ = 0;
        if (!build()) return false;
        run();
        while (done_ + gap_count_ < rows_) {
            if (gap_count_ == most_gaps_) return false;
            set_aside(choose_gap());
            run();
        }
        return true;
    }

    std::size_t steps() const { return done_; }
    const Step& step(std::size_t i) const { return steps_[i]; }
    std::size_t gaps() const { return gap_count_; }
    std::uint32_t gap(std::size_t i) const { return gaps_[i]; }

  private:
    // Of each column: how many rows have it (upper 8 bits), and the exclusive or of their numbers.
    static constexpr std::uint32_t kOne = 1u << 24, kRow = kOne - 1;
    static constexpr std::size_t kAhead = 12;

    bool build() {
        std::memset(state_.data(), 0, columns_ * sizeof(std::uint32_t));
        for (std::size_t i = 0; i < rows_; ++i) {
            const Place& ahead = places_[i + kAhead < rows_ ? i + kAhead : i];
            for (const std::uint32_t c : ahead.column) prefetch(&state_[c]);
            for (const std::uint32_t c : places_[i].column)
                state_[c] = (state_[c] + kOne) ^ static_cast<std::uint32_t>(i);
        }
        std::size_t total = 0;
        for (std::size_t c = 0; c < columns_; ++c) {
            const std::uint32_t weight = state_[c] >> 24;
            total += weight;
            queue_[tail_] = static_cast<std::uint32_t>(c);
            tail_ += weight == 1;
        }
        return total == 3 * rows_;  // less if more than 255 rows met in one column
    }

    void run() {
        while (head_ < tail_) {
            look_ahead();
            const std::uint32_t column = queue_[head_++], state = state_[column];
            const bool alone = state >> 24 == 1;  // else its row has left through another column
            const std::uint32_t row = alone ? state & kRow : 0, one = alone ? kOne : 0;
            steps_[done_] = {row, column};
            done_ += alone;
            for (const std::uint32_t c : places_[row].column) {
                const std::uint32_t left = (state_[c] - one) ^ row;
                state_[c] = left;
                queue_[tail_] = c;
                tail_ += alone & (left >> 24 == 1);
            }
        }
    }

    // In large clusters everything lies outside the near caches.
    void look_ahead() {
        if (columns_ <= kNear) return;
        if (head_ + 24 < tail_) prefetch(&state_[queue_[head_ + 24]]);
        if (head_ + 16 < tail_) prefetch(&places_[row_of(queue_[head_ + 16])]);
        if (head_ + 8 < tail_)
            for (const std::uint32_t c : places_[row_of(queue_[head_ + 8])].column) prefetch(&state_[c]);
    }
    std::uint32_t row_of(std::uint32_t column) const {  // of a column of one row or none
        const std::uint32_t row = state_[column] & kRow;
        return row < rows_ ? row : 0;
    }
    static constexpr std::size_t kNear = std::size_t{1} << 17;

    // The remaining row with most columns of weight two, which then have one row each; the first of several.
    std::uint32_t choose_gap() {
        std::memset(taken_.data(), 0, rows_);
        for (std::size_t i = 0; i < done_; ++i) taken_[steps_[i].row] = 1;
        for (std::size_t i = 0; i < gap_count_; ++i) taken_[gaps_[i]] = 1;
        std::uint32_t best = 0;
        int most = -1;
        for (std::size_t i = 0; i < rows_; ++i) {
            if (taken_[i]) continue;
            int pairs = 0;
            for (const std::uint32_t c : places_[i].column) pairs += state_[c] >> 24 == 2;
            if (pairs > most) {
                most = pairs;
                best = static_cast<std::uint32_t>(i);
            }
        }
        return best;
    }

    void set_aside(std::uint32_t row) {
        gaps_[gap_count_++] = row;
        for (const std::uint32_t c : places_[row].column) {
            state_[c] = (state_[c] - kOne) ^ row;
            queue_[tail_] = c;
            tail_ += state_[c] >> 24 == 1;
        }
    }

    std::size_t columns_, most_gaps_;
    Scratch<std::uint32_t> state_, queue_;
    Scratch<Step> steps_;
    Scratch<std::uint8_t> taken_;
    Scratch<std::uint32_t> gaps_;
    const Place* places_ = nullptr;
    std::size_t rows_ = 0, done_ = 0, gap_count_ = 0, head_ = 0, tail_ = 0;
};

}  // namespace unseen::UNSEEN_ISA
